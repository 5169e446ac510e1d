//! A server that is none: it speaks the protocol, checks passwords, and does what statements say.

use super::tsql::{Token, read};
use super::wire::{BATCH, Line, Refusal, greet};
use super::world::{Session, World};
use rustls::ServerConfig;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// What all its threads share.
pub(super) struct Shared {
    world: Mutex<World>,
    changed: Condvar,
    streams: Mutex<Vec<TcpStream>>,
    ids: AtomicU32,
    down: AtomicBool,
}

pub(super) struct Server {
    pub(super) shared: Arc<Shared>,
    tls: Option<Arc<ServerConfig>>,
    pub(super) address: SocketAddr,
    task: Option<JoinHandle<()>>,
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    pub(super) fn start(world: World, tls: Option<ServerConfig>) -> Self {
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            changed: Condvar::new(),
            streams: Mutex::default(),
            ids: AtomicU32::new(51),
            down: AtomicBool::new(false),
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { shared, tls: tls.map(Arc::new), address, task: None };
        server.resume();
        server
    }

    /// Listens.
    pub(super) fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).expect("a port");
        self.address = listener.local_addr().expect("an address");
        self.shared.down.store(false, Ordering::SeqCst);
        let (shared, tls) = (Arc::clone(&self.shared), self.tls.clone());
        self.task = Some(std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if shared.down.load(Ordering::SeqCst) {
                    return;
                }
                let copy = stream.try_clone().expect("a socket");
                shared.streams.lock().unwrap_or_else(PoisonError::into_inner).push(copy);
                let (shared, tls) = (Arc::clone(&shared), tls.clone());
                std::thread::spawn(move || {
                    // Whoever goes away has heard enough.
                    let _ = serve(&shared, stream, tls);
                });
            }
        }));
    }

    /// Ends all connections, and listens no more.
    pub(super) fn crash(&mut self) {
        self.shared.down.store(true, Ordering::SeqCst);
        // Wakes who accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(task) = self.task.take() {
            let _ = task.join();
        }
        for stream in self.shared.streams.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
    }
}

fn serve(shared: &Shared, stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
    let copy = stream.try_clone()?;
    let mut line = greet(stream, tls)?;
    let login = line.login()?;
    let id = shared.ids.fetch_add(1, Ordering::SeqCst);
    let admitted = {
        let mut world = shared.world();
        let admitted = world.admit(&login, id);
        if admitted.is_ok() {
            world.open.insert(id, (login.user.clone(), copy));
        }
        admitted
    };
    let mut session = match admitted {
        Ok(session) => session,
        Err(refusal) => return line.tell(Err(refusal)),
    };
    let told = line.welcome().and_then(|()| converse(shared, &mut line, &mut session));
    let mut world = shared.world();
    world.open.remove(&id);
    world.locks.retain(|_, it| *it != id);
    shared.changed.notify_all();
    told
}

fn converse(shared: &Shared, line: &mut Line, session: &mut Session) -> io::Result<()> {
    loop {
        let (kind, content) = line.hear()?;
        if kind != BATCH {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let batch = Line::batch(&content)?;
        let outcome = match lock_of(&batch) {
            Some(lock) => Ok(vec![vec![vec![Some(lock_for(shared, session.id, lock))]]]),
            None => shared.world().run(session, &batch),
        };
        shared.changed.notify_all();
        line.tell(outcome)?;
    }
}

/// The lock that a batch asks for.
fn lock_of(batch: &str) -> Option<String> {
    let tokens = read(batch).filter(|_| batch.contains("sp_getapplock"))?;
    tokens.into_iter().find_map(|it| match it {
        Token::Text(it) => Some(it),
        _ => None,
    })
}

/// Waits until nobody else has it.
fn lock_for(shared: &Shared, id: u32, lock: String) -> String {
    let mut world = shared.world();
    while world.locks.get(&lock).is_some_and(|it| *it != id) {
        world = shared.changed.wait(world).unwrap_or_else(PoisonError::into_inner);
    }
    world.locks.insert(lock, id);
    "0".to_owned()
}

/// What a server says that has no such login.
pub(super) fn ask(shared: &Shared, session: &mut Session, batch: &str) -> Result<(), Refusal> {
    shared.world().run(session, batch).map(drop)
}
