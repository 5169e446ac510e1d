//! Listeners, and the connections that come in.

use crate::config::{At, Listen};
use crate::run::AgentError;
use rustix::net::sockopt::{set_ip_ttl, set_ipv6_unicast_hops};
use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A bound listener.
pub(crate) enum Socket {
    Tcp(TcpListener),
    /// Removed when dropped.
    Unix(UnixListener, SocketFile),
}

pub(crate) struct SocketFile(PathBuf);

/// User and group, and the process if the kernel tells it, of the other end of a unix socket.
pub(super) type Peer = ((u32, u32), Option<u32>);

/// A connection as it comes.
pub(super) enum Arrived {
    /// The other end and this one.
    Tcp(TcpStream, SocketAddr, SocketAddr),
    Unix(UnixStream, Option<Peer>),
}

/// A connection's bytes.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Listens where `listen` says.
    pub(crate) async fn bind(listen: &Listen) -> Result<Self, AgentError> {
        let refused = |error| AgentError::Listen { at: listen.at.to_string(), error };
        match &listen.at {
            At::Address(address) => {
                let listener = TcpListener::bind(address).await.map_err(refused)?;
                // Connections have what their listener has.
                let limited = if address.is_ipv4() {
                    set_ip_ttl(&listener, u32::from(listen.hop_limit))
                } else {
                    set_ipv6_unicast_hops(&listener, Some(listen.hop_limit))
                };
                limited.map_err(|it| refused(it.into()))?;
                Ok(Self::Tcp(listener))
            }
            At::Unix(path) => {
                make_way(path).map_err(refused)?;
                let listener = UnixListener::bind(path).map_err(refused)?;
                // Everybody may ask; the kernel tells who it is.
                let open = Permissions::from_mode(0o666);
                std::fs::set_permissions(path, open).map_err(refused)?;
                Ok(Self::Unix(listener, SocketFile(path.clone())))
            }
        }
    }

    /// Where it listens, with the port that the kernel chose.
    pub(crate) fn at(&self) -> Option<At> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok().map(At::Address),
            Self::Unix(_, file) => Some(At::Unix(file.0.clone())),
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Arrived> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                let local = stream.local_addr()?;
                Ok(Arrived::Tcp(stream, peer, local))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let who = stream.peer_cred().ok();
                let who = who.map(|it| {
                    ((it.uid(), it.gid()), it.pid().and_then(|pid| u32::try_from(pid).ok()))
                });
                Ok(Arrived::Unix(stream, who))
            }
        }
    }
}

/// Removes a socket that a dead process has left at `path`; nothing else.
fn make_way(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            Err(io::Error::other("there is something else than a socket"))
        }
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)
            }
            Err(error) => Err(error),
        },
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_file(&self.0);
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(it) => Pin::new(it).poll_read(context, buffer),
            Self::Unix(it) => Pin::new(it).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(it) => Pin::new(it).poll_write(context, bytes),
            Self::Unix(it) => Pin::new(it).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(it) => Pin::new(it).poll_flush(context),
            Self::Unix(it) => Pin::new(it).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(it) => Pin::new(it).poll_shutdown(context),
            Self::Unix(it) => Pin::new(it).poll_shutdown(context),
        }
    }
}
