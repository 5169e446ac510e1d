//! Account ids.

use crate::Malformed;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The 12 decimal digits that name an account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account whose id is `number`, if it has at most 12 digits.
    pub fn from_number(number: u64) -> Option<Self> {
        (number < 1_000_000_000_000).then(|| Self(format!("{number:012}").into()))
    }

    /// The id as a number, below 10¹².
    pub fn number(&self) -> u64 {
        self.0.bytes().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
    }
}

impl FromStr for AccountId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() == 12 && text.bytes().all(|it| it.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(Malformed::new(text, "a 12-digit account id"))
        }
    }
}

impl TryFrom<String> for AccountId {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

impl AsRef<str> for AccountId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_digits_and_nothing_else() {
        for (text, valid) in [
            ("111122223333", true),
            ("000000000000", true),
            ("11112222333", false),
            ("1111222233333", false),
            ("11112222333a", false),
            ("", false),
            ("١١١١٢٢", false), // twelve bytes, no ASCII digit
        ] {
            assert_eq!(text.parse::<AccountId>().is_ok(), valid, "{text}");
        }
    }

    #[test]
    fn number_and_text_agree() {
        let id: AccountId = "000000000042".parse().expect("valid");
        assert_eq!(id.number(), 42);
        assert_eq!(AccountId::from_number(42), Some(id));
        assert_eq!(AccountId::from_number(1_000_000_000_000), None);
    }
}
