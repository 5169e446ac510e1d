//! The way to a server: what both say first, and TLS, whose handshake travels in packets of the protocol.

use super::DIALECT;
use super::prelogin::{self, Encryption, HEADER, LARGEST, PRELOGIN};
use crate::transport::{Need, dial, need, proof, untrusted};
use crate::{Credential, Failure, Protection, Trust};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Bytes to and from a server. The driver's own first word is swallowed, and answered from here.
pub(super) struct Stream {
    way: Way,
    /// What of the driver's first packet hasn't been said yet.
    unsaid: Unsaid,
    /// What the driver hasn't heard of the answer to it.
    unheard: Vec<u8>,
}

enum Way {
    Plain(TcpStream),
    Tls(Box<TlsStream<Wrapped>>),
}

enum Unsaid {
    Head(Vec<u8>),
    Content(usize),
}

impl Stream {
    /// Connects, without saying who or with what.
    pub(super) async fn open(login: &Credential, trust: &Trust) -> Result<Self, Failure> {
        let need = need(login);
        let way = match (need, greet(login, need).await?) {
            (Need::Nothing, (_, Encryption::Required | Encryption::On)) => {
                let told = "the server demands TLS, which the secret renounces by `ssl`";
                return Err(Failure::Untrusted(told.to_owned()));
            }
            (Need::Nothing, (stream, _)) => Way::Plain(stream),
            (_, (stream, Encryption::On | Encryption::Required)) => {
                Way::Tls(Box::new(protect(stream, login, trust).await?))
            }
            // Who said that it wants TLS can't go on without.
            (Need::WhatIsOffered, _) => Way::Plain(greet(login, Need::Nothing).await?.0),
            (Need::Tls, _) => {
                return Err(Failure::Untrusted("the server offers no TLS".to_owned()));
            }
        };
        Ok(Self { way, unsaid: Unsaid::Head(Vec::new()), unheard: prelogin::answer() })
    }

    /// How it is protected.
    pub(super) fn protection(&self) -> Protection {
        match &self.way {
            Way::Plain(_) => Protection::Plain,
            Way::Tls(stream) => {
                let version = stream.get_ref().1.protocol_version();
                let version = version.and_then(|it| it.as_str());
                Protection::Tls(version.unwrap_or_default().replace("TLSv1_", "TLSv1."))
            }
        }
    }
}

/// Asks what the server says of encryption.
async fn greet(login: &Credential, need: Need) -> Result<(TcpStream, Encryption), Failure> {
    let wanted = match need {
        Need::Nothing => Encryption::NotSupported,
        Need::WhatIsOffered | Need::Tls => Encryption::On,
    };
    let mut stream = dial(&login.host, login.port.unwrap_or(DIALECT.port)).await?;
    let asked = async {
        stream.write_all(&prelogin::ask(wanted)).await?;
        let mut head = [0; HEADER];
        stream.read_exact(&mut head).await?;
        let other = || io::Error::new(io::ErrorKind::InvalidData, "it speaks another protocol");
        let mut content = vec![0; prelogin::answers(head).ok_or_else(other)?];
        stream.read_exact(&mut content).await?;
        prelogin::encryption(&content).ok_or_else(other)
    };
    let said = asked.await;
    let lost = |error| Failure::Unreachable(format!("the server doesn't answer: {error}"));
    said.map(|it| (stream, it)).map_err(lost)
}

/// Shakes hands. Within this protocol no server speaks a newer TLS than 1.2: that takes TDS 8, where TLS comes first.
async fn protect(
    stream: TcpStream,
    login: &Credential,
    trust: &Trust,
) -> Result<TlsStream<Wrapped>, Failure> {
    let (config, name) = proof(&login.host, trust)?;
    let stream = Wrapped { stream, wraps: true, left: 0, head: Vec::new(), out: Vec::new() };
    let shaken = TlsConnector::from(config).connect(name, stream).await;
    let mut shaken = shaken.map_err(|error| {
        let lost = || Failure::Unreachable(format!("no TLS with `{}`: {error}", login.host));
        untrusted(&error).unwrap_or_else(lost)
    })?;
    shaken.get_mut().0.wraps = false;
    Ok(shaken)
}

/// A connection whose bytes travel in packets as long as it `wraps` them.
pub(super) struct Wrapped {
    stream: TcpStream,
    wraps: bool,
    /// How many bytes of the packet that comes in are still to be read.
    left: usize,
    head: Vec<u8>,
    /// What goes out with the next flush: packets, once they are made.
    out: Vec<u8>,
}

impl AsyncRead for Wrapped {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.wraps && this.left == 0 && this.head.is_empty() {
            return Pin::new(&mut this.stream).poll_read(context, buffer);
        }
        while this.left == 0 {
            let mut next = [0; HEADER];
            let wanted = next.get_mut(this.head.len()..).unwrap_or_default();
            let mut part = ReadBuf::new(wanted);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut part))?;
            if part.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.head.extend_from_slice(part.filled());
            if let Ok(head) = <[u8; HEADER]>::try_from(this.head.as_slice()) {
                let other = || io::Error::new(io::ErrorKind::InvalidData, "no handshake");
                this.left = prelogin::follows(head, PRELOGIN).ok_or_else(other)?;
                this.head.clear();
            }
        }
        let room = this.left.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        ready!(Pin::new(&mut this.stream).poll_read(context, &mut part))?;
        let read = part.filled().len();
        buffer.advance(read);
        this.left -= read;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.wraps {
            return Pin::new(&mut this.stream).poll_write(context, bytes);
        }
        ready!(this.poll_out(context))?;
        let taken = bytes.len().min(LARGEST - HEADER);
        this.out.extend(prelogin::head(PRELOGIN, taken));
        this.out.extend(bytes.iter().take(taken));
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_out(context))?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_out(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}

impl Wrapped {
    /// Sends what waits.
    fn poll_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, &self.out))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

macro_rules! either {
    ($this:expr, $stream:ident => $act:expr) => {
        match &mut $this.get_mut().way {
            Way::Plain(stream) => {
                let $stream = Pin::new(stream);
                $act
            }
            Way::Tls(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $act
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unheard.is_empty() {
            let heard = self.unheard.len().min(buffer.remaining());
            let heard: Vec<_> = self.unheard.drain(..heard).collect();
            buffer.put_slice(&heard);
            return Poll::Ready(Ok(()));
        }
        either!(self, stream => stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.unsaid {
            Unsaid::Head(said) => {
                let taken = bytes.len().min(HEADER - said.len());
                said.extend(bytes.iter().take(taken));
                if let Ok(head) = <[u8; HEADER]>::try_from(said.as_slice()) {
                    let left = prelogin::follows(head, PRELOGIN).unwrap_or_default();
                    self.unsaid = Unsaid::Content(left);
                }
                Poll::Ready(Ok(taken))
            }
            Unsaid::Content(left @ 1..) => {
                let taken = bytes.len().min(*left);
                *left -= taken;
                Poll::Ready(Ok(taken))
            }
            Unsaid::Content(0) => either!(self, stream => stream.poll_write(context, bytes)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(context))
    }
}
