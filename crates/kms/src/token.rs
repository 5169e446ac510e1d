//! Grant tokens: a grant that was just made, as one opaque word.
//!
//! A token isn't secret and gives nothing by itself: the grant it stands for says who may do what. Each one
//! differs, also of the same grant.

use crate::Place;
use crate::codec::{Reader, Writer, hex};
use base::Entropy;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What a grant token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantToken {
    /// The ARN of the key.
    pub key_arn: String,
    /// The id of the grant.
    pub grant_id: String,
}

const VERSION: u8 = 1;
const MAX_ARN: usize = 256;

impl GrantToken {
    /// The token as a word, unlike all others.
    pub(crate) fn write(&self, entropy: &dyn Entropy) -> String {
        let id = hex::decode(&self.grant_id).unwrap_or_default();
        let plain = Writer::default().raw(&[VERSION]).run(self.key_arn.as_bytes()).run(&id);
        URL_SAFE_NO_PAD.encode(plain.raw(&entropy.bytes::<16>()).done())
    }

    /// Reads a word; `None` if it is no token.
    pub fn parse(word: &str) -> Option<Self> {
        let plain = URL_SAFE_NO_PAD.decode(word).ok()?;
        let mut reader = Reader(&plain);
        let [VERSION] = reader.raw()? else { return None };
        let key_arn = reader.text(MAX_ARN)?.to_owned();
        let id: [u8; 32] = reader.run(32)?.try_into().ok()?;
        let _nonce: [u8; 16] = reader.raw()?;
        reader.end()?;
        Place::of_key(&key_arn)?;
        Some(Self { key_arn, grant_id: hex::encode(&id) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::SystemEntropy;
    use proptest::prelude::*;

    #[test]
    fn each_token_differs_and_means_the_same() {
        let token = GrantToken {
            key_arn: "arn:aws:kms:us-east-1:111122223333:key/x".to_owned(),
            grant_id: "ab".repeat(32),
        };
        let (one, two) = (token.write(&SystemEntropy), token.write(&SystemEntropy));
        assert_ne!(one, two);
        assert_eq!(GrantToken::parse(&one).as_ref(), Some(&token));
        assert_eq!(GrantToken::parse(&two).as_ref(), Some(&token));
        for cut in 0..one.len() {
            assert_eq!(GrantToken::parse(&one[..cut]), None, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn other_words_are_refused_without_panic(word in "[A-Za-z0-9_-]{0,200}") {
            prop_assert_eq!(GrantToken::parse(&word), None);
        }
    }
}
