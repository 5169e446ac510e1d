//! How many connections each peer address has.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The connections of all peers over TCP, counted by address.
#[derive(Debug)]
pub(crate) struct Places {
    most: u32,
    /// Whether an address is held to it.
    counts: fn(IpAddr) -> bool,
    taken: Mutex<BTreeMap<IpAddr, u32>>,
}

/// The place of one connection. Dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Place {
    /// What counts it, unless the address is not held to anything.
    counted: Option<(Arc<Places>, IpAddr)>,
}

impl Places {
    /// Places for `most` connections from each address, and any number from loopback: there are the
    /// proxies, and who runs processes on this machine has other ways to exhaust it.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, counts: |it| !it.is_loopback(), taken: Mutex::default() }
    }

    /// The same, with loopback held to it too.
    #[cfg(test)]
    pub(crate) fn for_all(most: u32) -> Self {
        Self { counts: |_| true, ..Self::new(most) }
    }

    /// A place for a connection from `address`; `None` if it has all of its own.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        if !(self.counts)(address) {
            return Some(Place::uncounted());
        }
        let address = network(address);
        let mut taken = self.taken();
        let count = taken.entry(address).or_default();
        // Never zero, so that an entry that was just made is not left behind.
        if self.most.max(1) <= *count {
            return None;
        }
        *count += 1;
        Some(Place { counted: Some((Arc::clone(self), address)) })
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, BTreeMap<IpAddr, u32>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// For a connection that has no address, or none that counts.
    pub(crate) const fn uncounted() -> Self {
        Self { counted: None }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, address)) = &self.counted else { return };
        let mut taken = places.taken();
        match taken.get_mut(address) {
            Some(count) if 1 < *count => *count -= 1,
            _ => drop(taken.remove(address)),
        }
    }
}

/// What one peer can choose freely: nothing of an IPv4 address, the second half of an IPv6 one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(it) => IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_and_loopback_any_number() {
        #[rustfmt::skip]
        let cases = [
            // held         asks                     gets
            ("192.0.2.1",   "192.0.2.1",             false),
            ("192.0.2.1",   "::ffff:192.0.2.1",      false),
            ("192.0.2.1",   "192.0.2.2",             true),
            ("2001:db8::1", "2001:db8::ffff:0:0:2",  false), // the same /64
            ("2001:db8::1", "2001:db8:0:1::1",       true),
            ("127.0.0.1",   "127.0.0.1",             true),
            ("::1",         "::1",                   true),
            ("127.0.0.1",   "::ffff:127.0.0.1",      true),
        ];
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        for (held, asks, gets) in cases {
            let places = Arc::new(Places::new(2));
            let taken = [places.take(address(held)), places.take(address(held))];
            assert!(taken.iter().all(Option::is_some), "{held}");
            assert_eq!(places.take(address(asks)).is_some(), gets, "{held}, {asks}");
            drop(taken);
            assert!(places.take(address(asks)).is_some(), "{held}, {asks}: free again");
            assert!(places.taken().is_empty(), "{held}, {asks}: nothing is remembered");
        }
    }
}
