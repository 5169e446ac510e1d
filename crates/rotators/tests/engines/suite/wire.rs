//! Between a client and a server: records, cuts, says nothing.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    Stalled,
    Cut,
}

/// Forwards connections to a port, and remembers what clients said.
pub(crate) struct Wire {
    pub(crate) port: u16,
    said: Arc<Mutex<Vec<u8>>>,
    state: watch::Sender<State>,
    task: JoinHandle<io::Result<()>>,
}

impl Wire {
    /// In front of the loopback's port `to`.
    pub(crate) async fn to(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (state, watched) = watch::channel(State::Whole);
        let heard = Arc::clone(&said);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await?;
                let server = TcpStream::connect(("127.0.0.1", to)).await?;
                tokio::spawn(forward(client, server, Arc::clone(&heard), watched.clone()));
            }
        });
        Self { port, said, state, task }
    }

    /// Whether a client has said `text` so that anyone could read it.
    pub(crate) fn heard(&self, text: &str) -> bool {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.windows(text.len()).any(|it| it == text.as_bytes())
    }

    /// Cuts all connections.
    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Lets them be, and forwards nothing more.
    pub(crate) fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    client: TcpStream,
    server: TcpStream,
    said: Arc<Mutex<Vec<u8>>>,
    mut state: watch::Receiver<State>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            said.lock().unwrap_or_else(PoisonError::into_inner).extend(&buffer[..read]);
            to_server.write_all(&buffer[..read]).await?;
        }
        to_server.shutdown().await
    };
    let down = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! {
        _ = async { tokio::join!(up, down) } => (),
        _ = state.wait_for(|it| *it != State::Whole) => (),
    }
    // What fails here is the end of the wire.
    let _ = state.wait_for(|it| *it == State::Cut).await;
}

/// A server that accepts and says nothing: its port.
pub(crate) async fn mute() -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let task = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    (port, task)
}
