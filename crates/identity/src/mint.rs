//! How ids and secrets are made.
//!
//! Source: IAM User Guide, "IAM identifiers". Observed: in published access key ids the first 48
//! bits behind the prefix are one set bit, the account's number in 40 bits, and 7 others.

use base::{AccountId, Entropy, Sensitive};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A long-term access key id: `AKIA` and 16 characters that begin with the account's number.
pub(crate) fn access_key_id(account: &AccountId, entropy: &dyn Entropy) -> String {
    let chance = u64::from_be_bytes(entropy.bytes()) & ((1 << 39) - 1);
    let bits = 1 << 79 | u128::from(account.number()) << 39 | u128::from(chance);
    prefixed("AKIA", bits, 16)
}

/// What all access key ids of `account` begin with. Those of one other account do too.
pub(crate) fn access_key_prefix(account: &AccountId) -> String {
    let bits = 1 << 40 | u128::from(account.number());
    prefixed("AKIA", bits >> 1, 8)
}

/// Whether `id` has the form of an access key id.
pub(crate) fn is_access_key_id(id: &str) -> bool {
    id.len() == 20 && id.bytes().all(|it| matches!(it, b'A'..=b'Z' | b'2'..=b'7'))
}

/// A user's unique id: `AIDA` and 17 characters.
pub(crate) fn user_id(entropy: &dyn Entropy) -> String {
    unique_id("AIDA", entropy)
}

/// A unique id: `prefix`, which says of what, and 17 characters.
pub(crate) fn unique_id(prefix: &str, entropy: &dyn Entropy) -> String {
    prefixed(prefix, u128::from_be_bytes(entropy.bytes()), 17)
}

/// A secret access key: 30 random bytes as 40 characters of base64.
pub(crate) fn secret(entropy: &dyn Entropy) -> Sensitive {
    let mut bytes = Sensitive::new(vec![0; 30]);
    entropy.fill(bytes.expose_mut());
    Sensitive::from(STANDARD.encode(bytes.expose()))
}

/// Twelve digits, the first of them not 0.
pub(crate) fn account_id(entropy: &dyn Entropy) -> Option<AccountId> {
    const FIRST: u64 = 100_000_000_000;
    AccountId::from_number(FIRST + u64::from_be_bytes(entropy.bytes()) % (9 * FIRST))
}

/// `prefix` and the last `count` digits of `bits` to the base of 32.
fn prefixed(prefix: &str, bits: u128, count: u32) -> String {
    let digit = |place: u32| {
        let digit = usize::try_from(bits >> (5 * place) & 31).unwrap_or_default();
        ALPHABET.get(digit).map_or('A', |it| char::from(*it))
    };
    prefix.chars().chain((0..count).rev().map(digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::SystemEntropy;

    /// What the public decoders do: base32, six bytes, a mask.
    fn account_in(id: &str) -> u64 {
        let bits = id.bytes().skip(4).fold(0_u128, |bits, byte| {
            let digit = ALPHABET.iter().position(|it| *it == byte).expect("in the alphabet");
            bits << 5 | digit as u128
        });
        let first_six = u64::try_from(bits >> 32).expect("48 bits");
        assert_eq!(first_six >> 47, 1, "{id}");
        (first_six & 0x7fff_ffff_ff80) >> 7
    }

    #[test]
    fn an_access_key_id_holds_its_account() {
        for number in [0, 1, 111_122_223_333, 999_999_999_999] {
            let account = AccountId::from_number(number).expect("twelve digits");
            let id = access_key_id(&account, &SystemEntropy);
            assert!(is_access_key_id(&id) && id.starts_with("AKIA"), "{id}");
            assert_eq!(account_in(&id), number, "{id}");
            assert!(id.starts_with(&access_key_prefix(&account)), "{id}");
        }
    }

    /// Observed: the access key id in AWS's public blog posts about this layout.
    #[test]
    fn decodes_a_published_id() {
        assert_eq!(account_in("ASIAQNZGKIQY56JQ7WML"), 29_608_264_753);
    }

    #[test]
    fn what_is_no_access_key_id() {
        for (id, valid) in [
            ("AKIAQNZGKIQY56JQ7WML", true),
            ("AKIAQNZGKIQY56JQ7WM", false),
            ("AKIAQNZGKIQY56JQ7WMLA", false),
            ("AKIAQNZGKIQY56JQ7WM1", false),
            ("akiaqnzgkiqy56jq7wml", false),
            ("AKIA/../../x/y/z/a/b", false),
            ("", false),
        ] {
            assert_eq!(is_access_key_id(id), valid, "{id}");
        }
    }

    #[test]
    fn secrets_have_forty_characters() {
        let secret = secret(&SystemEntropy);
        assert_eq!(secret.len(), 40);
        let fits = |it: &u8| it.is_ascii_alphanumeric() || b"+/".contains(it);
        assert!(secret.expose().iter().all(fits));
    }

    #[test]
    fn ids_have_their_length() {
        assert_eq!(user_id(&SystemEntropy).len(), 21);
        let id = account_id(&SystemEntropy).expect("twelve digits");
        assert!(!id.as_str().starts_with('0'));
    }
}
