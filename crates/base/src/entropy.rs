//! Where chance comes from.

use serde::Serialize;
use std::fmt;

/// Gives unpredictable bytes: the machine's in production, a seeded stream in tests.
pub trait Entropy: Send + Sync {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// A number below `bound`, each equally likely; 0 if `bound` is 0.
    pub fn below(&self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        // Rejection sampling: the last, incomplete run of `bound` numbers would favor small ones.
        let fair = u32::MAX - u32::MAX % bound;
        loop {
            let draw = u32::from_le_bytes(self.bytes());
            if draw < fair {
                return draw % bound;
            }
        }
    }
}

/// The random source of the machine, through the project's one crypto library.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        #[expect(
            clippy::expect_used,
            reason = "the library aborts by itself when the kernel gives no randomness"
        )]
        aws_lc_rs::rand::fill(out).expect("the kernel gives randomness");
    }
}

/// A random (version 4) UUID, printed in lower case with hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// A fresh UUID drawn from `entropy`.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes: [u8; 16] = entropy.bytes();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let places = (0..36).filter(|it| ![8, 13, 18, 23].contains(it));
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (place, digit) in places.zip(digits) {
            if let (Some(to), Some(from)) = (text.get_mut(place), HEX.get(usize::from(digit))) {
                *to = *from;
            }
        }
        out.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl From<Uuid> for String {
    fn from(uuid: Uuid) -> Self {
        uuid.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    #[test]
    fn uuid_is_version_4_and_hyphenated() {
        let uuid = Uuid::random(&Fixed(0xff));
        assert_eq!(uuid.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn below_stays_below_and_reaches_every_number() {
        let entropy: &dyn Entropy = &SystemEntropy;
        let mut seen = [false; 7];
        for _ in 0..1000 {
            seen[entropy.below(7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(entropy.below(0), 0);
    }
}
