//! The key outside the store.

use crate::{Aad, Key, OpenError, SealError, message};
use base::Entropy;
use std::error::Error;
use std::fmt;
use std::fmt::Write;

/// A key that wraps all others and is not in the store: a file, a passphrase, a token, a service.
///
/// The two calls may block for as long as the provider needs; a local key takes microseconds.
pub trait RootKey: Send + Sync {
    /// A name that tells root keys apart, stored beside everything the key wraps. Not secret.
    fn id(&self) -> &str;

    /// Public facts that are needed to make this key again, such as a salt. Stored in clear.
    fn recipe(&self) -> Option<&str> {
        None
    }

    /// Wraps `key`, bound to `aad`.
    fn wrap(&self, aad: &Aad, key: &Key, entropy: &dyn Entropy) -> Result<Vec<u8>, RootError>;

    /// Gives back the key in `blob`, if it was wrapped by this root and bound to `aad`.
    fn unwrap(&self, aad: &Aad, blob: &[u8]) -> Result<Key, RootError>;
}

/// Why a root key wrapped or gave back nothing.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// What was wrapped doesn't open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The key couldn't be wrapped.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The provider can't be reached or refused its service.
    #[error("the root key's provider is unavailable: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// No root key of this name is at hand.
    #[error("root key `{id}` is not at hand")]
    Unknown {
        /// The name of the missing key.
        id: String,
    },
}

/// A root key held in memory. The file and passphrase providers end here.
pub struct LocalRoot {
    id: String,
    recipe: Option<String>,
    key: Key,
}

impl LocalRoot {
    /// Takes `key` as root key. Its id is `{kind}:` and 16 hex digits that follow from the key.
    ///
    /// # Errors
    ///
    /// - [`SealError::Failed`]: the crypto library refused.
    pub fn new(kind: &str, key: Key) -> Result<Self, SealError> {
        let print = message::fingerprint(&key, "root-id").ok_or(SealError::Failed)?;
        let mut id = format!("{kind}:");
        for byte in print.iter().take(8) {
            let _infallible = write!(id, "{byte:02x}");
        }
        Ok(Self { id, recipe: None, key })
    }

    /// The same key with the public facts that are needed to make it again.
    pub fn with_recipe(self, recipe: String) -> Self {
        Self { recipe: Some(recipe), ..self }
    }
}

impl RootKey for LocalRoot {
    fn id(&self) -> &str {
        &self.id
    }

    fn recipe(&self) -> Option<&str> {
        self.recipe.as_deref()
    }

    fn wrap(&self, aad: &Aad, key: &Key, entropy: &dyn Entropy) -> Result<Vec<u8>, RootError> {
        Ok(message::wrap(&self.key, aad, key, entropy)?)
    }

    fn unwrap(&self, aad: &Aad, blob: &[u8]) -> Result<Key, RootError> {
        Ok(message::unwrap(&self.key, aad, blob)?)
    }
}

impl fmt::Debug for LocalRoot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("LocalRoot").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;
    use base::SystemEntropy;

    #[test]
    fn id_follows_from_the_key() {
        let root = |byte| LocalRoot::new("file", Key::fill_with(|it| it.fill(byte))).expect("made");
        assert_eq!(root(1).id(), root(1).id());
        assert_ne!(root(1).id(), root(2).id());
        assert_eq!(root(1).id().len(), "file:".len() + 16);
        assert!(!format!("{:?}", root(1)).contains("0101"));
    }

    #[test]
    fn another_root_opens_nothing() {
        let aad = Aad::new(Label::Kek).field("here");
        let roots = [1, 2]
            .map(|byte| LocalRoot::new("test", Key::fill_with(|it| it.fill(byte))).expect("made"));
        let key = Key::random(&SystemEntropy);
        let blob = roots[0].wrap(&aad, &key, &SystemEntropy).expect("wrapped");
        assert_eq!(roots[0].unwrap(&aad, &blob).expect("opens").expose(), key.expose());
        let refused = roots[1].unwrap(&aad, &blob);
        assert!(matches!(refused, Err(RootError::Open(OpenError::OtherKey))), "{refused:?}");
    }
}
