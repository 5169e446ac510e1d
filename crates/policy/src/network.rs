//! Ranges of addresses.

use std::net::IpAddr;

/// A range of addresses: an address and how many of its leading bits count.
///
/// IPv6 addresses that stand for IPv4 ones (`::ffff:203.0.113.9`) are held as IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    pub(crate) address: IpAddr,
    /// 0 is every address of the family.
    pub(crate) prefix: u8,
}

impl Cidr {
    /// Reads `203.0.113.0/24`, `2001:db8::/32`, or an address alone, which is a range of one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) if prefix.bytes().all(|it| it.is_ascii_digit()) => prefix.parse().ok()?,
            Some(_) => return None,
            None => widest,
        };
        (prefix <= widest).then(|| Self { address, prefix }.unmapped())
    }

    /// Whether all of `other` lies in this range. An IPv4 range holds no IPv6 address.
    pub(crate) fn contains(self, other: Self) -> bool {
        let same = match (self.address, other.address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32_u32.saturating_sub(self.prefix.into());
                (own.to_bits() ^ other.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128_u32.saturating_sub(self.prefix.into());
                (own.to_bits() ^ other.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        };
        same && self.prefix <= other.prefix
    }

    fn unmapped(self) -> Self {
        let address = self.address.to_canonical();
        match self.prefix.checked_sub(96) {
            Some(prefix) if address != self.address => Self { address, prefix },
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_range() {
        for (range, address, expected) in [
            ("203.0.113.0/24", "203.0.113.9", true),
            ("203.0.113.77/24", "203.0.113.9", true),
            ("203.0.113.0/24", "203.0.114.9", false),
            ("203.0.113.9", "203.0.113.9", true),
            ("203.0.113.9", "203.0.113.8", false),
            ("0.0.0.0/0", "198.51.100.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "198.51.100.1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("203.0.113.0/24", "::ffff:203.0.113.9", true),
            ("203.0.113.0/24", "203.0.0.0/16", false),
        ] {
            let parse = |it| Cidr::parse(it).expect(it);
            assert_eq!(parse(range).contains(parse(address)), expected, "{range} {address}");
        }
    }

    #[test]
    fn reads_ranges() {
        for (text, expected) in [
            ("203.0.113.0/24", Some(("203.0.113.0", 24))),
            ("203.0.113.9", Some(("203.0.113.9", 32))),
            ("0.0.0.0/0", Some(("0.0.0.0", 0))),
            ("2001:db8::/32", Some(("2001:db8::", 32))),
            ("::1", Some(("::1", 128))),
            ("::ffff:203.0.113.0/120", Some(("203.0.113.0", 24))),
            ("::ffff:0:0/96", Some(("0.0.0.0", 0))),
            ("::ffff:0:0/95", Some(("::ffff:0:0", 95))),
            ("", None),
            ("/8", None),
            ("203.0.113.0/", None),
            ("203.0.113.0/33", None),
            ("203.0.113.0/+8", None),
            ("203.0.113.0/24/24", None),
            ("2001:db8::/129", None),
            ("2001:db8::/256", None),
            ("203.0.113", None),
            ("203.0.113.*", None),
            ("203.0.113.0 /24", None),
        ] {
            let expected = expected
                .map(|(address, prefix)| Cidr { address: address.parse().expect(text), prefix });
            assert_eq!(Cidr::parse(text), expected, "{text}");
        }
    }
}
