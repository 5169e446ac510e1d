//! One request and its answer: TLS, time-outs, bounds.

use super::{Endpoint, anywhere, endpoint, sts};
use crate::config::{ConfigError, ServerConfig};
use crate::keys::{IssueError, Keys};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use zeroize::{Zeroize, Zeroizing};

/// A request ready to be sent.
pub(super) struct Prepared {
    /// Path and query.
    pub(super) target: String,
    /// Lower-case names.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) content_type: &'static str,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// Reads the body of a success.
    pub(super) read: fn(&[u8]) -> Result<Keys, IssueError>,
}

/// A connection pool to one server.
pub(super) struct Exchange {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoint: Endpoint,
    timeout: Duration,
}

impl Exchange {
    pub(super) fn new(server: &ServerConfig) -> Result<Self, ConfigError> {
        let reason = "is not `https://HOST[:PORT]`";
        let wrong = ConfigError::Server { key: "endpoint", reason };
        let endpoint = endpoint(&server.endpoint).ok_or(wrong)?;
        let roots = server.ca_file.as_deref().map_or(Ok(RootCertStore::empty()), roots)?;
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .map_err(|_| ConfigError::Server { key: "endpoint", reason: "TLS can't be set up" })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = if endpoint.is_tls {
            builder.https_only().enable_http1().build()
        } else {
            builder.https_or_http().enable_http1().build()
        };
        // Sessions are fetched minutes apart: a connection kept for that would be dead when needed.
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { client, endpoint, timeout: server.timeout })
    }

    /// The `Host` header that requests are to be signed with.
    pub(super) fn authority(&self) -> &str {
        &self.endpoint.authority
    }

    /// Sends `prepared` and reads the session in its answer.
    pub(super) async fn send(&self, prepared: Prepared) -> Result<Keys, IssueError> {
        let read = prepared.read;
        let request = self.request(prepared)?;
        let answer = tokio::time::timeout(self.timeout, async {
            let response = self.client.request(request).await.map_err(|it| unreachable(&it))?;
            let status = response.status();
            let code = response.headers().get(ERROR_TYPE).and_then(|it| it.to_str().ok());
            let code = code.map(str::to_owned);
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            let body = body.map_err(|it| IssueError::Unreachable(it.to_string()))?;
            Ok((status, code, Wiped(body.to_bytes())))
        });
        let (status, code, body) = answer
            .await
            .map_err(|_| IssueError::Unreachable(format!("none within {:?}", self.timeout)))??;
        match status {
            StatusCode::OK | StatusCode::CREATED => read(&body.0),
            _ => Err(refusal((status, code), &body.0)),
        }
    }

    fn request(&self, prepared: Prepared) -> Result<Request<Full<Bytes>>, IssueError> {
        let scheme = if self.endpoint.is_tls { "https" } else { "http" };
        let uri = format!("{scheme}://{}{}", self.endpoint.authority, prepared.target);
        let mut request = Request::post(uri)
            .header(HOST, &self.endpoint.authority)
            .header(CONTENT_TYPE, prepared.content_type);
        for (name, value) in &prepared.headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| IssueError::Identity(format!("it can't be sent as `{name}`")))?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        // Wiped when the last user lets go of it.
        let body = Bytes::from_owner(prepared.body);
        request.body(Full::new(body)).map_err(|it| IssueError::Identity(it.to_string()))
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Exchange").field(&self.endpoint.authority).finish()
    }
}

/// An answer's bytes, wiped as far as nobody else holds them.
struct Wiped(Bytes);

impl Drop for Wiped {
    fn drop(&mut self) {
        if let Ok(mut bytes) = std::mem::take(&mut self.0).try_into_mut() {
            BytesMut::as_mut(&mut bytes).zeroize();
        }
    }
}

/// What the server says in refusing: XML of STS or JSON of Roles Anywhere.
fn refusal((status, code): (StatusCode, Option<String>), body: &[u8]) -> IssueError {
    let code = code.unwrap_or_else(|| status.as_u16().to_string());
    let told = sts::read_fault(body).or_else(|| Some((code.clone(), anywhere::read_fault(body)?)));
    let (code, message) = told.unwrap_or((code, String::new()));
    let cut = |it: String| it.chars().filter(|it| !it.is_control()).take(512).collect();
    IssueError::Refused { code: cut(code), message: cut(message) }
}

/// The reason at the bottom: what is above it says only that it failed.
fn unreachable(error: &hyper_util::client::legacy::Error) -> IssueError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    IssueError::Unreachable(cause.to_string())
}

fn roots(path: &Path) -> Result<RootCertStore, ConfigError> {
    let unreadable = |reason: String| ConfigError::Unreadable {
        path: path.to_owned(),
        error: std::io::Error::other(reason),
    };
    let found = CertificateDer::pem_file_iter(path).map_err(|it| unreadable(it.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in found {
        let certificate = certificate.map_err(|it| unreadable(it.to_string()))?;
        // Systems' bundles have some that no library takes.
        let _skipped = roots.add(certificate);
    }
    if roots.is_empty() {
        return Err(unreadable("no certificate authority is in it".to_owned()));
    }
    Ok(roots)
}

/// Where REST-JSON services name the error.
const ERROR_TYPE: &str = "x-amzn-errortype";
/// Longer than any session.
const LONGEST: usize = 64 * 1024;
