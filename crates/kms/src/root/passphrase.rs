//! The root key from a passphrase, by Argon2id.
//!
//! The salt and the cost are no secrets: they form a [`Recipe`], which the store keeps in its root
//! record, so that a backup and the passphrase are enough to read everything. Asking for the
//! passphrase is the command line's business.
//!
//! Source: RFC 9106.

use crate::codec::hex;
use argon2::{Algorithm, Argon2, Params, Version};
use base::{Entropy, Sensitive};
use envelope::{Key, LocalRoot, SealError};
use serde::{Deserialize, Serialize};

/// Why a passphrase gave no root key.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// Argon2 failed: most likely there is not enough memory.
    #[error("the passphrase couldn't be stretched\nhint: it takes {memory_kib} KiB of memory")]
    Failed {
        /// How much memory it takes.
        memory_kib: u32,
    },
    /// The stored recipe is not one this program knows.
    #[error("the stored passphrase parameters can't be read")]
    Malformed,
    /// The cost is below or above what is sound.
    #[error("passphrase parameters must be 3 to 64 passes, 4 to 16 lanes and 65536 to 4194304 KiB")]
    OutOfBounds,
    /// The crypto library failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Not enough characters.
    #[error("the passphrase has fewer than {MIN_CHARACTERS} characters")]
    TooShort,
}

/// How a passphrase becomes a root key: cost and salt. Not secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    algorithm: Function,
    passes: u32,
    lanes: u32,
    memory_kib: u32,
    #[serde(with = "hex")]
    salt: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Function {
    #[serde(rename = "argon2id-v19")]
    Argon2id,
}

impl Recipe {
    /// A recipe with a fresh salt: `passes` over `memory_kib` KiB, in four lanes.
    ///
    /// # Errors
    ///
    /// - [`PassphraseError::OutOfBounds`]: cheaper than 3 passes over 64 MiB, or beyond all use.
    pub fn new(
        passes: u32,
        memory_kib: u32,
        entropy: &dyn Entropy,
    ) -> Result<Self, PassphraseError> {
        let salt = entropy.bytes::<SALT>().to_vec();
        Self { algorithm: Function::Argon2id, passes, lanes: 4, memory_kib, salt }.checked()
    }

    /// The recipe used unless said otherwise: 3 passes over 256 MiB, a second or two.
    pub fn usual(entropy: &dyn Entropy) -> Result<Self, PassphraseError> {
        Self::new(3, 256 * 1024, entropy)
    }

    /// The recipe in a root record's `recipe`.
    ///
    /// # Errors
    ///
    /// - [`PassphraseError::Malformed`], [`PassphraseError::OutOfBounds`]: not made by this program.
    pub fn parse(text: &str) -> Result<Self, PassphraseError> {
        let recipe: Self = serde_json::from_str(text).map_err(|_| PassphraseError::Malformed)?;
        recipe.checked()
    }

    /// The root key of `passphrase`. Takes as long as the recipe says: not for an async task.
    ///
    /// A wrong passphrase gives another key, with another id: `unlock` tells.
    ///
    /// # Errors
    ///
    /// - [`PassphraseError::Failed`]: not enough memory.
    /// - [`PassphraseError::TooShort`]: fewer than [`MIN_CHARACTERS`] characters.
    pub fn root_key(&self, passphrase: &Sensitive) -> Result<LocalRoot, PassphraseError> {
        if String::from_utf8_lossy(passphrase.expose()).chars().count() < MIN_CHARACTERS {
            return Err(PassphraseError::TooShort);
        }
        let failed = PassphraseError::Failed { memory_kib: self.memory_kib };
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(Key::LEN));
        let argon2 = params.map(|it| Argon2::new(Algorithm::Argon2id, Version::V0x13, it));
        let mut outcome = Err(failed);
        let key = Key::fill_with(|key| {
            let stretch = |it: Argon2<'_>| {
                it.hash_password_into(passphrase.expose(), &self.salt, key.as_mut_slice())
            };
            if argon2.and_then(stretch).is_ok() {
                outcome = Ok(());
            }
        });
        outcome?;
        let recipe = serde_json::to_string(self).map_err(|_| PassphraseError::Malformed)?;
        Ok(LocalRoot::new("passphrase", key)?.with_recipe(recipe))
    }

    fn checked(self) -> Result<Self, PassphraseError> {
        let sound = (3..=64).contains(&self.passes)
            && (4..=16).contains(&self.lanes)
            && (64 * 1024..=4 * 1024 * 1024).contains(&self.memory_kib)
            && self.salt.len() == SALT;
        if sound { Ok(self) } else { Err(PassphraseError::OutOfBounds) }
    }
}

/// The fewest characters a passphrase may have.
pub const MIN_CHARACTERS: usize = 14;
const SALT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use base::SystemEntropy;
    use envelope::RootKey;

    fn passphrase(text: &str) -> Sensitive {
        Sensitive::from(text.to_owned())
    }

    /// Made with another implementation (Python's `cryptography`).
    #[test]
    fn key_follows_from_recipe_and_passphrase() {
        let text = r#"{"algorithm":"argon2id-v19","passes":3,"lanes":4,"memory_kib":65536,
            "salt":"000102030405060708090a0b0c0d0e0f"}"#;
        let recipe = Recipe::parse(text).expect("valid");
        let root = recipe.root_key(&passphrase("correct horse battery")).expect("stretched");
        assert_eq!(root.id(), "passphrase:ee7be92cdbdfd2e9");

        let kept = Recipe::parse(root.recipe().expect("some")).expect("valid");
        assert_eq!(kept, recipe);
        let wrong = recipe.root_key(&passphrase("correct horse batterz")).expect("stretched");
        assert_ne!(wrong.id(), root.id());
    }

    #[test]
    fn short_passphrases_are_refused() {
        let recipe = Recipe::new(3, 65536, &SystemEntropy).expect("at the floor");
        for text in ["", "thirteen char", "ümläüte zähln"] {
            let refused = recipe.root_key(&passphrase(text));
            assert!(matches!(refused, Err(PassphraseError::TooShort)), "{text}");
        }
    }

    #[test]
    fn cost_has_a_floor_and_a_ceiling() {
        for (passes, memory_kib, sound) in [
            (3, 65_536, true),
            (2, 65_536, false),
            (3, 65_535, false),
            (64, 4_194_304, true),
            (65, 65_536, false),
            (3, 4_194_305, false),
        ] {
            let made = Recipe::new(passes, memory_kib, &SystemEntropy);
            assert_eq!(made.is_ok(), sound, "{passes} {memory_kib}");
        }
        for text in [
            "",
            "{}",
            r#"{"algorithm":"argon2id-v19","passes":1,"lanes":4,"memory_kib":65536,"salt":""}"#,
        ] {
            assert!(Recipe::parse(text).is_err(), "{text}");
        }
    }
}
