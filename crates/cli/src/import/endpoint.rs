//! Where the API is, and connections to it, with or without TLS.

use anyhow::{Context, Result, bail};
use hyper::Uri;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A server's address.
pub(crate) struct Endpoint {
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// The `Host` header.
    pub(crate) authority: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// A connection's bytes.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Endpoint {
    /// Reads `url`. With https, `authorities` is a PEM file of those to trust; the system's are
    /// trusted without it.
    pub(crate) fn new(url: &str, authorities: Option<&Path>) -> Result<Self> {
        if url.contains('@') {
            // Not told back: a password may be in it.
            bail!("an endpoint has no user and no password\nhint: keys come from the environment");
        }
        let (host, port, authority) = parts(url).with_context(|| {
            format!("`{url}` is no endpoint\nhint: `https://HOST:PORT` or `http://HOST:PORT`")
        })?;
        let tls = if url.starts_with("https") {
            let name = ServerName::try_from(host.clone()).context("no name for TLS")?;
            Some((connector(authorities)?, name))
        } else {
            None
        };
        Ok(Self { host, port, authority, tls })
    }

    /// Whether what is sent can be read on the way.
    pub(crate) fn is_open_to_all(&self) -> bool {
        let loopback =
            self.host.parse().map_or(self.host == "localhost", |it: IpAddr| it.is_loopback());
        self.tls.is_none() && !loopback
    }

    /// Connects.
    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            Some((connector, name)) => Box::new(connector.connect(name.clone(), stream).await?),
            None => Box::new(stream),
        })
    }
}

/// Host, port and authority of `url`.
fn parts(url: &str) -> Option<(String, u16, String)> {
    let uri: Uri = url.parse().ok()?;
    let port = match uri.scheme_str()? {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let authority = uri.authority()?;
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return None;
    }
    let host = authority.host();
    let host = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
    Some((host.to_owned(), authority.port_u16().unwrap_or(port), authority.as_str().to_owned()))
}

fn connector(authorities: Option<&Path>) -> Result<TlsConnector> {
    let file = match authorities {
        Some(file) => file,
        None => SYSTEM.iter().map(Path::new).find(|it| it.exists()).context(
            "this system's certificate authorities aren't found\nhint: name some with --ca-file",
        )?,
    };
    let shown = file.display();
    let mut roots = RootCertStore::empty();
    let found =
        CertificateDer::pem_file_iter(file).with_context(|| format!("can't read `{shown}`"))?;
    for certificate in found {
        let certificate = certificate.with_context(|| format!("can't read `{shown}`"))?;
        let added = roots.add(certificate);
        // Systems have some that no library takes; a file that was named is meant as it is.
        if authorities.is_some() {
            added.with_context(|| format!("`{shown}` has a certificate that can't be used"))?;
        }
    }
    if roots.is_empty() {
        bail!("no certificate is in `{shown}`");
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Where systems keep the authorities they trust: Debian and Alpine, Red Hat, SUSE, BSD and macOS.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_taken_apart() {
        #[rustfmt::skip]
        let cases = [
            ("http://127.0.0.1:4747",    Some(("127.0.0.1", 4747, "127.0.0.1:4747"))),
            ("https://localhost:4748/",  Some(("localhost", 4748, "localhost:4748"))),
            ("https://sm.example.com",   Some(("sm.example.com", 443, "sm.example.com"))),
            ("http://[::1]:80",          Some(("::1", 80, "[::1]:80"))),
            ("localhost:4747",           None),
            ("ftp://localhost",          None),
            ("http://a/path",            None),
            ("http://a/?query",          None),
            ("",                         None),
        ];
        for (url, expected) in cases {
            let expected = expected.map(|(host, port, it)| (host.to_owned(), port, it.to_owned()));
            assert_eq!(parts(url), expected, "{url}");
        }
    }

    #[test]
    fn plain_http_is_private_only_at_home() {
        for (url, expected) in [
            ("http://127.0.0.1:1", false),
            ("http://[::1]:1", false),
            ("http://localhost:1", false),
            ("http://10.0.0.1:1", true),
            ("http://sm.example.com", true),
        ] {
            assert_eq!(Endpoint::new(url, None).unwrap().is_open_to_all(), expected, "{url}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        for content in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&file, content).unwrap();
            assert!(Endpoint::new("https://localhost", Some(&file)).is_err(), "{content}");
        }
        assert!(Endpoint::new("https://localhost", Some(&folder.path().join("none"))).is_err());
    }
}
