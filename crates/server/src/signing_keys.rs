//! Signing keys that were derived lately: what a signature is checked with, in place of secrets.
//!
//! A key is found only for the generation of the access key that the store holds now, so one that
//! was made anew, or came back with a backup, finds nothing. Whether it is active is not known
//! here: the row is read for each request.

use base::Region;
use identity::AccessKey;
use sigv4::{Scoped, SigningKey};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// A signing key and what it is good for.
pub(crate) struct ScopedKey {
    pub(crate) key: SigningKey,
    pub(crate) region: Region,
    date: Box<str>,
    service: Box<str>,
    generation: [u8; 16],
    used: AtomicU64,
}

/// A bounded set of signing keys, wiped when dropped.
pub(crate) struct SigningKeys {
    shards: [RwLock<Shard>; SHARDS],
    ticks: AtomicU64,
}

/// By access key id.
type Shard = BTreeMap<Box<str>, Vec<Arc<ScopedKey>>>;

const SHARDS: usize = 16;
/// Access keys remembered in each shard.
const KEYS_PER_SHARD: usize = 256;
/// Scopes remembered for one access key: its Regions and services, and two days around midnight.
const SCOPES_PER_KEY: usize = 32;

impl SigningKeys {
    pub(crate) fn new() -> Self {
        let shards = std::array::from_fn(|_| RwLock::default());
        Self { shards, ticks: AtomicU64::new(0) }
    }

    /// The key of `access_key` for the scope that was signed for, if it was derived lately.
    pub(crate) fn find(
        &self,
        access_key: &AccessKey,
        scoped: &Scoped<'_>,
    ) -> Option<Arc<ScopedKey>> {
        let shard = self.shard(&access_key.id)?.read().unwrap_or_else(PoisonError::into_inner);
        let generation = access_key.generation();
        let scopes = shard.get(&*access_key.id)?;
        let found = scopes.iter().find(|it| it.fits(&generation, scoped))?;
        found.used.store(self.tick(), Ordering::Relaxed);
        Some(Arc::clone(found))
    }

    /// Remembers `key`, derived for `access_key` and the scope that was signed for.
    pub(crate) fn keep(&self, access_key: &AccessKey, fresh: &Arc<ScopedKey>) {
        let Some(shard) = self.shard(&access_key.id) else { return };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if KEYS_PER_SHARD <= shard.len() && !shard.contains_key(&*access_key.id) {
            let last_used =
                |scopes: &Vec<Arc<ScopedKey>>| scopes.iter().map(|it| it.last_used()).max();
            let eldest = shard.iter().min_by_key(|it| last_used(it.1)).map(|it| it.0.clone());
            eldest.and_then(|it| shard.remove(&it));
        }
        let scopes = shard.entry(access_key.id.as_str().into()).or_default();
        scopes.retain(|it| it.generation == fresh.generation);
        if SCOPES_PER_KEY <= scopes.len() {
            let eldest = scopes.iter().enumerate().min_by_key(|it| it.1.last_used());
            eldest.map(|it| it.0).map(|place| scopes.swap_remove(place));
        }
        fresh.used.store(self.tick(), Ordering::Relaxed);
        scopes.push(Arc::clone(fresh));
    }

    fn shard(&self, id: &str) -> Option<&RwLock<Shard>> {
        // The tail of an access key id is drawn by chance.
        let last = id.bytes().last().unwrap_or_default();
        self.shards.get(usize::from(last) % SHARDS)
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }
}

impl ScopedKey {
    pub(crate) fn new(
        key: SigningKey,
        region: Region,
        generation: [u8; 16],
        scoped: &Scoped<'_>,
    ) -> Self {
        let (date, service) = (scoped.date().into(), scoped.service().into());
        Self { key, region, date, service, generation, used: AtomicU64::new(0) }
    }

    fn fits(&self, generation: &[u8; 16], scoped: &Scoped<'_>) -> bool {
        *self.date == *scoped.date()
            && self.region.as_str() == scoped.region()
            && *self.service == *scoped.service()
            && self.generation == *generation
    }

    fn last_used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}
