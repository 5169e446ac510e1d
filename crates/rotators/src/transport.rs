//! How a server is reached: in time, and protected as its secret asks. Source: rotation.md §5.7.

use crate::{Credential, Failure, Trust};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a login may take, from the first packet to the server's word that it is one.
pub(crate) const LOGIN: Duration = Duration::from_secs(5);

/// How long an answer to a statement may take.
pub(crate) const STATEMENT: Duration = Duration::from_secs(10);

/// What a secret's `ssl` and `host` make of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Never.
    Nothing,
    /// If the server offers it; then it must be believed as anywhere.
    WhatIsOffered,
    /// Or no login.
    Tls,
}

/// What `login` makes of TLS.
pub(crate) fn need(login: &Credential) -> Need {
    match login.tls {
        Some(false) => Need::Nothing,
        None if is_loopback(&login.host) => Need::WhatIsOffered,
        Some(true) | None => Need::Tls,
    }
}

/// Whether `host` can't be on another machine, whatever a name server says.
fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    address.map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |it| it.is_loopback())
}

/// A connection to `host`.
pub(crate) async fn dial(host: &str, port: u16) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect((host, port)).await;
    let told = |error| Failure::Unreachable(format!("can't reach `{host}:{port}`: {error}"));
    let stream = stream.map_err(told)?;
    // What fails here only makes it slower.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Whom a server at `host` must prove to be, and to whose satisfaction.
pub(crate) fn proof(
    host: &str,
    trust: &Trust,
) -> Result<(Arc<ClientConfig>, ServerName<'static>), Failure> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| {
        Failure::Untrusted(format!("no certificate can be for `{host}`, so TLS can't be used"))
    })?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Failure::Untrusted(error.to_string()))?;
    let config = config.with_root_certificates(Arc::clone(trust.roots(host)));
    Ok((Arc::new(config.with_no_client_auth()), name))
}

/// What `error` says if it is about TLS.
pub(crate) fn untrusted(error: &(dyn Error + 'static)) -> Option<Failure> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An `io::Error` hides what it wraps from `source`.
        let inner = error.downcast_ref::<std::io::Error>().and_then(|it| it.get_ref());
        let inner = inner.and_then(|it| it.downcast_ref::<rustls::Error>());
        if let Some(error) = inner.or_else(|| error.downcast_ref()) {
            return Some(Failure::Untrusted(format!("the server's TLS isn't believed: {error}")));
        }
        next = error.source();
    }
    None
}

/// What `act` gives within `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    act: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let silence = || {
        let seconds = limit.as_secs();
        Err(Failure::Unreachable(format!("the server hasn't answered within {seconds} seconds")))
    };
    timeout(limit, act).await.unwrap_or_else(|_| silence())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Sensitive;

    #[test]
    fn only_the_loopback_goes_without_tls_unasked() {
        for (host, ssl, expected) in [
            ("localhost", "", Need::WhatIsOffered),
            ("LOCALHOST", "", Need::WhatIsOffered),
            ("127.8.9.1", "", Need::WhatIsOffered),
            ("::1", r#","ssl":"maybe""#, Need::WhatIsOffered),
            ("localhost", r#","ssl":true"#, Need::Tls),
            ("localhost", r#","ssl":"FALSE""#, Need::Nothing),
            ("localhost.example", "", Need::Tls),
            ("127.0.0.1.example", "", Need::Tls),
            ("127.1", "", Need::Tls),
            ("10.0.0.1", "", Need::Tls),
            ("db", r#","ssl":false"#, Need::Nothing),
        ] {
            let text =
                format!(r#"{{"engine":"e","host":"{host}","username":"u","password":"p"{ssl}}}"#);
            let login = Credential::parse(&Sensitive::from(text)).expect("a login");
            assert_eq!(need(&login), expected, "{host} {ssl}");
        }
    }
}
