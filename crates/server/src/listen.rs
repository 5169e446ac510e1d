//! Listeners: sockets of all kinds, and the loop that accepts connections.

use crate::config::{LimitsConfig, Listen};
use crate::connection::{self, Answer, End};
use crate::drain::Drain;
use crate::metrics::Metrics;
use crate::peer::Peer;
use crate::tls::{Agreed, Certificates, TlsError};
use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// A socket that connections come from.
pub(crate) enum Socket {
    Tcp(TcpListener),
    Tls(TcpListener, Secured),
    Unix(UnixListener, SocketFile),
}

/// What TLS needs.
#[derive(Clone)]
pub(crate) struct Secured {
    acceptor: TlsAcceptor,
    certificates: Arc<Certificates>,
}

/// The name of a unix socket. Dropped, it goes, if it is still ours.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

/// Why a place can't be listened at.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The operating system refused.
    #[error("can't listen at `{place}`: {source}")]
    Refused {
        /// The address or path.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// Something other than a socket has the name.
    #[error("can't listen at `{}`: it exists and is no socket", .0.display())]
    NoSocket(PathBuf),
    /// Another process listens there.
    #[error("can't listen at `{}`: another process does", .0.display())]
    Taken(PathBuf),
}

/// What all connections of a listener share.
pub(crate) struct Shared {
    pub(crate) limits: LimitsConfig,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) drain: Drain,
    pub(crate) drain_timeout: Duration,
    pub(crate) room: Arc<Semaphore>,
}

impl Secured {
    pub(crate) fn new(certificates: Arc<Certificates>) -> Result<Self, TlsError> {
        let acceptor = TlsAcceptor::from(certificates.server_config()?);
        Ok(Self { acceptor, certificates })
    }
}

impl Socket {
    /// Listens at `place`. `secured` is for those that speak TLS; the configuration was checked to
    /// have it then.
    pub(crate) async fn bind(
        place: &Listen,
        secured: Option<&Secured>,
    ) -> Result<Self, ListenError> {
        let refused = |source| ListenError::Refused { place: place.to_string(), source };
        match (place, secured) {
            (Listen::Plain(address), _) => {
                TcpListener::bind(address).await.map(Self::Tcp).map_err(refused)
            }
            (Listen::Tls(address), Some(secured)) => {
                let listener = TcpListener::bind(address).await.map_err(refused)?;
                Ok(Self::Tls(listener, secured.clone()))
            }
            (Listen::Tls(_), None) => Err(refused(io::Error::other("there is no certificate"))),
            (Listen::Unix(path), _) => Self::bind_unix(path, 0o660),
        }
    }

    /// Listens at the unix socket `path`, open to those whom `mode` lets in. A socket that a dead
    /// process has left is replaced.
    pub(crate) fn bind_unix(path: &Path, mode: u32) -> Result<Self, ListenError> {
        let refused = |source| ListenError::Refused { place: path.display().to_string(), source };
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            Err(error) => return Err(refused(error)),
            Ok(found) if !found.file_type().is_socket() => {
                return Err(ListenError::NoSocket(path.to_owned()));
            }
            Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(path).map_err(refused)?;
                }
                Err(error) => return Err(refused(error)),
                Ok(_) => return Err(ListenError::Taken(path.to_owned())),
            },
        }
        let listener = UnixListener::bind(path).map_err(refused)?;
        std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(refused)?;
        let inode = std::fs::symlink_metadata(path).map_err(refused)?.ino();
        Ok(Self::Unix(listener, SocketFile { path: path.to_owned(), inode }))
    }

    /// The address that was bound, if it is one.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) | Self::Tls(listener, _) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }

    /// The path that was bound, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Unix(_, file) => Some(&file.path),
            Self::Tcp(_) | Self::Tls(..) => None,
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|it| it.ino() == self.inode);
        if ours {
            let _gone_already = std::fs::remove_file(&self.path);
        }
    }
}

/// Accepts connections until the server stops, then waits until they are done, for a bounded time.
///
/// `door` makes what answers the connection of a peer.
pub(crate) async fn accept<A: Answer>(
    socket: Socket,
    shared: Arc<Shared>,
    door: impl Fn(Peer) -> A + Clone + Send + 'static,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = shared.drain.begun() => break,
        };
        let arrived = match accepted {
            Ok(arrived) => arrived,
            Err(error) => {
                // Out of descriptors, most likely: those who are here finish first.
                tracing::error!(%error, "connection not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Beyond the limit one waits here, and all others in the kernel's queue. Room is not taken
        // before: a listener where nobody comes would keep it from the others.
        let place = tokio::select! {
            place = Arc::clone(&shared.room).acquire_owned() => place,
            () = shared.drain.begun() => break,
        };
        shared.metrics.accepted.add(1);
        let open = Open::count(&shared.metrics);
        let (shared, door) = (Arc::clone(&shared), door.clone());
        connections.spawn(async move {
            arrived.serve(&shared, door).await;
            drop((open, place));
        });
    }
    drop(socket);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(shared.drain_timeout, finished).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections cut off at the end");
        connections.shutdown().await;
    }
}

/// A connection that counts as open.
struct Open(Arc<Metrics>);

impl Open {
    fn count(metrics: &Arc<Metrics>) -> Self {
        metrics.connections.add(1);
        Self(Arc::clone(metrics))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.add(-1);
    }
}

/// A connection as it comes.
enum Arrived {
    Tcp(TcpStream, SocketAddr),
    Tls(TcpStream, SocketAddr, TlsAcceptor),
    Unix(UnixStream),
}

impl Socket {
    async fn accept(&self) -> io::Result<Arrived> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Fails for a peer that has gone already; its connection will tell.
                let _best_effort = stream.set_nodelay(true);
                Ok(Arrived::Tcp(stream, address))
            }
            Self::Tls(listener, secured) => {
                let (stream, address) = listener.accept().await?;
                // Fails for a peer that has gone already; its connection will tell.
                let _best_effort = stream.set_nodelay(true);
                secured.certificates.refresh();
                Ok(Arrived::Tls(stream, address, secured.acceptor.clone()))
            }
            Self::Unix(listener, _) => Ok(Arrived::Unix(listener.accept().await?.0)),
        }
    }
}

impl Arrived {
    async fn serve<A: Answer>(self, shared: &Shared, door: impl Fn(Peer) -> A) {
        match self {
            Self::Tcp(stream, address) => {
                answer(stream, door(Peer::tcp(address, None)), shared).await;
            }
            Self::Unix(stream) => answer(stream, door(Peer::unix()), shared).await,
            Self::Tls(stream, address, acceptor) => {
                let handshake = timeout(shared.limits.header_timeout, acceptor.accept(stream));
                let stream = tokio::select! {
                    finished = handshake => finished,
                    () = shared.drain.begun() => return,
                };
                match stream {
                    Ok(Ok(stream)) => {
                        let peer = Peer::tcp(address, Some(Agreed::of(stream.get_ref().1)));
                        answer(stream, door(peer), shared).await;
                    }
                    Ok(Err(error)) => {
                        shared.metrics.handshakes_failed.add(1);
                        tracing::debug!(address = %address.ip(), %error, "TLS handshake failed");
                    }
                    Err(_) => shared.metrics.timed_out.add(1),
                }
            }
        }
    }
}

async fn answer<A: Answer>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    door: A,
    shared: &Shared,
) {
    let end = connection::serve(stream, Arc::new(door), &shared.limits, &shared.drain).await;
    if end == End::TimedOut {
        shared.metrics.timed_out.add(1);
    }
}

/// How long nothing is accepted after the operating system had nothing left to give.
const PAUSE: Duration = Duration::from_millis(50);
