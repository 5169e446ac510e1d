//! One document from the network: a new connection, one question, no redirects.
//!
//! The name is looked up here and the connection goes to just the address that was judged, so that a name
//! can't mean something else a moment later.

use super::address::is_public;
use super::vouch::Voucher;
use super::{Documents, Unreachable};
use crate::config::OidcConfig;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use http::uri::Scheme;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use oidc::Keys;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{OnceCell, Semaphore};
use tokio_rustls::TlsConnector;

/// Asks the network.
pub(crate) struct Fetcher {
    /// Addresses that aren't public may be asked.
    allow_private: bool,
    /// Plain HTTP may be spoken on loopback.
    allow_plain: bool,
    provider: Arc<CryptoProvider>,
    /// Authorities that the configuration names.
    own: Vec<CertificateDer<'static>>,
    /// Those and the system's, once they are needed.
    roots: OnceCell<Arc<RootCertStore>>,
    /// So many documents at once.
    room: Semaphore,
}

/// The authorities that the configuration names can't be read.
#[derive(Debug, thiserror::Error)]
#[error("can't read certificates from `{}`: {reason}", path.display())]
pub struct FetcherError {
    path: PathBuf,
    reason: String,
}

/// More than one account's issuers can keep busy by saying nothing.
const AT_ONCE: usize = 128;
/// So many addresses of a name are tried.
const ADDRESSES: usize = 4;

impl Fetcher {
    /// A fetcher by `config`; `is_dev` lets it speak plain HTTP to this machine.
    pub(crate) fn new(config: &OidcConfig, is_dev: bool) -> Result<Self, FetcherError> {
        let own = match &config.ca_bundle {
            None => Vec::new(),
            Some(path) => {
                let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
                let failed = |reason| FetcherError { path: path.clone(), reason };
                let found: Vec<_> = read.map_err(|it| failed(it.to_string()))?;
                if found.is_empty() {
                    return Err(failed("no certificate found".to_owned()));
                }
                found
            }
        };
        Ok(Self {
            allow_private: config.allow_private,
            allow_plain: is_dev,
            provider: Arc::new(aws_lc_rs::default_provider()),
            own,
            roots: OnceCell::new(),
            room: Semaphore::new(AT_ONCE),
        })
    }

    async fn ask(&self, address: &str, thumbprints: &[String]) -> Result<Vec<u8>, Unreachable> {
        let _room = self.room.acquire().await.map_err(because)?;
        let uri: Uri = address.parse().map_err(because)?;
        let is_plain = uri.scheme() == Some(&Scheme::HTTP);
        let authority = uri.authority().filter(|it| !it.as_str().contains('@'));
        let (Some(authority), Some(scheme)) = (authority, uri.scheme()) else {
            return Err(because("not an address"));
        };
        if *scheme != Scheme::HTTPS && !(is_plain && self.allow_plain) {
            return Err(because("it is not reached by HTTPS"));
        }
        let host = authority.host().trim_matches(['[', ']']);
        let port = authority.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
        let stream = self.connect((host, port), is_plain).await?;
        let request = Request::get(uri.path_and_query().map_or("/", |it| it.as_str()))
            .header(HOST, authority.as_str())
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("strongroom/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close")
            .body(Empty::new())
            .map_err(because)?;
        if is_plain {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(host.to_owned()).map_err(because)?;
        let connector = TlsConnector::from(self.tls(thumbprints).await?);
        exchange(connector.connect(name, stream).await.map_err(because)?, request).await
    }

    /// A connection to an address of `place` that may be asked.
    async fn connect(
        &self,
        place: (&str, u16),
        only_loopback: bool,
    ) -> Result<TcpStream, Unreachable> {
        let found: Vec<SocketAddr> = lookup_host(place).await.map_err(because)?.collect();
        let may_be_asked = |it: IpAddr| {
            let it = it.to_canonical();
            if only_loopback { it.is_loopback() } else { self.allow_private || is_public(it) }
        };
        let mut last = because("it has no address that may be asked; see `oidc.allow_private`");
        for address in found.into_iter().filter(|it| may_be_asked(it.ip())).take(ADDRESSES) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = because(error),
            }
        }
        Err(last)
    }

    async fn tls(&self, thumbprints: &[String]) -> Result<Arc<ClientConfig>, Unreachable> {
        let roots = self.roots.get_or_try_init(|| self.authorities()).await?;
        let voucher = Voucher::new(&self.provider, roots, thumbprints);
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(because)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(voucher))
            .with_no_client_auth();
        Ok(Arc::new(config))
    }

    async fn authorities(&self) -> Result<Arc<RootCertStore>, Unreachable> {
        let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs);
        let system = read.await.map_err(because)?;
        for error in &system.errors {
            tracing::warn!(%error, "a certificate authority of the system can't be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(system.certs);
        roots.add_parsable_certificates(self.own.iter().cloned());
        Ok(Arc::new(roots))
    }
}

#[async_trait]
impl Documents for Fetcher {
    async fn read(&self, address: &str, thumbprints: &[String]) -> Result<Vec<u8>, Unreachable> {
        self.ask(address, thumbprints).await
    }
}

/// The body of the answer to `request`.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Request<Empty<Bytes>>,
) -> Result<Vec<u8>, Unreachable> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(because)?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(because)?;
        if answer.status() != StatusCode::OK {
            return Err(because(format_args!("it answers {}", answer.status())));
        }
        let body = Limited::new(answer.into_body(), Keys::MAX_LEN).collect().await;
        Ok(body.map_err(because)?.to_bytes().to_vec())
    };
    tokio::pin!(exchange);
    tokio::select! {
        biased;
        done = &mut exchange => done,
        // It ends first if the answer does: what came is kept.
        _ = connection => exchange.await,
    }
}

fn because(reason: impl Display) -> Unreachable {
    Unreachable(reason.to_string())
}

#[cfg(test)]
mod tests;
