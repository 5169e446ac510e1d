//! The way to a server: one connection of this machine's loopback, and what comes of it said on by TLS.
//!
//! Until the server accepts, its packets are looked at: one that wants another handshake gets it here, and one that
//! sends elsewhere ends the way. Source: python-oracledb and rust-oracledb, for what packets mean.

use super::DIALECT;
use crate::transport::{Need, dial, need, proof, untrusted};
use crate::{Credential, Failure, Protection, Trust};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long a server of this machine may be silent before it is taken for one without TLS.
const SILENCE: Duration = Duration::from_secs(1);

/// What precedes a packet's content: its length, its kind and its flags among it.
const HEADER: usize = 8;

/// The kinds of packets that are looked for.
const ACCEPT: u8 = 2;
const REDIRECT: u8 = 5;
const RESEND: u8 = 11;

/// The flag of a packet after which there is another handshake.
const HANDSHAKE: u8 = 8;

/// Goes with this value.
pub(super) struct Tunnel {
    pub(super) port: u16,
    pub(super) protection: Protection,
    task: AbortHandle,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Proof = (Arc<ClientConfig>, ServerName<'static>);

enum Way {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>, Proof),
}

impl Tunnel {
    /// Connects, without saying who or with what.
    pub(super) async fn open(login: &Credential, trust: &Trust) -> Result<Self, Failure> {
        let way = reach(login, trust).await?;
        let protection = match &way {
            Way::Plain(_) => Protection::Plain,
            Way::Tls(stream, _) => {
                let version = stream.get_ref().1.protocol_version().and_then(|it| it.as_str());
                Protection::Tls(version.unwrap_or_default().replace("TLSv1_", "TLSv1."))
            }
        };
        let lost = |error| Failure::Unreachable(format!("no port of the loopback: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(lost)?;
        let port = listener.local_addr().map_err(lost)?.port();
        let task = tokio::spawn(async move {
            // One, and no other.
            let accepted = listener.accept().await;
            drop(listener);
            if let Ok((client, _)) = accepted {
                // Whoever waits at either end sees that it ended.
                let _ = carry(client, way).await;
            }
        });
        Ok(Self { port, protection, task: task.abort_handle() })
    }
}

async fn reach(login: &Credential, trust: &Trust) -> Result<Way, Failure> {
    let port = login.port.unwrap_or(DIALECT.port);
    let stream = dial(&login.host, port).await?;
    let need = need(login);
    if need == Need::Nothing {
        return Ok(Way::Plain(stream));
    }
    let proof = proof(&login.host, trust)?;
    let handshake = shake(stream, &proof);
    let shaken = match need {
        // A listener without TLS waits for the rest of a packet.
        Need::WhatIsOffered => timeout(SILENCE, handshake)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
        _ => handshake.await,
    };
    match shaken {
        Ok(stream) => Ok(Way::Tls(Box::new(stream), proof)),
        Err(error) => match (untrusted(&error), need) {
            (Some(failure), Need::Tls) => Err(failure),
            (Some(failure), _) if is_about_certificate(&error) => Err(failure),
            (_, Need::WhatIsOffered) => Ok(Way::Plain(dial(&login.host, port).await?)),
            _ => {
                let hint =
                    "hint: name the port that speaks TCPS, or say \"ssl\": false in the secret";
                Err(Failure::Untrusted(format!("the server offers no TLS: {error}\n{hint}")))
            }
        },
    }
}

fn is_about_certificate(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|it| it.downcast_ref());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

async fn shake(stream: TcpStream, (config, name): &Proof) -> io::Result<TlsStream<TcpStream>> {
    TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream).await
}

/// Carries bytes both ways.
async fn carry(mut client: TcpStream, mut way: Way) -> io::Result<()> {
    client.set_nodelay(true)?;
    loop {
        let next = match &mut way {
            Way::Plain(server) => look(&mut client, server).await?,
            Way::Tls(server, _) => look(&mut client, server.as_mut()).await?,
        };
        match (next, way) {
            (Next::Accepted, Way::Plain(mut server)) => {
                return copy_bidirectional(&mut client, &mut server).await.map(drop);
            }
            (Next::Accepted, Way::Tls(mut server, _)) => {
                return copy_bidirectional(&mut client, &mut server).await.map(drop);
            }
            (Next::Handshake, Way::Tls(server, proof)) => {
                let again = shake(server.into_inner().0, &proof).await?;
                way = Way::Tls(Box::new(again), proof);
            }
            (Next::Handshake, plain @ Way::Plain(_)) => way = plain,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Accepted,
    Handshake,
}

/// Carries bytes until the server accepts, or wants another handshake.
async fn look<S: AsyncRead + AsyncWrite + Unpin>(
    client: &mut TcpStream,
    server: &mut S,
) -> io::Result<Next> {
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    let mut packets = Vec::new();
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let read = some(read?)?;
                server.write_all(up.get(..read).unwrap_or_default()).await?;
                server.flush().await?;
            }
            read = server.read(&mut down) => {
                let read = some(read?)?;
                packets.extend(down.iter().take(read));
                let next = judge(&mut packets)?;
                client.write_all(&next.0).await?;
                if let Some(next) = next.1 {
                    client.write_all(&packets).await?;
                    return Ok(next);
                }
            }
        }
    }
}

fn some(read: usize) -> io::Result<usize> {
    if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
}

/// Takes whole packets off `packets`: what may be said on, and what comes next.
fn judge(packets: &mut Vec<u8>) -> io::Result<(Vec<u8>, Option<Next>)> {
    let mut said = Vec::new();
    while let Some(&[high, low, _, _, kind, flags, ..]) = packets.first_chunk::<HEADER>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < HEADER {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if packets.len() < length {
            break;
        }
        if kind == REDIRECT {
            // Wherever that is, nobody has said that it may be reached, or how.
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let at = said.len() + 5;
        said.extend(packets.drain(..length));
        if kind == ACCEPT {
            return Ok((said, Some(Next::Accepted)));
        }
        if kind == RESEND && flags & HANDSHAKE != 0 {
            // It is done here: the driver isn't to hear of it.
            if let Some(flags) = said.get_mut(at) {
                *flags &= !HANDSHAKE;
            }
            return Ok((said, Some(Next::Handshake)));
        }
    }
    Ok((said, None))
}

/// How many of `bytes` may be said on, and whether a server accepts. For those who want to see anything read.
pub(crate) fn read(bytes: &[u8]) -> Option<(usize, bool)> {
    let mut packets = bytes.to_vec();
    let (said, next) = judge(&mut packets).ok()?;
    Some((said.len(), next == Some(Next::Accepted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, flags: u8, content: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(HEADER + content.len()).expect("short").to_be_bytes();
        [&[high, low, 0, 0, kind, flags, 0, 0], content].concat()
    }

    #[test]
    fn packets_are_judged_whole() {
        let (accept, resend) = (packet(ACCEPT, 0, b"abc"), packet(RESEND, HANDSHAKE, b""));
        let quiet = packet(RESEND, 0, b"");
        for (given, said, next) in [
            (accept.clone(), accept.clone(), Some(Next::Accepted)),
            (resend, quiet.clone(), Some(Next::Handshake)),
            (
                [quiet.clone(), accept.clone()].concat(),
                [quiet.clone(), accept.clone()].concat(),
                Some(Next::Accepted),
            ),
            (quiet.clone(), quiet, None),
            (accept[..10].to_vec(), Vec::new(), None),
            (Vec::new(), Vec::new(), None),
        ] {
            assert_eq!(judge(&mut given.clone()).expect("understood"), (said, next));
        }
        for wrong in [packet(REDIRECT, 0, b"(ADDRESS=...)"), vec![0, 7, 0, 0, 2, 0, 0, 0]] {
            assert!(judge(&mut wrong.clone()).is_err());
            assert_eq!(read(&wrong), None);
        }
    }

    /// What comes after the packet that was looked at isn't lost, and a redirection ends the way.
    #[tokio::test]
    async fn bytes_are_carried_until_a_server_sends_elsewhere() {
        for kind in [ACCEPT, REDIRECT] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let server = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.expect("somebody");
                let mut heard = [0; 5];
                stream.read_exact(&mut heard).await.expect("heard");
                let said = [packet(kind, 0, b"x"), b"rest".to_vec()].concat();
                stream.write_all(&said).await.expect("said");
                let mut end = Vec::new();
                let _ = stream.read_to_end(&mut end).await;
                (heard, end)
            });
            let text = format!(
                r#"{{"engine":"oracle","host":"127.0.0.1","port":{port},"username":"u","password":"p","ssl":false}}"#
            );
            let login = Credential::parse(&base::Sensitive::from(text)).expect("a login");
            let roots = crate::Roots::new([]);
            let trust = Trust { platform: roots, pinned: std::collections::BTreeMap::new() };
            let tunnel = Tunnel::open(&login, &trust).await.expect("open");
            let mut driver = TcpStream::connect(("127.0.0.1", tunnel.port)).await.expect("open");
            driver.write_all(b"hello").await.expect("said");
            if kind == ACCEPT {
                let mut heard = [0; 13];
                driver.read_exact(&mut heard).await.expect("heard");
                assert_eq!(&heard[9..], b"rest");
                driver.write_all(b"more").await.expect("said");
            } else {
                let mut heard = Vec::new();
                assert_eq!(driver.read_to_end(&mut heard).await.unwrap_or(0), 0);
            }
            drop(driver);
            let (heard, end) = server.await.expect("ended");
            assert_eq!(&heard, b"hello");
            assert_eq!(end, if kind == ACCEPT { b"more".to_vec() } else { Vec::new() });
        }
    }

    /// A server that wants another handshake gets it here, from who is believed, and the driver hears nothing of it.
    #[tokio::test]
    async fn handshakes_are_ours() {
        use rustls::pki_types::pem::PemObject;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let authority = peers::Authority::new().expect("an authority");
        let stranger = peers::Authority::new().expect("an authority");
        let issued = authority.issue(&["localhost"]).expect("issued");
        let chain = CertificateDer::pem_slice_iter(issued.chain.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
        let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate");
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        for (believed, other) in [(&authority, false), (&stranger, true)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            let acceptor = acceptor.clone();
            let server = tokio::spawn(async move {
                let (stream, _) = listener.accept().await?;
                let mut stream = acceptor.accept(stream).await?;
                let mut heard = [0; 5];
                stream.read_exact(&mut heard).await?;
                stream.write_all(&packet(RESEND, HANDSHAKE, b"")).await?;
                stream.flush().await?;
                let mut stream = acceptor.accept(stream.into_inner().0).await?;
                stream.read_exact(&mut heard).await?;
                stream.write_all(&packet(ACCEPT, 0, b"x")).await?;
                stream.flush().await?;
                io::Result::Ok(heard)
            });
            let text = format!(
                r#"{{"engine":"oracle","host":"localhost","port":{port},"username":"u","password":"p","ssl":true}}"#
            );
            let login = Credential::parse(&base::Sensitive::from(text)).expect("a login");
            let roots = crate::Roots::new([CertificateDer::from(believed.der())]);
            let trust = Trust { platform: roots, pinned: std::collections::BTreeMap::new() };
            let tunnel = Tunnel::open(&login, &trust).await;
            if other {
                assert!(matches!(tunnel.err(), Some(Failure::Untrusted(_))));
                assert!(server.await.expect("ended").is_err());
                continue;
            }
            let tunnel = tunnel.expect("believed");
            assert_eq!(tunnel.protection, Protection::Tls("TLSv1.3".to_owned()));
            let mut driver = TcpStream::connect(("127.0.0.1", tunnel.port)).await.expect("open");
            driver.write_all(b"first").await.expect("said");
            let mut heard = [0; HEADER];
            driver.read_exact(&mut heard).await.expect("heard");
            assert_eq!(heard.to_vec(), packet(RESEND, 0, b""));
            driver.write_all(b"again").await.expect("said");
            let mut heard = [0; HEADER + 1];
            driver.read_exact(&mut heard).await.expect("heard");
            assert_eq!(heard.to_vec(), packet(ACCEPT, 0, b"x"));
            assert_eq!(&server.await.expect("ended").expect("heard"), b"again");
        }
    }
}
