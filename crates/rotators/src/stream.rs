//! The way to a server: by TLS, or plainly where that is all there is.

use crate::transport::{Need, dial, need, proof, untrusted};
use crate::{Credential, Failure, Protection, Trust};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long a server may be silent before it is asked whether it is one of the other kind.
const SILENCE: Duration = Duration::from_secs(1);

/// Words that hold no secret, by which a server that speaks plainly is told from one that speaks TLS: a port speaks
/// one or the other.
#[derive(Clone, Copy)]
pub(crate) struct Hello {
    pub(crate) words: &'static [u8],
    /// How an answer to them may begin. An alert of TLS begins otherwise.
    pub(crate) answers: fn(u8) -> bool,
}

/// Bytes to and from a server.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Connects, without saying who or with what.
    pub(crate) async fn open(
        login: &Credential,
        trust: &Trust,
        port: u16,
        hello: Hello,
    ) -> Result<Self, Failure> {
        let (host, port) = (login.host.as_str(), login.port.unwrap_or(port));
        let plain = match need(login) {
            Need::Nothing => true,
            Need::Tls => false,
            Need::WhatIsOffered => speaks_plainly(host, port, hello).await?,
        };
        let stream = dial(host, port).await?;
        if plain {
            return Ok(Self::Plain(stream));
        }
        let (config, name) = proof(host, trust)?;
        let mut handshake = TlsConnector::from(config).connect(name, stream);
        let stream = match timeout(SILENCE, &mut handshake).await {
            Ok(stream) => stream,
            // A server without TLS waits for the end of a line, which a handshake needn't have.
            Err(_) if speaks_plainly(host, port, hello).await? => {
                return Err(Failure::Untrusted("the server offers no TLS".to_owned()));
            }
            Err(_) => handshake.await,
        };
        let stream = stream.map_err(|error| {
            let lost = || Failure::Unreachable(format!("no TLS with `{host}:{port}`: {error}"));
            untrusted(&error).unwrap_or_else(lost)
        })?;
        Ok(Self::Tls(Box::new(stream)))
    }

    /// How it is protected.
    pub(crate) fn protection(&self) -> Protection {
        match self {
            Self::Plain(_) => Protection::Plain,
            Self::Tls(stream) => {
                let version = stream.get_ref().1.protocol_version();
                let version = version.and_then(|it| it.as_str());
                Protection::Tls(version.unwrap_or_default().replace("TLSv1_", "TLSv1."))
            }
        }
    }
}

/// Whether the server answers a word that isn't TLS: a port speaks one or the other. Nothing secret is said.
async fn speaks_plainly(host: &str, port: u16, hello: Hello) -> Result<bool, Failure> {
    let lost = |_| Failure::Unreachable(format!("`{host}:{port}` ended the connection"));
    let mut stream = dial(host, port).await?;
    stream.write_all(hello.words).await.map_err(lost)?;
    let mut first = [0];
    match timeout(SILENCE, stream.read(&mut first)).await {
        Ok(Ok(1)) => Ok((hello.answers)(first[0])),
        Ok(Ok(_) | Err(_)) | Err(_) => Ok(false),
    }
}

macro_rules! either {
    ($this:expr, $stream:ident => $act:expr) => {
        match $this.get_mut() {
            Self::Plain(stream) => {
                let $stream = Pin::new(stream);
                $act
            }
            Self::Tls(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $act
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(context))
    }
}
