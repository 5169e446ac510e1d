//! Listeners: sockets of all kinds, and the loop that accepts connections.

use crate::config::{LimitsConfig, Listen};
use crate::connection::{self, Answer, End};
use crate::drain::Drain;
use crate::hush::Hush;
use crate::metrics::Metrics;
use crate::peer::Peer;
use crate::places::{Place, Places};
use crate::tls::{Agreed, Certificates, TlsError};
use base::Clock;
use std::fs::Permissions;
use std::io;
use std::net::{IpAddr, SocketAddr};
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
    /// For all connections.
    pub(crate) room: Arc<Semaphore>,
    /// For those of each address.
    pub(crate) places: Arc<Places>,
    /// For the log.
    pub(crate) clock: Arc<dyn Clock>,
    /// For failures to accept.
    pub(crate) hush: Hush,
}

impl Secured {
    pub(crate) fn new(certificates: Arc<Certificates>) -> Result<Self, TlsError> {
        let acceptor = TlsAcceptor::from(certificates.server_config()?);
        Ok(Self { acceptor, certificates })
    }
}

impl Socket {
    /// Listens at `place`: with its `listener` if it is an address, and `secured` if TLS is spoken
    /// there; the configuration was checked to have it then.
    pub(crate) fn bind(
        place: &Listen,
        listener: Option<TcpListener>,
        secured: Option<&Secured>,
    ) -> Result<Self, ListenError> {
        let lacks = |what| {
            let source = io::Error::other(format!("there is no {what}"));
            Err(ListenError::Refused { place: place.to_string(), source })
        };
        match (place, listener, secured) {
            (Listen::Plain(_), Some(listener), _) => Ok(Self::Tcp(listener)),
            (Listen::Tls(_), Some(listener), Some(secured)) => {
                Ok(Self::Tls(listener, secured.clone()))
            }
            (Listen::Tls(_), Some(_), None) => lacks("certificate"),
            (Listen::Plain(_) | Listen::Tls(_), None, _) => lacks("listener"),
            (Listen::Unix(path), ..) => Self::bind_unix(path, 0o660),
        }
    }

    /// Listens at the unix socket `path`, open to those whom `mode` lets in. A socket that a dead
    /// process has left is replaced. A process whose umask lets nobody else in has no moment in which
    /// the socket is open to more than `mode` says.
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
                if let Some(pause) = shared.not_accepted(&error) {
                    tokio::time::sleep(pause).await;
                }
                continue;
            }
        };
        let Some(place) = shared.place_for(&arrived) else { continue };
        // Beyond the limit one waits here, and all others in the kernel's queue. Room is not taken
        // before: a listener where nobody comes would keep it from the others.
        let room = tokio::select! {
            room = Arc::clone(&shared.room).acquire_owned() => room,
            () = shared.drain.begun() => break,
        };
        shared.metrics.accepted.add(1);
        let open = Open::count(&shared.metrics);
        let (shared, door) = (Arc::clone(&shared), door.clone());
        connections.spawn(async move {
            arrived.serve(&shared, door).await;
            drop((open, place, room));
        });
    }
    drop(socket);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(shared.drain_timeout, finished).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections cut off at the end");
        connections.shutdown().await;
    }
}

impl Shared {
    /// The place of a connection among those of its address. Without one it is to be closed.
    fn place_for(self: &Arc<Self>, arrived: &Arrived) -> Option<Place> {
        let place = match arrived.address() {
            Some(address) => self.places.take(address),
            None => Some(Place::uncounted()),
        };
        if place.is_none() {
            self.metrics.crowded.add(1);
        }
        place
    }

    /// Tells that a connection was not accepted, and for how long to accept none: the error comes
    /// again at once if nothing changes.
    fn not_accepted(&self, error: &io::Error) -> Option<Duration> {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
        if matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
            // The peer has gone already; the next one is another.
            return None;
        }
        // Out of descriptors, most likely: those who are here finish first.
        if self.hush.tells(self.clock.now()).is_some() {
            tracing::error!(%error, "connections not accepted");
        }
        Some(PAUSE)
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
    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(_, address) | Self::Tls(_, address, _) => Some(address.ip()),
            Self::Unix(_) => None,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use base::Timestamp;
    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;
    use hyper::body::Incoming;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    struct Door;
    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(1_767_225_600)
        }
    }

    impl Answer for Door {
        type Body = Full<Bytes>;

        async fn answer(&self, _: Request<Incoming>) -> Response<Full<Bytes>> {
            Response::new(Full::default())
        }

        fn is_known(&self) -> bool {
            true
        }
    }

    fn shared(places: Places) -> Arc<Shared> {
        Arc::new(Shared {
            limits: LimitsConfig::default(),
            metrics: Arc::new(Metrics::new(std::iter::empty())),
            drain: Drain::default(),
            drain_timeout: Duration::from_secs(1),
            room: Arc::new(Semaphore::new(10)),
            places: Arc::new(places),
            clock: Arc::new(Still),
            hush: Hush::new(1),
        })
    }

    /// A connection on which a request was answered; `None` if it was closed instead.
    async fn connect(address: SocketAddr) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let _closed = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.ok().map(|_| stream)
    }

    #[tokio::test]
    async fn an_address_has_so_many_connections_and_no_more() {
        for (places, third) in [(Places::for_all(2), false), (Places::new(2), true)] {
            let shared = shared(places);
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
            let address = listener.local_addr().expect("bound");
            let socket = Socket::Tcp(listener);
            let server = tokio::spawn(accept(socket, Arc::clone(&shared), |_| Door));
            let (first, second) = (connect(address).await, connect(address).await);
            assert!(first.is_some() && second.is_some());
            assert_eq!(connect(address).await.is_some(), third);
            assert_eq!(shared.metrics.crowded.get(), u64::from(!third));
            drop((first, second));
            while 0 < shared.metrics.connections.get() {
                tokio::task::yield_now().await;
            }
            assert!(connect(address).await.is_some(), "there are places again");
            shared.drain.begin();
            server.await.expect("ended");
        }
    }

    #[tokio::test]
    async fn failures_to_accept_pause_and_are_told_once_a_second() {
        let shared = shared(Places::new(1));
        let gone = io::ErrorKind::ConnectionReset.into();
        assert_eq!(shared.not_accepted(&gone), None);
        assert!(shared.hush.tells(Still.now()).is_some(), "that was not told");
        let shared = self::shared(Places::new(1));
        for (error, pauses) in [
            (io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error()), true),
            (io::Error::from_raw_os_error(rustix::io::Errno::NOBUFS.raw_os_error()), true),
            (io::ErrorKind::ConnectionAborted.into(), false),
            (io::ErrorKind::ConnectionReset.into(), false),
        ] {
            assert_eq!(shared.not_accepted(&error).is_some(), pauses, "{error}");
            assert!(shared.hush.tells(Still.now()).is_none(), "{error}: the first one was told");
        }
    }
}
