//! Keys.

use base::Entropy;
use std::fmt;
use zeroize::Zeroizing;

/// 32 secret bytes: a root key, a key-encryption key, key material or a data key.
///
/// Wiped when dropped. Lives on the heap, so that moving it leaves no copy behind. Not `Clone`;
/// `Debug` shows dots.
pub struct Key(Box<Zeroizing<[u8; Key::LEN]>>);

impl Key {
    /// How many bytes a key has.
    pub const LEN: usize = 32;

    /// A fresh key.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self::fill_with(|bytes| entropy.fill(bytes))
    }

    /// A key made in place by `fill`, which is given zeros.
    pub fn fill_with(fill: impl FnOnce(&mut [u8; Self::LEN])) -> Self {
        let mut key = Self(Box::default());
        fill(&mut key.0);
        key
    }

    /// The bytes, for the one place that needs them.
    pub fn expose(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    pub(crate) fn expose_mut(&mut self) -> &mut [u8; Self::LEN] {
        &mut self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Key(••••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_byte() {
        let key = Key::fill_with(|it| it.fill(0xAB));
        assert_eq!(format!("{key:?}"), "Key(••••)");
        assert_eq!(key.expose(), &[0xAB; 32]);
    }
}
