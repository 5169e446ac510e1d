//! The code that a device shows in a step of time.
//!
//! Source: RFC 6238, with SHA-1, six digits and steps of thirty seconds, as all virtual devices have them.

use aws_lc_rs::hmac;
use base::{Sensitive, Timestamp};

/// How long a code is shown, in seconds.
pub(super) const STEP: i64 = 30;

/// The step that `now` is in.
pub(super) fn step(now: Timestamp) -> i64 {
    now.secs().div_euclid(STEP)
}

/// The six digits that a device with `seed` shows in `step`.
pub(super) fn code(seed: &Sensitive, step: i64) -> Sensitive {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed.expose());
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes.last().map_or(0, |it| it & 15));
    let word =
        bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |it| u32::from_be_bytes(*it));
    Sensitive::from(format!("{:06}", (word & 0x7fff_ffff) % 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: of its eight digits the last six.
    #[test]
    fn published_codes() {
        let seed = Sensitive::from(&b"12345678901234567890"[..]);
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let shown = code(&seed, step(Timestamp::from_secs(seconds)));
            assert_eq!(str::from_utf8(shown.expose()), Ok(expected), "{seconds}");
        }
    }
}
