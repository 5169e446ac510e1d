//! The way to a server: by TLS, or plainly where that is all there is. One port may offer both.

use super::message::{HEADER, announced, request};
use crate::transport::{Need, dial, need, proof, untrusted};
use crate::{Credential, Failure, Protection, Trust};
use bson::rawdoc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long a server may be silent before it is asked whether it is one without TLS.
const SILENCE: Duration = Duration::from_secs(1);

/// Bytes to and from a server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects, without saying who or with what; and how it is protected.
pub(super) async fn open(
    login: &Credential,
    trust: &Trust,
    port: u16,
) -> Result<(Box<dyn Stream>, Protection), Failure> {
    let (host, need) = (login.host.as_str(), need(login));
    let stream = dial(host, port).await?;
    if need == Need::Nothing {
        return Ok((Box::new(stream), Protection::Plain));
    }
    let (config, name) = proof(host, trust)?;
    let mut handshake = TlsConnector::from(config).connect(name, stream);
    let done = match timeout(SILENCE, &mut handshake).await {
        Ok(done) => done,
        Err(_) if speaks_plainly(host, port).await => Err(std::io::ErrorKind::TimedOut.into()),
        Err(_) => handshake.await,
    };
    let error = match done {
        Ok(stream) => {
            let version = stream.get_ref().1.protocol_version().and_then(|it| it.as_str());
            let version = version.unwrap_or_default().replace("TLSv1_", "TLSv1.");
            return Ok((Box::new(stream), Protection::Tls(version)));
        }
        Err(error) => error,
    };
    // Who speaks TLS, but isn't believed, is not asked to do without.
    if let Some(failure) = untrusted(&error) {
        return Err(failure);
    }
    match (speaks_plainly(host, port).await, need) {
        (false, _) => Err(Failure::Unreachable(format!("no TLS with `{host}:{port}`: {error}"))),
        (true, Need::WhatIsOffered) => Ok((Box::new(dial(host, port).await?), Protection::Plain)),
        (true, _) => Err(Failure::Untrusted("the server offers no TLS".to_owned())),
    }
}

/// Whether the server answers a question that isn't TLS. Nothing secret is said.
async fn speaks_plainly(host: &str, port: u16) -> bool {
    let asked = async {
        let mut stream = dial(host, port).await.ok()?;
        let question = request(1, rawdoc! { "isMaster": 1, "$db": "admin" });
        stream.write_all(&question).await.ok()?;
        let mut header = [0; HEADER];
        stream.read_exact(&mut header).await.ok()?;
        announced(&header, 1)
    };
    matches!(timeout(SILENCE, asked).await, Ok(Some(_)))
}
