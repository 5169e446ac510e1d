//! Unwrapped keys, kept for the next request.

use crate::{Aad, Key};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// A bounded set of unwrapped keys, found by what they were wrapped as.
///
/// A key is found only by the exact bytes, and the exact binding, that it was unwrapped from: a
/// changed or moved row finds nothing and has to prove itself again. The least recently used go
/// first. Keys are wiped when the last user drops them.
pub(crate) struct Cache {
    capacity: usize,
    ticks: AtomicU64,
    keys: RwLock<BTreeMap<Name, Entry>>,
}

/// A wrapped key and its binding: the length of the first, and the bytes of both.
pub(crate) type Name = Vec<u8>;

struct Entry {
    key: Arc<Key>,
    used: AtomicU64,
}

impl Cache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, ticks: AtomicU64::new(0), keys: RwLock::default() }
    }

    /// The name of the key wrapped as `blob` and bound to `aad`.
    pub(crate) fn name(aad: &Aad, blob: &[u8]) -> Name {
        [&(blob.len() as u64).to_be_bytes(), blob, aad.as_bytes()].concat()
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<Arc<Key>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let entry = keys.get(name)?;
        entry.used.store(self.tick(), Ordering::Relaxed);
        Some(Arc::clone(&entry.key))
    }

    pub(crate) fn keep(&self, name: Name, key: Key) -> Arc<Key> {
        let key = Arc::new(key);
        let entry = Entry { key: Arc::clone(&key), used: AtomicU64::new(self.tick()) };
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if self.capacity <= keys.len() && !keys.contains_key(&name) {
            drop_eldest(&mut keys);
        }
        if self.capacity > 0 {
            keys.insert(name, entry);
        }
        key
    }

    pub(crate) fn clear(&self) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }
}

/// Drops the eighth that was used least recently, at least one: a full cache pays rarely for room.
fn drop_eldest(keys: &mut BTreeMap<Name, Entry>) {
    let mut uses: Vec<u64> = keys.values().map(|it| it.used.load(Ordering::Relaxed)).collect();
    uses.sort_unstable();
    if let Some(last) = uses.get(uses.len() / 8) {
        keys.retain(|_, it| last < it.used.get_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;

    fn key(byte: u8) -> Key {
        Key::fill_with(|it| it.fill(byte))
    }

    #[test]
    fn stays_bounded_and_keeps_what_is_used() {
        let cache = Cache::new(8);
        for byte in 0..100 {
            cache.keep(vec![byte; 32], key(byte));
            assert!(cache.len() <= 8);
            assert!(cache.find(&[0; 32]).is_some(), "used at every step");
        }
        assert_eq!(cache.find(&[99; 32]).expect("newest").expose(), &[99; 32]);
        assert!(cache.find(&[1; 32]).is_none(), "eldest");
        cache.clear();
        assert_eq!(cache.len(), 0);
    }

    #[test]
    fn no_capacity_keeps_nothing() {
        let cache = Cache::new(0);
        assert_eq!(cache.keep(vec![1; 32], key(1)).expose(), &[1; 32]);
        assert_eq!(cache.len(), 0);
    }

    #[test]
    fn name_tells_blob_and_binding_apart() {
        let aad = |field: &str| Aad::new(Label::Kek).field(field);
        let names = [
            Cache::name(&aad("a"), b"blob"),
            Cache::name(&aad("b"), b"blob"),
            Cache::name(&aad("a"), b"blo"),
        ];
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2]);
    }
}
