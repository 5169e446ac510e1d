//! Access keys that signed lately: who they are, and what their signatures are checked with.
//!
//! A long-term key's was made from one row of the store and is found only while the store still holds
//! exactly that row, which is read for each request. So a key that was made inactive finds nothing,
//! and no secret has to be opened again for one that was not. A session's was made from its token, and
//! is found only with exactly that.

use arc_swap::ArcSwapOption;
use base::{Region, Timestamp};
use identity::session::Claims;
use identity::{Generation, KeyRow};
use service::{Access, Caller};
use sigv4::{Scoped, SigningKey};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// A signing key, what it is good for, and whose it is.
pub(crate) struct ScopedKey {
    pub(crate) key: SigningKey,
    pub(crate) region: Region,
    pub(crate) caller: Arc<Caller>,
    /// What its token says, if it is a session's.
    pub(crate) claims: Option<Claims>,
    /// What the caller may do, as it was in one generation of its account.
    access: ArcSwapOption<(Generation, Arc<Access>)>,
    date: Box<str>,
    service: Box<str>,
    used: AtomicU64,
    /// The period in which its use was last noted.
    noted: AtomicI64,
}

/// A bounded set of signing keys, wiped when dropped.
pub(crate) struct SigningKeys {
    shards: [RwLock<Shard>; SHARDS],
    ticks: AtomicU64,
}

/// By access key id.
type Shard = BTreeMap<Box<str>, Known>;

/// What a key was made from: the same again gives the same key.
#[derive(Clone)]
pub(crate) enum Origin {
    /// The row of an access key.
    Row(Arc<KeyRow>),
    /// The token of a session.
    Token(Arc<str>),
}

/// Where an access key comes from, and the scopes it signed for.
struct Known {
    origin: Origin,
    scopes: Vec<Arc<ScopedKey>>,
}

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

    /// The key for the scope that was signed for, if it was derived from exactly this `origin`.
    pub(crate) fn find(&self, origin: &Origin, scoped: &Scoped<'_>) -> Option<Arc<ScopedKey>> {
        let id = scoped.access_key_id();
        let shard = self.shard(id)?.read().unwrap_or_else(PoisonError::into_inner);
        let known = shard.get(id).filter(|it| it.origin == *origin)?;
        let found = known.scopes.iter().find(|it| it.fits(scoped))?;
        found.used.store(self.tick(), Ordering::Relaxed);
        Some(Arc::clone(found))
    }

    /// Remembers `fresh`, derived from `origin`.
    pub(crate) fn keep(&self, origin: Origin, fresh: &Arc<ScopedKey>) {
        let id = &*fresh.caller.access_key_id;
        let Some(shard) = self.shard(id) else { return };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if KEYS_PER_SHARD <= shard.len() && !shard.contains_key(id) {
            let eldest = shard.iter().min_by_key(|it| it.1.last_used()).map(|it| it.0.clone());
            eldest.and_then(|it| shard.remove(&it));
        }
        let empty = || Known { origin: origin.clone(), scopes: Vec::new() };
        let known = shard.entry(id.into()).or_insert_with(empty);
        if known.origin != origin {
            *known = Known { origin, scopes: Vec::new() };
        }
        if SCOPES_PER_KEY <= known.scopes.len() {
            let eldest = known.scopes.iter().enumerate().min_by_key(|it| it.1.last_used());
            eldest.map(|it| it.0).map(|place| known.scopes.swap_remove(place));
        }
        fresh.used.store(self.tick(), Ordering::Relaxed);
        // Others may have derived it at the same time.
        known.scopes.retain(|it| !it.is_for(fresh));
        known.scopes.push(Arc::clone(fresh));
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

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            // Mostly told without comparing the bytes.
            (Self::Row(one), Self::Row(other)) => Arc::ptr_eq(one, other) || one == other,
            (Self::Token(one), Self::Token(other)) => one == other,
            _ => false,
        }
    }
}

impl Known {
    fn last_used(&self) -> Option<u64> {
        self.scopes.iter().map(|it| it.last_used()).max()
    }
}

impl ScopedKey {
    pub(crate) fn new(
        (key, region): (SigningKey, Region),
        caller: Caller,
        claims: Option<Claims>,
        scoped: &Scoped<'_>,
    ) -> Self {
        let (date, service) = (scoped.date().into(), scoped.service().into());
        let (caller, used) = (Arc::new(caller), AtomicU64::new(0));
        let access = ArcSwapOption::empty();
        let noted = AtomicI64::new(i64::MIN);
        Self { key, region, caller, claims, access, date, service, used, noted }
    }

    /// When it is good for nothing any more, if ever.
    pub(crate) fn ends(&self) -> Option<Timestamp> {
        self.claims.as_ref().map(|it| it.expires)
    }

    /// What the caller may do, if it was gathered in `generation`.
    pub(crate) fn access(&self, generation: &Generation) -> Option<Arc<Access>> {
        let known = self.access.load();
        known.as_ref().filter(|it| it.0 == *generation).map(|it| Arc::clone(&it.1))
    }

    /// Remembers what the caller may do in `generation`.
    pub(crate) fn keep_access(&self, generation: Generation, access: &Arc<Access>) {
        self.access.store(Some(Arc::new((generation, Arc::clone(access)))));
    }

    /// The service that it signs for.
    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// Whether it is used for the first time in `period`, as far as is known.
    pub(crate) fn is_first_in(&self, period: i64) -> bool {
        let noted = &self.noted;
        noted.load(Ordering::Relaxed) != period && noted.swap(period, Ordering::Relaxed) != period
    }

    fn is_for(&self, other: &Self) -> bool {
        self.date == other.date && self.region == other.region && self.service == other.service
    }

    fn fits(&self, scoped: &Scoped<'_>) -> bool {
        *self.date == *scoped.date()
            && self.region.as_str() == scoped.region()
            && *self.service == *scoped.service()
    }

    fn last_used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}
