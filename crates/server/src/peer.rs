//! The other side of a connection, as audit records name it.

use crate::tls::Agreed;
use http::HeaderValue;
use http::header::{HOST, REFERER, USER_AGENT};
use http::request::Parts;
use service::{Endpoint, Source, TlsDetails};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// The other side of a connection.
pub(crate) struct Peer {
    address: String,
    tls: Option<Agreed>,
    /// The private endpoint it came to.
    endpoint: Option<Arc<Endpoint>>,
    /// It has sent a request with a right signature.
    signed: AtomicBool,
    /// What the last request said of itself: the next one almost always says the same.
    last: Mutex<Option<Described>>,
}

struct Described {
    user_agent: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    host: Vec<u8>,
    source: Arc<Source>,
}

impl Peer {
    /// A peer over TCP.
    pub(crate) fn tcp(address: SocketAddr, tls: Option<Agreed>) -> Self {
        Self::new(address.ip().to_canonical().to_string(), tls)
    }

    /// A process of this machine, over a unix socket.
    pub(crate) fn unix() -> Self {
        Self::new("unix".to_owned(), None)
    }

    fn new(address: String, tls: Option<Agreed>) -> Self {
        let (signed, last) = (AtomicBool::new(false), Mutex::default());
        Self { address, tls, endpoint: None, signed, last }
    }

    /// The same, come to `endpoint` if it is one.
    pub(crate) fn through(self, endpoint: Option<Arc<Endpoint>>) -> Self {
        Self { endpoint, ..self }
    }

    /// Notes that a request of it had a right signature.
    pub(crate) fn note_signed(&self) {
        self.signed.store(true, Relaxed);
    }

    /// Whether a request of it ever had a right signature.
    pub(crate) fn has_signed(&self) -> bool {
        self.signed.load(Relaxed)
    }

    /// The address without a port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Where the request with the head `parts` came from.
    pub(crate) fn source(&self, parts: &Parts) -> Arc<Source> {
        let user_agent = parts.headers.get(USER_AGENT);
        let referer = parts.headers.get(REFERER);
        let host = host(parts);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last
            && known.user_agent.as_ref() == user_agent
            && known.referer.as_ref() == referer
            && known.host == host
        {
            return Arc::clone(&known.source);
        }
        let source = Arc::new(Source {
            address: self.address.clone(),
            user_agent: user_agent.map(|it| text(it.as_bytes(), 1024)).unwrap_or_default(),
            referer: referer.map(|it| text(it.as_bytes(), 1024)),
            endpoint: self.endpoint.clone(),
            tls: self.tls.as_ref().map(|it| TlsDetails {
                tls_version: it.version.to_owned(),
                cipher_suite: it.suite.clone(),
                client_provided_host_header: text(without_port(host), 256),
            }),
        });
        *last = Some(Described {
            user_agent: user_agent.cloned(),
            referer: referer.cloned(),
            host: host.to_owned(),
            source: Arc::clone(&source),
        });
        source
    }
}

fn host(parts: &Parts) -> &[u8] {
    let authority = || parts.uri.authority().map(|it| it.as_str().as_bytes());
    parts.headers.get(HOST).map(HeaderValue::as_bytes).or_else(authority).unwrap_or_default()
}

fn without_port(host: &[u8]) -> &[u8] {
    let digits = host.iter().rev().take_while(|it| it.is_ascii_digit()).count();
    let (name, port) = host.split_at(host.len() - digits);
    match name.strip_suffix(b":") {
        Some(name) if !port.is_empty() => name,
        _ => host,
    }
}

/// At most `limit` bytes of `bytes` as text.
fn text(bytes: &[u8], limit: usize) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    text.truncate(text.floor_char_boundary(limit));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(user_agent: &str, host: &str) -> Parts {
        let request = Request::get("/").header(USER_AGENT, user_agent).header(HOST, host);
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn tells_each_request_from_where_it_came() {
        let tls = Agreed { version: "TLSv1.3", suite: "TLS_AES_128_GCM_SHA256".to_owned() };
        let peer = Peer::tcp("[::ffff:10.1.2.3]:4711".parse().expect("address"), Some(tls));
        let first = peer.source(&parts("Boto3/1.44", "localhost:4748"));
        assert_eq!(first.address, "10.1.2.3");
        assert_eq!(first.user_agent, "Boto3/1.44");
        let details = first.tls.as_ref().expect("over TLS");
        assert_eq!(details.client_provided_host_header, "localhost");
        assert!(Arc::ptr_eq(&first, &peer.source(&parts("Boto3/1.44", "localhost:4748"))));
        let elsewhere = peer.source(&parts("Boto3/1.44", "127.0.0.1:4748"));
        let details = elsewhere.tls.as_ref().expect("over TLS");
        assert_eq!(details.client_provided_host_header, "127.0.0.1");
        let long = peer.source(&parts(&"é".repeat(600), "localhost:4748"));
        assert_eq!(long.user_agent, "é".repeat(512));
    }

    #[test]
    fn only_ports_are_cut() {
        for (host, expected) in [
            ("localhost:4748", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("host:", "host:"),
            ("", ""),
            ("123", "123"),
        ] {
            assert_eq!(without_port(host.as_bytes()), expected.as_bytes(), "{host}");
        }
    }
}
