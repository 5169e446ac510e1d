//! Where to listen.

use serde::{Deserialize, Deserializer};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// One place where AWS clients are answered.
///
/// Written `ADDRESS:PORT` (plain on loopback, TLS elsewhere), `tls:ADDRESS:PORT` or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Plain HTTP. On loopback only.
    Plain(SocketAddr),
    /// TLS.
    Tls(SocketAddr),
    /// Plain HTTP over a unix socket.
    Unix(PathBuf),
}

impl Listen {
    /// The TCP address, if it is one.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Plain(address) | Self::Tls(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let socket = |it: &str| {
            it.parse::<SocketAddr>().map_err(|_| {
                let expected = "ADDRESS:PORT, tls:ADDRESS:PORT or unix:PATH";
                format!("`{text}` is no address to listen at: expected {expected}")
            })
        };
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err("`unix:` lacks the path of a socket".to_owned()),
                path => Ok(Self::Unix(path.into())),
            };
        }
        if let Some(address) = text.strip_prefix("tls:") {
            return socket(address).map(Self::Tls);
        }
        let address = socket(text)?;
        // No plain HTTP off loopback, whatever the file says.
        Ok(if address.ip().is_loopback() { Self::Plain(address) } else { Self::Tls(address) })
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(address) => write!(out, "{address}"),
            Self::Tls(address) => write!(out, "tls:{address}"),
            Self::Unix(path) => write!(out, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_loopback_is_tls() {
        for (text, expected) in [
            ("127.0.0.1:4747", Some("127.0.0.1:4747")),
            ("127.8.9.1:1", Some("127.8.9.1:1")),
            ("[::1]:4747", Some("[::1]:4747")),
            ("0.0.0.0:443", Some("tls:0.0.0.0:443")),
            ("[::]:443", Some("tls:[::]:443")),
            ("10.0.0.1:80", Some("tls:10.0.0.1:80")),
            ("tls:127.0.0.1:4748", Some("tls:127.0.0.1:4748")),
            ("unix:/run/a.sock", Some("unix:/run/a.sock")),
            ("unix:", None),
            ("localhost:4747", None),
            ("4747", None),
            ("tls:", None),
            ("", None),
        ] {
            let listen = text.parse::<Listen>().ok().map(|it| it.to_string());
            assert_eq!(listen.as_deref(), expected, "{text}");
        }
    }
}
