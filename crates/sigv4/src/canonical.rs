//! The canonical request: the one spelling of a request that both sides hash.
//!
//! Source: IAM User Guide, "Create a signed AWS API request", step 1.

use crate::hex;
use crate::parameter::{self, Parameter};
use crate::rejection::Rejection;
use crate::request::Request;
use std::borrow::Cow;

/// What a canonical request is made of, besides the request.
#[derive(Clone, Copy)]
pub(crate) struct Canonical<'a> {
    pub(crate) request: &'a Request<'a>,
    /// Made by [`path`].
    pub(crate) path: &'a str,
    pub(crate) parameters: &'a [Parameter<'a>],
    /// Lower-case names, sorted, joined by `;`.
    pub(crate) signed_headers: &'a str,
    pub(crate) host: Host,
}

/// How the `host` header goes into the canonical request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    AsReceived,
    /// Without `:80` or `:443`, which most clients leave out of what they sign.
    WithoutDefaultPort,
}

impl Canonical<'_> {
    /// Appends the canonical request to `out`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for line in [self.request.method.as_bytes(), self.path.as_bytes()] {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        parameter::write_canonical(self.parameters, out);
        out.push(b'\n');
        for name in self.signed_headers.split(';') {
            self.write_header(name, out);
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(&hex::encode(&self.request.body_hash));
    }

    /// Appends one line; a header that did not arrive has an empty value.
    fn write_header(&self, name: &str, out: &mut Vec<u8>) {
        let is_host = name == "host" || name == ":authority";
        let looked_up = if is_host { "host" } else { name };
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        for (place, value) in self.request.values(looked_up).enumerate() {
            if place > 0 {
                out.push(b',');
            }
            match self.host {
                Host::WithoutDefaultPort if is_host => write_value(without_port(value), out),
                _ => write_value(value, out),
            }
        }
        out.push(b'\n');
    }
}

/// Whether [`Host::WithoutDefaultPort`] would change anything.
pub(crate) fn has_default_port(request: &Request<'_>) -> bool {
    request.values("host").any(|it| without_port(it).len() < it.len())
}

fn without_port(host: &[u8]) -> &[u8] {
    host.strip_suffix(b":80").or_else(|| host.strip_suffix(b":443")).unwrap_or(host)
}

/// Appends `value` without blanks at its ends and with runs of spaces inside made one.
///
/// Quotes protect nothing, and a tab inside stays: signers disagree about it.
fn write_value(value: &[u8], out: &mut Vec<u8>) {
    let value = value.trim_ascii();
    if !value.contains(&b' ') {
        out.extend_from_slice(value);
        return;
    }
    let words = value.split(|it| *it == b' ').filter(|it| !it.is_empty());
    for (place, word) in words.enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

/// The canonical form of the path `raw`.
///
/// Dot segments and repeated slashes go; what is left is percent-encoded once more, so that an
/// escape that arrived as `%20` is signed as `%2520`. A dot segment at the end leaves a slash, as
/// RFC 3986 has it; signers disagree about that one.
///
/// # Errors
///
/// [`Rejection::Path`] if `raw` is not absolute, climbs above the root or holds a broken escape.
pub(crate) fn path(raw: &str) -> Result<Cow<'static, str>, Rejection> {
    if raw.is_empty() || raw == "/" {
        return Ok(Cow::Borrowed("/"));
    }
    let relative = raw.strip_prefix('/').ok_or(Rejection::Path)?;
    check_escapes(raw.as_bytes())?;

    let mut segments = Vec::new();
    for segment in relative.split('/') {
        match segment {
            "" | "." => (),
            ".." => drop(segments.pop().ok_or(Rejection::Path)?),
            name => segments.push(name),
        }
    }
    let is_folder = matches!(relative.rsplit('/').next(), Some("" | "." | ".."));
    Ok(Cow::Owned(join(&segments, is_folder)))
}

fn check_escapes(path: &[u8]) -> Result<(), Rejection> {
    let mut after_percent = path.split(|it| *it == b'%').skip(1);
    if after_percent.all(|it| parameter::escape(it).is_ok()) {
        Ok(())
    } else {
        Err(Rejection::Path)
    }
}

fn join(segments: &[&str], is_folder: bool) -> String {
    let mut out = Vec::new();
    for segment in segments {
        out.push(b'/');
        segment.bytes().for_each(|byte| parameter::push_encoded(byte, &mut out));
    }
    if is_folder || segments.is_empty() {
        out.push(b'/');
    }
    // Encoding leaves nothing but ASCII.
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::body_hash;

    #[test]
    fn paths_lose_their_detours() {
        for (raw, expected) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/./", "/"),
            ("/a/..", "/"),
            ("/a/b/../..", "/"),
            ("/a/b/..", "/a/"),
            ("//a//b//", "/a/b/"),
            ("/a/./b", "/a/b"),
            ("/a/...", "/a/..."),
            ("/a b", "/a%20b"),
            ("/a%20b", "/a%2520b"),
            ("/%2e%2e/a", "/%252e%252e/a"),
            ("/a:@b", "/a%3A%40b"),
            ("/\u{1234}", "/%E1%88%B4"),
        ] {
            assert_eq!(path(raw).as_deref(), Ok(expected), "{raw}");
        }
    }

    #[test]
    fn paths_that_are_none() {
        for raw in ["*", "a", "http://a/", "/..", "/a/../..", "/%", "/%4", "/%zz", "/%2/1", "/a/%"]
        {
            assert_eq!(path(raw), Err(Rejection::Path), "{raw}");
        }
    }

    #[test]
    fn values_lose_their_extra_blanks() {
        for (value, expected) in [
            ("", ""),
            ("  ", ""),
            (" a ", "a"),
            ("a   b  c", "a b c"),
            ("\"a   b\"", "\"a b\""),
            ("a \t  b", "a \t b"),
            ("\ta\t", "a"),
        ] {
            let mut out = Vec::new();
            write_value(value.as_bytes(), &mut out);
            assert_eq!(out, expected.as_bytes(), "{value:?}");
        }
    }

    #[test]
    fn the_whole_of_it() {
        let headers: [(&str, &[u8]); 4] =
            [("x-b", b"2 "), ("host", b"h:443"), ("x-b", b" 1"), ("unsigned", b"u")];
        let request = Request {
            method: "POST",
            path: "/",
            query: "",
            headers: &headers,
            body_hash: body_hash(b""),
        };
        let canonical = Canonical {
            request: &request,
            path: "/",
            parameters: &[],
            signed_headers: "host;x-a;x-b",
            host: Host::AsReceived,
        };
        let written = |canonical: Canonical<'_>| {
            let mut out = Vec::new();
            canonical.write(&mut out);
            String::from_utf8(out).expect("ASCII")
        };
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let expected = format!("POST\n/\n\nhost:h:443\nx-a:\nx-b:2,1\n\nhost;x-a;x-b\n{hash}");
        assert_eq!(written(canonical), expected);

        assert!(has_default_port(&request));
        let stripped = Canonical { host: Host::WithoutDefaultPort, ..canonical };
        assert_eq!(written(stripped), expected.replace("h:443", "h"));
    }
}
