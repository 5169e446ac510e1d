//! `[[listen]]`: an address or a socket, and what it offers.

use super::Kind;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// `[[listen]]`: where workloads ask.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// `ADDRESS:PORT` or `unix:/PATH`.
    pub at: At,
    /// What is offered there.
    pub offers: BTreeSet<Kind>,
    /// How many hops answers live. 1, as at EC2: what forwards packets can't carry them further.
    #[serde(default = "one")]
    pub hop_limit: u8,
}

/// An address or a unix socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// HTTP over TCP.
    Address(SocketAddr),
    /// HTTP over a unix socket, which everybody may open.
    Unix(PathBuf),
}

impl Listen {
    /// Everything a host's processes need, at `at`.
    pub fn all(at: At) -> Self {
        Self { at, offers: BTreeSet::from([Kind::Container, Kind::Imds]), hop_limit: one() }
    }
}

impl At {
    /// Whether only processes of this host get here.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Address(address) => is_local(address.ip()),
            Self::Unix(_) => true,
        }
    }
}

/// Loopback and link-local addresses, and the two of EC2 and EKS that are neither by their numbers.
pub(crate) fn is_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(it) => it.is_loopback() || it.is_link_local(),
        IpAddr::V6(it) => it.is_loopback() || it.is_unicast_link_local() || it == EC2 || it == EKS,
    }
}

/// `fd00:ec2::254`, the metadata service.
const EC2: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
/// `fd00:ec2::23`, EKS Pod Identity.
const EKS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23);

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return if path.is_absolute() {
                Ok(Self::Unix(path))
            } else {
                Err(format!("`{text}` has no absolute path"))
            };
        }
        text.parse().map(Self::Address).map_err(|_| {
            format!("`{text}` is neither an address with a port nor `unix:` and a path")
        })
    }
}

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(out, "{address}"),
            Self::Unix(path) => write!(out, "unix:{}", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

fn one() -> u8 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_link_local_stay_on_this_host() {
        #[rustfmt::skip]
        let cases = [
            ("127.0.0.1:80",             Some(true)),
            ("127.9.9.9:80",             Some(true)),
            ("[::1]:80",                 Some(true)),
            ("[::ffff:127.0.0.1]:80",    Some(true)),
            ("169.254.169.254:80",       Some(true)),
            ("169.254.170.2:80",         Some(true)),
            ("[fe80::1]:80",             Some(true)),
            ("[fd00:ec2::23]:80",        Some(true)),
            ("[fd00:ec2::254]:80",       Some(true)),
            ("[fd00:ec2::255]:80",       Some(false)),
            ("10.0.0.1:80",              Some(false)),
            ("0.0.0.0:80",               Some(false)),
            ("[::]:80",                  Some(false)),
            ("unix:/run/a",              Some(true)),
            ("unix:run/a",               None),
            ("localhost:80",             None),
            ("127.0.0.1",                None),
        ];
        for (text, expected) in cases {
            let at = text.parse::<At>().ok();
            assert_eq!(at.as_ref().map(At::is_local), expected, "{text}");
            assert!(at.is_none_or(|it| it.to_string() == text), "{text}");
        }
    }
}
