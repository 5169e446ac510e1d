//! Region names.

use crate::Malformed;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A Region name such as `eu-central-1`: lower-case words and a number, joined by hyphens.
///
/// At most 32 characters. Source: Secrets Manager's `RegionType`, `^([a-z]+-)+\d+$`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Region(Arc<str>);

impl Region {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let valid = text.len() <= 32
            && text.rsplit_once('-').is_some_and(|(words, number)| {
                !number.is_empty()
                    && number.bytes().all(|it| it.is_ascii_digit())
                    && words.split('-').all(|word| {
                        !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase())
                    })
            });
        if valid { Ok(Self(text.into())) } else { Err(Malformed::new(text, "a Region name")) }
    }
}

impl TryFrom<String> for Region {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

impl AsRef<str> for Region {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_a_number() {
        for (text, valid) in [
            ("us-east-1", true),
            ("us-gov-west-1", true),
            ("eu-isoe-west-12", true),
            ("us-east", false),
            ("us-east-", false),
            ("1", false),
            ("-1", false),
            ("us--1", false),
            ("US-EAST-1", false),
            ("us-east-1/x", false),
            ("", false),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-1", false),
        ] {
            assert_eq!(text.parse::<Region>().is_ok(), valid, "{text}");
        }
    }
}
