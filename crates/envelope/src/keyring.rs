//! What a request carries to reach keys.

use crate::cache::Cache;
use crate::{Aad, Key, OpenError, RootError, RootKey, message};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// The root keys at hand, and keys that were unwrapped lately.
///
/// Shared by all requests. Roots can be exchanged while requests run: each use sees either the
/// roots before or those after. Holds no lock while it computes. `Debug` shows the roots' ids.
pub struct Keyring {
    roots: RwLock<Arc<Roots>>,
    cache: Cache,
}

/// One root key, or two while everything moves from one to the other.
#[derive(Clone)]
pub struct Roots {
    /// Wraps what is new.
    pub active: Arc<dyn RootKey>,
    /// Opens what hasn't moved yet.
    pub other: Option<Arc<dyn RootKey>>,
}

impl Roots {
    /// The only root, with no migration under way.
    pub fn only(active: Arc<dyn RootKey>) -> Self {
        Self { active, other: None }
    }

    /// Two roots, the first of which wraps what is new.
    pub fn both(active: Arc<dyn RootKey>, other: Arc<dyn RootKey>) -> Self {
        Self { active, other: Some(other) }
    }

    /// The root called `id`.
    pub fn find(&self, id: &str) -> Option<&Arc<dyn RootKey>> {
        [Some(&self.active), self.other.as_ref()].into_iter().flatten().find(|it| it.id() == id)
    }
}

impl Keyring {
    /// How many unwrapped keys are remembered unless said otherwise: about 1 MB.
    pub const DEFAULT_CAPACITY: usize = 8192;

    /// A keyring with nothing unwrapped yet, which remembers [`Keyring::DEFAULT_CAPACITY`] keys.
    pub fn new(roots: Roots) -> Self {
        Self::with_capacity(roots, Self::DEFAULT_CAPACITY)
    }

    /// A keyring that remembers at most `capacity` unwrapped keys.
    pub fn with_capacity(roots: Roots, capacity: usize) -> Self {
        Self { roots: RwLock::new(Arc::new(roots)), cache: Cache::new(capacity) }
    }

    /// The roots of this moment.
    pub fn roots(&self) -> Arc<Roots> {
        Arc::clone(&self.roots.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Exchanges the roots for all requests to come. Keys already unwrapped stay known.
    pub fn replace_roots(&self, roots: Roots) {
        *self.roots.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(roots);
    }

    /// Forgets all unwrapped keys.
    pub fn forget(&self) {
        self.cache.clear();
    }

    /// The key that root `id` has wrapped as `blob`, from memory if it was unwrapped before.
    ///
    /// # Errors
    ///
    /// - [`RootError::Open`]: changed, moved or wrapped by another root.
    /// - [`RootError::Unavailable`]: the root's provider doesn't answer.
    /// - [`RootError::Unknown`]: root `id` is not at hand.
    pub fn unwrap_by_root(&self, id: &str, aad: &Aad, blob: &[u8]) -> Result<Arc<Key>, RootError> {
        let name = Cache::name(aad, blob);
        if let Some(key) = self.cache.find(&name) {
            return Ok(key);
        }
        let roots = self.roots();
        let root = roots.find(id).ok_or_else(|| RootError::Unknown { id: id.to_owned() })?;
        Ok(self.cache.keep(name, root.unwrap(aad, blob)?))
    }

    /// The one key that `aad` names, if [`Keyring::unwrap_only`] has unwrapped it before.
    ///
    /// Needs no look at the wrapped key, so the caller must know that it may still be used.
    pub fn remembered(&self, aad: &Aad) -> Option<Arc<Key>> {
        self.cache.find(&Cache::name(aad, ONLY))
    }

    /// The key that `wrapper` has wrapped as `blob`; remembered under `aad` alone.
    ///
    /// For keys whose `aad` holds an id that is drawn once: however often such a key is wrapped anew, it
    /// stays the same key.
    ///
    /// # Errors
    ///
    /// - [`OpenError`]: changed, moved or wrapped under another key.
    pub fn unwrap_only(
        &self,
        wrapper: &Key,
        aad: &Aad,
        blob: &[u8],
    ) -> Result<Arc<Key>, OpenError> {
        Ok(self.cache.keep(Cache::name(aad, ONLY), message::unwrap(wrapper, aad, blob)?))
    }
}

/// Stands in a cache's name for the wrapped key, which is never so short.
const ONLY: &[u8] = b"";

impl fmt::Debug for Keyring {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Keyring")
            .field("roots", &self.roots())
            .field("unwrapped", &self.cache.len())
            .finish()
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let other = self.other.as_ref().map(|it| it.id());
        out.debug_struct("Roots").field("active", &self.active.id()).field("other", &other).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Label, LocalRoot};
    use base::SystemEntropy;

    fn root(byte: u8) -> Arc<dyn RootKey> {
        Arc::new(LocalRoot::new("test", Key::fill_with(|it| it.fill(byte))).expect("made"))
    }

    #[test]
    fn root_is_chosen_by_its_id_and_roots_are_exchangeable() {
        let aad = Aad::new(Label::Kek);
        let (old, new) = (root(1), root(2));
        let key = Key::random(&SystemEntropy);
        let blob = old.wrap(&aad, &key, &SystemEntropy).expect("wrapped");

        let ring = Keyring::with_capacity(Roots::only(Arc::clone(&new)), 0);
        let unknown = ring.unwrap_by_root(old.id(), &aad, &blob);
        assert!(matches!(unknown, Err(RootError::Unknown { .. })), "{unknown:?}");

        ring.replace_roots(Roots::both(Arc::clone(&new), Arc::clone(&old)));
        let found = ring.unwrap_by_root(old.id(), &aad, &blob).expect("opens");
        assert_eq!(found.expose(), key.expose());
        assert!(ring.unwrap_by_root(new.id(), &aad, &blob).is_err(), "not the one that wrapped");
    }

    #[test]
    fn remembers_by_name_what_was_opened_and_nothing_else() {
        let aad = Aad::new(Label::Material).field("here");
        let wrapper = Key::random(&SystemEntropy);
        let blob = message::wrap(&wrapper, &aad, &Key::random(&SystemEntropy), &SystemEntropy)
            .expect("wrapped");
        let ring = Keyring::new(Roots::only(root(1)));
        assert!(ring.remembered(&aad).is_none());
        ring.unwrap_only(&wrapper, &aad, &blob).expect("opens");
        assert!(ring.remembered(&aad).is_some());

        let elsewhere = Aad::new(Label::Material).field("there");
        assert!(ring.remembered(&elsewhere).is_none());
        assert_eq!(ring.unwrap_only(&wrapper, &elsewhere, &blob).err(), Some(OpenError::Changed));

        let mut changed = blob.clone();
        *changed.last_mut().expect("some") ^= 1;
        assert_eq!(ring.unwrap_only(&wrapper, &aad, &changed).err(), Some(OpenError::Changed));
        ring.forget();
        assert!(ring.remembered(&aad).is_none());
    }

    #[test]
    fn debug_shows_ids_only() {
        let ring = Keyring::new(Roots::both(root(1), root(2)));
        let text = format!("{ring:?}");
        assert!(text.contains(root(1).id()) && text.contains(root(2).id()), "{text}");
        assert!(!text.contains("0101") && !text.contains("1, 1"), "{text}");
    }
}
