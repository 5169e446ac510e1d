//! Shares of the recovery key, as people keep and type them.
//!
//! ```text
//! version (1) ‖ set (4) ‖ threshold (1) ‖ index (1) ‖ value (32) ‖ check (4)     in base 32, in groups of five
//! ```
//!
//! Letters are Crockford's: no I, L, O and U, and whoever types one of the first three is understood. The set
//! is the beginning of the recovery key's id, which follows from the key: shares of different keys don't mix.
//! The check follows from all that is before it. Sharing is Shamir's over GF(2⁸), by `vsss-rs`.

use crate::codec::{Reader, Writer, hex};
use base::{Entropy, Sensitive};
use envelope::{Key, LocalRoot, RootKey, message};
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;
use vsss_rs::Gf256;
use zeroize::Zeroize;

/// Why shares gave no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// The same share twice.
    #[error("share {0} was given twice\nhint: give another one")]
    Duplicate(u8),
    /// A share of another recovery key.
    #[error(
        "share {0} belongs to other shares\nhint: give those that were made last for this store"
    )]
    Foreign(u8),
    /// Numbers that make no sense.
    #[error("there must be 2 to 32 shares, and 2 of them or more, up to all, must be needed")]
    Numbers,
    /// Fewer than are needed.
    #[error("{given} of {needed} shares were given\nhint: give {} more", needed - given)]
    TooFew {
        /// How many there are.
        given: u8,
        /// How many it takes.
        needed: u8,
    },
    /// Not a share, or one with a wrong letter.
    #[error(
        "that is no share, or a letter of it is wrong\nhint: compare it with the paper and type it again"
    )]
    Typo,
    /// Together they give another key: one of them was made up.
    #[error("the shares don't fit each other\nhint: one of them is forged; try others")]
    Wrong,
}

/// One share of a recovery key.
pub struct Share {
    set: [u8; 4],
    threshold: u8,
    index: u8,
    value: Key,
}

impl Share {
    /// Reads a share as it was typed: in either case, with any hyphens and blanks.
    ///
    /// # Errors
    ///
    /// - [`ShareError::Typo`]: it is none.
    pub fn parse(text: &str) -> Result<Self, ShareError> {
        let bytes = decode(text).ok_or(ShareError::Typo)?;
        let mut reader = Reader(bytes.expose());
        let mut read = || {
            let [VERSION] = reader.raw()? else { return None };
            let (set, [threshold, index]) = (reader.raw()?, reader.raw()?);
            let mut value: [u8; Key::LEN] = reader.raw()?;
            let key = Key::fill_with(|it| it.copy_from_slice(&value));
            value.zeroize();
            Some((Self { set, threshold, index, value: key }, reader.raw()?))
        };
        let (share, check): (Self, [u8; 4]) = read().ok_or(ShareError::Typo)?;
        let whole = reader.end().is_some() && share.check() == Some(check);
        if whole { Ok(share) } else { Err(ShareError::Typo) }
    }

    /// The share as it is to be written down.
    pub fn write(&self) -> Option<Sensitive> {
        let plain = Writer::default().raw(&[VERSION]).raw(&self.set);
        let plain = plain.raw(&[self.threshold, self.index]).raw(self.value.expose());
        Some(encode(&Sensitive::new(plain.raw(&self.check()?).done())))
    }

    /// Which one it is, from 1.
    pub fn index(&self) -> u8 {
        self.index
    }

    fn check(&self) -> Option<[u8; 4]> {
        let head = [&[VERSION][..], &self.set, &[self.threshold, self.index]].concat();
        let print = message::fingerprint(&self.value, &format!("share/{}", hex::encode(&head)))?;
        print.first_chunk().copied()
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Share({})", self.index)
    }
}

/// Splits `key` so that any `threshold` of `count` shares give it back, and fewer tell nothing.
///
/// # Errors
///
/// - [`ShareError::Numbers`]: not 2 to 32, or more needed than there are.
pub(crate) fn split(
    key: &Key,
    (threshold, count): (u8, u8),
    entropy: &dyn Entropy,
) -> Result<Vec<Share>, ShareError> {
    if !(2..=MOST).contains(&count) || !(2..=count).contains(&threshold) {
        return Err(ShareError::Numbers);
    }
    let set = set_of(key).ok_or(ShareError::Numbers)?;
    let (needed, all) = (usize::from(threshold), usize::from(count));
    let parts = Gf256::split_bytes(needed, all, key.expose(), Chance(entropy));
    let mut parts = parts.map_err(|_| ShareError::Numbers)?;
    let share = |part: &mut Vec<u8>| {
        let (index, bytes) = part.split_first()?;
        let value: &[u8; Key::LEN] = bytes.try_into().ok()?;
        let value = Key::fill_with(|it| it.copy_from_slice(value));
        let share = Share { set, threshold, index: *index, value };
        part.zeroize();
        Some(share)
    };
    parts.iter_mut().map(share).collect::<Option<_>>().ok_or(ShareError::Numbers)
}

/// The key that `shares` give, if it is the one called `id`.
///
/// # Errors
///
/// [`ShareError`]: all but `Numbers` and `Typo`.
pub fn combine(shares: &[Share], id: &str) -> Result<Key, ShareError> {
    let own = set_bytes(id);
    let mut seen = 0_u64;
    for share in shares {
        if Some(share.set) != own {
            return Err(ShareError::Foreign(share.index));
        }
        let bit = 1_u64.checked_shl(share.index.into()).ok_or(ShareError::Wrong)?;
        if seen & bit != 0 {
            return Err(ShareError::Duplicate(share.index));
        }
        seen |= bit;
    }
    let needed = shares.first().map_or(2, |it| it.threshold);
    let given = u8::try_from(shares.len()).unwrap_or(u8::MAX);
    if given < needed {
        return Err(ShareError::TooFew { given, needed });
    }
    let part = |it: &Share| [&[it.index][..], it.value.expose()].concat();
    let mut parts: Vec<_> = shares.iter().map(part).collect();
    let secret = Gf256::combine_bytes(&parts).map(Sensitive::new);
    parts.zeroize();
    let secret = secret.map_err(|_| ShareError::Wrong)?;
    let bytes: &[u8; Key::LEN] = secret.expose().try_into().map_err(|_| ShareError::Wrong)?;
    let key = Key::fill_with(|it| it.copy_from_slice(bytes));
    let found = Key::fill_with(|it| it.copy_from_slice(bytes));
    match LocalRoot::new(KIND, found) {
        Ok(root) if root.id() == id => Ok(key),
        _ => Err(ShareError::Wrong),
    }
}

fn set_of(key: &Key) -> Option<[u8; 4]> {
    let copy = Key::fill_with(|it| it.copy_from_slice(key.expose()));
    set_bytes(LocalRoot::new(KIND, copy).ok()?.id())
}

fn set_bytes(id: &str) -> Option<[u8; 4]> {
    hex::decode(id.strip_prefix(KIND)?.strip_prefix(':')?)?.first_chunk().copied()
}

/// Our chance, as the library asks for it.
struct Chance<'a>(&'a dyn Entropy);

impl TryRng for Chance<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes(self.0.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes(self.0.bytes()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Chance<'_> {}

fn encode(bytes: &Sensitive) -> Sensitive {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let (mut bits, mut held, mut letters) = (0_u32, 0_u32, 0);
    let mut put = |value: u32| {
        if letters > 0 && letters % 5 == 0 {
            out.push(b'-');
        }
        let letter = usize::try_from(value & 31).unwrap_or_default();
        out.push(ALPHABET.get(letter).copied().unwrap_or_default());
        letters += 1;
    };
    for byte in bytes.expose() {
        bits = (bits & 31) << 8 | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            put(bits >> held);
        }
    }
    // The last letter is filled up with zeros.
    if held > 0 {
        put(bits << (5 - held));
    }
    Sensitive::new(out)
}

fn decode(text: &str) -> Option<Sensitive> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in text.bytes().filter(|it| !matches!(it, b'-' | b' ' | b'\t' | b'\r' | b'\n')) {
        let letter = match letter.to_ascii_uppercase() {
            b'I' | b'L' => b'1',
            b'O' => b'0',
            other => other,
        };
        let value = ALPHABET.iter().position(|it| *it == letter)?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 255).ok()?);
        }
        bits &= (1 << held) - 1;
    }
    (bits == 0 && held < 5).then(|| Sensitive::new(out))
}

/// What the id of a recovery key begins with.
pub(crate) const KIND: &str = "recovery";
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const VERSION: u8 = 1;
const MOST: u8 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use base::SystemEntropy;
    use proptest::prelude::*;

    fn made(threshold: u8, count: u8) -> (Key, String, Vec<String>) {
        let key = Key::random(&SystemEntropy);
        let shares = split(&key, (threshold, count), &SystemEntropy).expect("split");
        let copy = Key::fill_with(|it| it.copy_from_slice(key.expose()));
        let id = LocalRoot::new(KIND, copy).expect("made").id().to_owned();
        let text = |it: &Share| {
            String::from_utf8(it.write().expect("written").expose().to_vec()).expect("letters")
        };
        (key, id, shares.iter().map(text).collect())
    }

    fn read(texts: &[&String]) -> Vec<Share> {
        texts.iter().map(|it| Share::parse(it).expect("a share")).collect()
    }

    #[test]
    fn any_three_of_five_give_the_key_and_nothing_else_does() {
        let (key, id, texts) = made(3, 5);
        let other = made(3, 5).2;
        for one in 0..5 {
            for two in 0..5 {
                for three in 0..5 {
                    let given = read(&[&texts[one], &texts[two], &texts[three]]);
                    let found = combine(&given, &id);
                    if one == two || two == three || one == three {
                        assert!(matches!(found, Err(ShareError::Duplicate(_))), "{found:?}");
                    } else {
                        assert_eq!(found.expect("enough").expose(), key.expose());
                    }
                }
            }
        }
        let all: Vec<_> = texts.iter().collect();
        assert_eq!(combine(&read(&all), &id).expect("more than enough").expose(), key.expose());
        let few = combine(&read(&all[..2]), &id).err();
        assert_eq!(few, Some(ShareError::TooFew { given: 2, needed: 3 }));
        assert!(few.expect("few").to_string().contains("give 1 more"));
        let none = combine(&[], &id).err();
        assert_eq!(none, Some(ShareError::TooFew { given: 0, needed: 2 }));
        let mixed = combine(&read(&[&texts[0], &texts[1], &other[2]]), &id).err();
        assert_eq!(mixed, Some(ShareError::Foreign(3)));
        let mut forged = read(&all[..3]);
        forged[1].value = Key::random(&SystemEntropy);
        assert_eq!(combine(&forged, &id).err(), Some(ShareError::Wrong));
        forged[1].index = 200;
        assert_eq!(combine(&forged, &id).err(), Some(ShareError::Wrong));
    }

    #[test]
    fn a_share_is_typed_in_any_way_and_a_wrong_letter_is_seen() {
        let text = made(2, 3).2.remove(0);
        assert_eq!(text.len(), 69 + 13, "{text}");
        let index = Share::parse(&text).expect("a share").index();
        for typed in [
            text.to_lowercase(),
            text.replace('-', " "),
            text.replace('-', ""),
            text.replace('1', "l").replace('0', "o"),
            format!(" {text}\n"),
        ] {
            assert_eq!(Share::parse(&typed).expect("a share").index(), index, "{typed}");
        }
        for place in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[place] = if wrong[place] == b'7' { b'8' } else { b'7' };
            let wrong = String::from_utf8(wrong).expect("letters");
            assert_eq!(Share::parse(&wrong).err(), Some(ShareError::Typo), "{wrong}");
            assert_eq!(Share::parse(&text[..place]).err(), Some(ShareError::Typo));
        }
        assert!(!format!("{:?}", Share::parse(&text)).contains(&text[20..25]));
    }

    #[test]
    fn numbers_that_make_no_sense() {
        let key = Key::random(&SystemEntropy);
        for numbers in [(1, 1), (1, 5), (0, 0), (3, 2), (2, 33), (33, 33)] {
            let refused = split(&key, numbers, &SystemEntropy).err();
            assert_eq!(refused, Some(ShareError::Numbers), "{numbers:?}");
        }
        for numbers in [(2, 2), (2, 32), (32, 32)] {
            split(&key, numbers, &SystemEntropy).expect("split");
        }
    }

    proptest! {
        #[test]
        fn letters_survive_and_garbage_is_refused_without_panic(bytes: Vec<u8>, text in "\\PC{0,90}") {
            let letters = encode(&Sensitive::new(bytes.clone()));
            let letters = str::from_utf8(letters.expose()).expect("letters");
            prop_assert_eq!(decode(letters).map(|it| it.expose().to_vec()), Some(bytes));
            prop_assert_eq!(Share::parse(&text).err(), Some(ShareError::Typo));
        }
    }
}
