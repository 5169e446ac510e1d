//! The account in an access key id.

use base::AccountId;

/// The account whose number `access_key_id` holds: a temporary or a long-term one, ours or one of AWS's.
/// `None` for ids that hold none, as those from before 2019.
///
/// Observed: in published ids the first bit behind the prefix is set, and the 40 bits after the next 7 are
/// the number.
pub fn account_of(access_key_id: &str) -> Option<AccountId> {
    let digits = access_key_id.get(4..).filter(|it| it.len() == 16)?;
    let prefix = access_key_id.bytes().take(4).all(|it| it.is_ascii_uppercase());
    let bits =
        digits.bytes().try_fold(0_u128, |bits, it| Some(bits << 5 | u128::from(digit(it)?)))?;
    let holds_one = prefix && bits >> 79 == 1;
    let number = u64::try_from(bits >> 39 & ((1 << 40) - 1)).ok()?;
    AccountId::from_number(number).filter(|_| holds_one)
}

/// A digit to the base of 32, as RFC 4648 writes it.
fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'2'..=b'7' => Some(letter - b'2' + 26),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mint;
    use base::SystemEntropy;
    use proptest::prelude::*;

    #[test]
    fn known_ids() {
        for (id, expected) in [
            ("ASIAQNZGKIQY56JQ7WML", Some("029608264753")),
            ("AKIAQNZGKIQY56JQ7WML", Some("029608264753")),
            ("AKIAIOSFODNN7EXAMPLE", None),
            ("asiaQNZGKIQY56JQ7WML", None),
            ("ASIAQNZGKIQY56JQ7WM1", None),
            ("ASIAQNZGKIQY56JQ7WM", None),
            ("ASIAQNZGKIQY56JQ7WMLL", None),
            ("ASIA7777777777777777", None), // more than twelve digits
            ("ÄÄQNZGKIQY56JQ7WMLAA", None),
            ("", None),
        ] {
            assert_eq!(account_of(id).as_ref().map(AccountId::as_str), expected, "{id}");
        }
    }

    proptest! {
        #[test]
        fn ours_hold_their_account(number in 0..1_000_000_000_000_u64) {
            let account = AccountId::from_number(number).expect("twelve digits");
            let id = mint::access_key_id(&account, &SystemEntropy);
            prop_assert_eq!(account_of(&id), Some(account));
        }

        #[test]
        fn any_text_is_taken(text: String) {
            let _either = account_of(&text);
        }
    }
}
