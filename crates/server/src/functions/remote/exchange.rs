//! One request over one connection: TLS verified, redirects not followed, nothing read without a bound.

use super::Failed;
use super::answer::LARGEST;
use crate::functions::trust;
use bytes::Bytes;
use http::header::{CONNECTION, USER_AGENT};
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// An endpoint.
pub(super) struct Peer {
    authority: String,
    host: String,
    port: u16,
    /// The only authorities that it is believed by; none: those of the system.
    own: Option<Vec<CertificateDer<'static>>>,
    tls: OnceCell<Arc<ClientConfig>>,
}

/// Those that were signed, and what signing adds.
type Headers<'a> = (&'a [(&'a str, &'a [u8])], &'a [(&'static str, String)]);

/// What it says.
pub(super) struct Answered {
    pub(super) status: u16,
    headers: HeaderMap,
    /// None if it is too long.
    pub(super) body: Option<Vec<u8>>,
}

/// Why there is no answer that counts.
#[derive(Debug)]
pub(super) enum Unreached {
    /// The next attempt would be the same.
    Lasting(Failed),
    /// It may be better in a moment.
    Passing(Failed),
}

impl Peer {
    /// The endpoint at `address`. Reads the certificates of `ca_bundle`.
    pub(super) fn new(address: &Uri, ca_bundle: Option<&Path>) -> Result<Self, String> {
        let authority = address.authority().ok_or("the endpoint has no host")?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let read = |path: &Path| {
            let shown = path.display();
            trust::read(path)
                .map_err(|error| format!("can't read the certificates in `{shown}`: {error}"))
        };
        Ok(Self {
            authority: authority.to_string(),
            host,
            port: authority.port_u16().unwrap_or(443),
            own: ca_bundle.map(read).transpose()?,
            tls: OnceCell::new(),
        })
    }

    /// Host and port, as they stand in the address.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Posts `payload` to `path` with all of `headers`, and reads the answer.
    pub(super) async fn post(
        &self,
        path: &str,
        (headers, added): Headers<'_>,
        payload: &[u8],
    ) -> Result<Answered, Unreached> {
        let mut request = Request::post(path)
            .header(USER_AGENT, concat!("strongroom/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in added {
            request = request.header(*name, value);
        }
        let body = Full::new(Bytes::copy_from_slice(payload));
        let request = request.body(body).map_err(|it| self.lasting(&it))?;
        let stream = timeout(CONNECT, TcpStream::connect((&*self.host, self.port))).await;
        let stream = stream.map_err(|_| self.passing(&"nobody answers"))?;
        let stream = stream.map_err(|it| self.passing(&it))?;
        let name = ServerName::try_from(self.host.clone()).map_err(|it| self.lasting(&it))?;
        let connector = TlsConnector::from(self.tls().await?);
        let stream = timeout(CONNECT, connector.connect(name, stream)).await;
        let stream = stream.map_err(|_| self.passing(&"nobody answers in TLS"))?;
        // A certificate that isn't believed won't be in a moment either.
        let stream = stream.map_err(|it| self.lasting(&it))?;
        self.exchange(TokioIo::new(stream), request).await
    }

    async fn exchange<S>(
        &self,
        stream: S,
        request: Request<Full<Bytes>>,
    ) -> Result<Answered, Unreached>
    where
        S: hyper::rt::Read + hyper::rt::Write + Unpin,
    {
        let (mut sender, connection) =
            http1::handshake(stream).await.map_err(|it| self.passing(&it))?;
        let exchange = async {
            let answer = sender.send_request(request).await;
            let (head, body) = answer.map_err(|it| self.passing(&it))?.into_parts();
            let body = match Limited::new(body, LARGEST).collect().await {
                Ok(body) => Some(body.to_bytes().to_vec()),
                Err(error) if error.is::<LengthLimitError>() => None,
                Err(error) => return Err(self.passing(&error)),
            };
            Ok(Answered { status: head.status.as_u16(), headers: head.headers, body })
        };
        tokio::pin!(exchange);
        tokio::select! {
            biased;
            done = &mut exchange => done,
            // It ends first if the answer does: what came is kept.
            _ = connection => exchange.await,
        }
    }

    async fn tls(&self) -> Result<Arc<ClientConfig>, Unreached> {
        let made = self.tls.get_or_try_init(|| async {
            let roots = match &self.own {
                Some(own) => own.clone(),
                None => tokio::task::spawn_blocking(trust::system).await.unwrap_or_default(),
            };
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(roots);
            let provider = Arc::new(aws_lc_rs::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .with_root_certificates(store)
                .with_no_client_auth();
            Ok::<_, rustls::Error>(Arc::new(config))
        });
        made.await.map(Arc::clone).map_err(|it| self.lasting(&it))
    }

    fn lasting(&self, reason: &dyn fmt::Display) -> Unreached {
        Unreached::Lasting(self.failed(reason))
    }

    fn passing(&self, reason: &dyn fmt::Display) -> Unreached {
        Unreached::Passing(self.failed(reason))
    }

    fn failed(&self, reason: &dyn fmt::Display) -> Failed {
        Failed::ours(format!("`{self}` can't be asked: {reason}"))
    }
}

impl Answered {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Unreached {
    pub(super) fn into_inner(self) -> Failed {
        match self {
            Self::Lasting(failed) | Self::Passing(failed) => failed,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "https://{}", self.authority)
    }
}

/// What connecting may take, and what agreeing on keys may.
const CONNECT: Duration = Duration::from_secs(10);
