//! Passwords of users: how they are kept, so that what is stored tells nobody what they are.
//!
//! Only hashes are kept, each with a salt and the cost it was made with. Making and comparing one is slow on
//! purpose, and so is done where no other request waits for it.
//!
//! Source: RFC 9106 (Argon2id); the cost is OWASP's, "Password Storage Cheat Sheet".

use crate::sealed;
use argon2::{Algorithm, Argon2, Params, Version};
use base::{Entropy, Sensitive};
use serde::{Deserialize, Serialize};
use service::Slow;
use std::fmt;

/// A password's hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hash {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    #[serde(with = "sealed")]
    salt: Vec<u8>,
    #[serde(with = "sealed")]
    bytes: Vec<u8>,
}

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const LEN: usize = 32;

impl Hash {
    /// The hash of `password` with a salt drawn by chance. `None` if there is not enough memory.
    pub(crate) async fn of(
        password: &Sensitive,
        (slow, entropy): (&Slow, &dyn Entropy),
    ) -> Option<Self> {
        let salt = entropy.bytes::<16>().to_vec();
        let new =
            Self { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES, salt, bytes: vec![] };
        let password = Sensitive::from(password.expose());
        slow.run(move || new.filled(&password)).await.flatten()
    }

    /// Whether one of `hashes` is that of `password`. `None` if that can't be told. All are compared,
    /// whichever is the one, each as a piece of work of its own.
    pub(crate) async fn any(hashes: Vec<Self>, password: &Sensitive, slow: &Slow) -> Option<bool> {
        let mut any = false;
        for hash in hashes {
            let password = Sensitive::from(password.expose());
            let same = move || Some(hash.stretched(&password)?.same_as(&hash.bytes[..].into()));
            any |= slow.run(same).await.flatten()?;
        }
        Some(any)
    }

    fn filled(self, password: &Sensitive) -> Option<Self> {
        let bytes = self.stretched(password)?.expose().to_vec();
        Some(Self { bytes, ..self })
    }

    fn stretched(&self, password: &Sensitive) -> Option<Sensitive> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(LEN)).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut out = Sensitive::new(vec![0; LEN]);
        argon2.hash_password_into(password.expose(), &self.salt, out.expose_mut()).ok()?;
        Some(out)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Hash(••••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::SystemEntropy;

    fn slow() -> Slow {
        Slow::of(&"111122223333".parse().expect("an account")).expect("room")
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_no_other() {
        let slow = slow();
        let password = |text: &str| Sensitive::from(text.to_owned());
        let hash = Hash::of(&password("right"), (&slow, &SystemEntropy)).await.expect("made");
        let again = Hash::of(&password("right"), (&slow, &SystemEntropy)).await.expect("made");
        assert_ne!(hash, again, "each has a salt of its own");
        for (hashes, text, expected) in [
            (vec![hash.clone()], "right", true),
            (vec![hash.clone()], "wrong", false),
            (vec![], "right", false),
            (vec![Hash { bytes: vec![0; LEN], ..again }, hash.clone()], "right", true),
        ] {
            assert_eq!(Hash::any(hashes, &password(text), &slow).await, Some(expected), "{text}");
        }
        let kept = serde_json::to_string(&hash).expect("JSON");
        assert!(!kept.contains("right") && !format!("{hash:?}").contains(&kept[40..60]), "{kept}");
    }

    /// Made with another implementation (Python's `cryptography`): what was stored by an earlier version must
    /// be understood by every later one.
    #[tokio::test]
    async fn the_hash_is_argon2id() {
        let text = format!(
            r#"{{"memory_kib":19456,"passes":2,"lanes":1,"salt":"AAECAwQFBgcICQoLDA0ODw==","bytes":"{KNOWN}"}}"#
        );
        let hash: Hash = serde_json::from_str(&text).expect("a hash");
        let slow = slow();
        let password = Sensitive::from("correct horse battery".to_owned());
        assert_eq!(Hash::any(vec![hash], &password, &slow).await, Some(true));
    }

    const KNOWN: &str = "quyusfeeuAGbpiw09i+j4VKJ+I/5h3mugd4HghmS/x8=";
}
