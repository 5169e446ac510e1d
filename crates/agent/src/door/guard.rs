//! What no request may be, whatever it asks for: not for somebody else, not on behalf of somebody else.
//!
//! A browser sends a name that its page came from, and an attacker's DNS can make that name this host;
//! an address can't be made so. A proxy asks for others with the rights of its own process.

use crate::config::is_local;
use http::header::{FORWARDED, HOST, HeaderMap, HeaderName, ORIGIN, VIA};
use http::uri::Authority;
use http::{StatusCode, Uri};
use std::net::{IpAddr, SocketAddr};

/// Why a request is refused before it is read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) StatusCode, pub(super) &'static str);

/// Checks that a request which came to `local` is meant for it. Unix sockets have no `local`, and no
/// name leads there.
pub(super) fn check(
    uri: &Uri,
    headers: &HeaderMap,
    local: Option<SocketAddr>,
) -> Result<(), Refused> {
    if uri.scheme().is_some() || uri.authority().is_some() {
        return Err(Refused(StatusCode::BAD_REQUEST, "this is no proxy"));
    }
    if FOREIGN.iter().any(|it| headers.contains_key(it)) || headers.contains_key(FORWARDED_FOR) {
        return Err(Refused(StatusCode::FORBIDDEN, "requests of proxies and browsers are refused"));
    }
    let mut hosts = headers.get_all(HOST).iter();
    let (host, None) = (hosts.next(), hosts.next()) else {
        return Err(Refused(StatusCode::BAD_REQUEST, "there is more than one Host header"));
    };
    let host = host.and_then(|it| it.to_str().ok()).unwrap_or_default();
    if local.is_none_or(|it| is_for(host, it.ip())) {
        return Ok(());
    }
    Err(Refused(StatusCode::FORBIDDEN, "the Host header is not an address of this host"))
}

/// Whether `host` says this host in a way that no DNS can: an address, or `localhost` where that is.
fn is_for(host: &str, local: IpAddr) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    // What is left is a port: no user, no rest that the parser lets pass.
    let port = host.strip_prefix(name).map(|it| it.strip_prefix(':').unwrap_or("80"));
    if port.is_none_or(|it| it.parse::<u16>().is_err()) {
        return false;
    }
    let literal = name.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(name);
    let (local, literal) = (local.to_canonical(), literal.parse::<IpAddr>());
    match literal {
        // Redirected from one of the well-known addresses by the host's packet filter, perhaps.
        Ok(address) => address.to_canonical() == local || is_local(address),
        Err(_) => local.is_loopback() && name.eq_ignore_ascii_case("localhost"),
    }
}

const FOREIGN: [HeaderName; 3] = [FORWARDED, ORIGIN, VIA];
const FORWARDED_FOR: &str = "x-forwarded-for";

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn only_addresses_say_this_host() {
        #[rustfmt::skip]
        let cases = [
            ("127.0.0.1",            "127.0.0.1",  true),
            ("127.0.0.1:4750",       "127.0.0.1",  true),
            ("localhost:4750",       "127.0.0.1",  true),
            ("LOCALHOST",            "::1",        true),
            ("[::1]:4750",           "::1",        true),
            ("[::ffff:127.0.0.1]:1", "127.0.0.1",  true),
            ("169.254.169.254",      "127.0.0.1",  true),
            ("10.0.0.5:80",          "10.0.0.5",   true),
            ("10.0.0.6:80",          "10.0.0.5",   false),
            ("localhost",            "10.0.0.5",   false),
            ("attacker.example",     "127.0.0.1",  false),
            ("127.0.0.1.nip.example", "127.0.0.1", false),
            ("localhost.example",    "127.0.0.1",  false),
            ("a@127.0.0.1",          "127.0.0.1",  false),
            ("2130706433",           "127.0.0.1",  false),
            ("0x7f.1",               "127.0.0.1",  false),
            ("127.0.0.1:x",          "127.0.0.1",  false),
            ("127.0.0.1:",           "127.0.0.1",  false),
            ("",                     "127.0.0.1",  false),
        ];
        for (host, local, expected) in cases {
            let local = local.parse().expect("an address");
            assert_eq!(is_for(host, local), expected, "{host} at {local}");
        }
    }

    type Headers = &'static [(&'static str, &'static str)];

    #[test]
    fn proxies_and_browsers_are_refused_whatever_they_ask_for() {
        let local: SocketAddr = "127.0.0.1:4750".parse().expect("an address");
        #[rustfmt::skip]
        let cases: &[(&str, Headers, u16)] = &[
            ("/credentials",                  &[("host", "127.0.0.1")],                               200),
            ("/credentials",                  &[],                                                    403),
            ("/credentials",                  &[("host", "127.0.0.1"), ("host", "127.0.0.1")],        400),
            ("/credentials",                  &[("host", "127.0.0.1"), ("origin", "http://a")],       403),
            ("/credentials",                  &[("host", "127.0.0.1"), ("x-forwarded-for", "a")],     403),
            ("/credentials",                  &[("host", "127.0.0.1"), ("forwarded", "for=a")],       403),
            ("/credentials",                  &[("host", "127.0.0.1"), ("via", "1.1 a")],             403),
            ("http://127.0.0.1/credentials",  &[("host", "127.0.0.1")],                               400),
            ("//attacker.example/",           &[("host", "127.0.0.1")],                               200), // a path
        ];
        for (uri, headers, expected) in cases {
            let request = headers
                .iter()
                .fold(Request::get(*uri), |it, (name, value)| it.header(*name, *value));
            let (parts, ()) = request.body(()).expect("a request").into_parts();
            let checked = check(&parts.uri, &parts.headers, Some(local));
            assert_eq!(
                checked.map_or_else(|it| it.0.as_u16(), |()| 200),
                *expected,
                "{uri} {headers:?}"
            );
        }
        let request = Request::get("/").header("host", "any.example").body(()).expect("a request");
        assert_eq!(check(request.uri(), request.headers(), None), Ok(()), "over a unix socket");
    }
}
