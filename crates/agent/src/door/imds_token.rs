//! The tokens of the metadata service: bound to who asked, ending by themselves, remembered nowhere.

use aws_lc_rs::hmac;
use base::{Entropy, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// Makes and checks tokens. Those of another process, the same one before a restart too, are worthless.
pub(super) struct Mint(hmac::Key);

/// End, eight bytes of chance, tag.
const LENGTH: usize = 8 + 8 + 32;

impl Mint {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &entropy.bytes::<32>()))
    }

    /// A token for `holder` that ends at `end`.
    pub(super) fn make(&self, holder: &str, end: Timestamp, entropy: &dyn Entropy) -> String {
        let mut token = Vec::with_capacity(LENGTH);
        token.extend_from_slice(&end.millis().to_be_bytes());
        token.extend_from_slice(&entropy.bytes::<8>());
        let tag = self.tag(&token, holder);
        token.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Whether `token` was made for `holder` and has not ended.
    pub(super) fn knows(&self, token: &[u8], holder: &str, now: Timestamp) -> bool {
        let Ok(token) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let Some((said, tag)) = token.split_at_checked(LENGTH - 32) else { return false };
        let Some(end) = said.first_chunk().map(|it| i64::from_be_bytes(*it)) else { return false };
        let expected = self.tag(said, holder);
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_ref(), tag);
        same.is_ok() && now < Timestamp::from_millis(end)
    }

    fn tag(&self, said: &[u8], holder: &str) -> hmac::Tag {
        // `said` has a fixed length, so no two pairs are one text.
        hmac::sign(&self.0, &[said, holder.as_bytes()].concat())
    }
}

impl fmt::Debug for Mint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Mint(••••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::chance::Seeded;

    #[test]
    fn a_token_is_its_holders_until_it_ends() {
        let chance = Seeded::new(1);
        let mint = Mint::new(&chance);
        let second = Timestamp::from_secs;
        let token = mint.make("127.0.0.1 1", second(100), &chance);
        assert_ne!(token, mint.make("127.0.0.1 1", second(100), &chance));
        #[rustfmt::skip]
        let cases = [
            (token.clone(),                     "127.0.0.1 1", 99,  true),
            (token.clone(),                     "127.0.0.1 1", 100, false),
            (token.clone(),                     "127.0.0.1 2", 99,  false),
            (token[1..].to_owned(),             "127.0.0.1 1", 99,  false),
            (format!("{token}AAAA"),            "127.0.0.1 1", 99,  false),
            (token.replacen('A', "B", 1),       "127.0.0.1 1", 99,  false),
            (String::new(),                     "127.0.0.1 1", 99,  false),
            ("é".to_owned(),                    "127.0.0.1 1", 99,  false),
        ];
        for (token, holder, at, expected) in cases {
            assert_eq!(
                mint.knows(token.as_bytes(), holder, second(at)),
                expected,
                "{token} {holder} {at}"
            );
        }
        assert!(!Mint::new(&Seeded::new(2)).knows(token.as_bytes(), "127.0.0.1 1", second(99)));
    }
}
