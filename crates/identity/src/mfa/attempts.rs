//! What a device's codes are taken for: each once, and only so many tries.
//!
//! Four wrong codes in a row are free. After each further one the device takes no code at all for a while: half
//! a minute, then twice as long each time, up to an hour. A code that comes again is wrong, too. So who has an access key and not the device gets a
//! few dozen tries a day, of which three in a million are right. Who has the access key can also keep its owner
//! waiting; ResyncMFADevice doesn't help then, but DeactivateMFADevice and a new device do.
//!
//! Source: RFC 4226, sections 7.3 (throttling) and 7.4 (resynchronization).

use super::totp;
use base::{Sensitive, Timestamp};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::time::Duration;

/// What is remembered of the codes that were shown for a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Attempts {
    /// The step of the last code that was taken: earlier ones and this one are no longer good.
    used: i64,
    /// By how many steps the device's clock is ahead.
    ahead: i64,
    /// How many wrong codes came since.
    wrong: u32,
    /// Until then no code is taken.
    until: Option<Timestamp>,
}

/// How many wrong codes in a row make nobody wait.
const FREE: u32 = 4;
const SHORTEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_hours(1);

/// By how many steps a code may be early or late.
const NEAR: i64 = 1;
/// The same for two codes in a row, which set the clock right: an hour.
const FAR: i64 = 120;

impl Attempts {
    /// Takes `code`, which is one of `seed`, for the only time.
    pub(super) fn take(&mut self, seed: &Sensitive, code: &Sensitive, now: Timestamp) -> bool {
        let present = totp::step(now).saturating_add(self.ahead);
        let found = self.find(seed, &[code], present - NEAR..=present + NEAR);
        self.settle(found, now)
    }

    /// Takes two codes in a row, the second of them about now.
    pub(super) fn take_two(
        &mut self,
        seed: &Sensitive,
        codes: [&Sensitive; 2],
        now: Timestamp,
    ) -> bool {
        let present = totp::step(now).saturating_add(self.ahead);
        let found = self.find(seed, &codes, present - NEAR - 1..=present + NEAR);
        self.settle(found, now)
    }

    /// The same, wherever the device's clock is; from now on it counts.
    pub(super) fn resync(
        &mut self,
        seed: &Sensitive,
        codes: [&Sensitive; 2],
        now: Timestamp,
    ) -> bool {
        let present = totp::step(now);
        let found = self.find(seed, &codes, present - FAR - 1..=present + FAR);
        let right = self.settle(found, now);
        if right {
            // What comes early or late by one is taken anyway.
            let ahead = self.used - present;
            self.ahead = if ahead.abs() <= NEAR { 0 } else { ahead };
        }
        right
    }

    /// The last step of `codes` in a row that begin within `steps` and weren't taken yet. All of them are
    /// compared, whichever is right.
    fn find(
        &self,
        seed: &Sensitive,
        codes: &[&Sensitive],
        steps: RangeInclusive<i64>,
    ) -> Option<i64> {
        let mut found = None;
        for first in steps.filter(|it| *it > self.used) {
            let pairs = (first..).zip(codes);
            let same =
                pairs.fold(true, |same, (step, it)| totp::code(seed, step).same_as(it) & same);
            if same {
                found = first.checked_add_unsigned(codes.len() as u64 - 1);
            }
        }
        found
    }

    fn settle(&mut self, found: Option<i64>, now: Timestamp) -> bool {
        if self.until.is_some_and(|it| now < it) {
            return false;
        }
        if let Some(step) = found {
            *self = Self { used: step, ahead: self.ahead, wrong: 0, until: None };
            return true;
        }
        self.wrong = self.wrong.saturating_add(1);
        if let Some(times) = self.wrong.checked_sub(FREE + 1) {
            let wait = SHORTEST.saturating_mul(1 << times.min(10)).min(LONGEST);
            self.until = Some(now.plus(wait));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_769_853_600;

    fn seed() -> Sensitive {
        Sensitive::from(&b"12345678901234567890"[..])
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(AT + seconds)
    }

    /// What the device shows `seconds` after the start.
    fn shown(seconds: i64) -> Sensitive {
        totp::code(&seed(), totp::step(at(seconds)))
    }

    #[test]
    fn a_code_is_good_for_a_step_before_and_after() {
        for (of, good) in
            [(-60, false), (-31, false), (-30, true), (0, true), (59, true), (60, false)]
        {
            let taken = Attempts::default().take(&seed(), &shown(of), at(0));
            assert_eq!(taken, good, "{of}");
        }
        let other = Sensitive::from(&b"another seed"[..]);
        assert!(!Attempts::default().take(&other, &shown(0), at(0)));
        for wrong in ["", "12345", "1234567"] {
            assert!(!Attempts::default().take(&seed(), &Sensitive::from(wrong.to_owned()), at(0)));
        }
    }

    #[test]
    fn a_code_is_good_once_and_none_before_it_ever_again() {
        let mut attempts = Attempts::default();
        assert!(attempts.take(&seed(), &shown(0), at(0)));
        assert!(!attempts.take(&seed(), &shown(0), at(0)), "reused");
        assert!(!attempts.take(&seed(), &shown(-30), at(0)), "older");
        assert!(attempts.take(&seed(), &shown(30), at(0)), "newer");
    }

    #[test]
    fn two_codes_must_be_in_a_row_and_about_now() {
        for (first, second, good) in [
            (0, 30, true),
            (-30, 0, true),
            (-60, -30, true),
            (30, 60, true),
            (60, 90, false),
            (-90, -60, false),
            (30, 0, false),
            (0, 0, false),
            (0, 60, false),
        ] {
            let mut attempts = Attempts::default();
            let codes = (shown(first), shown(second));
            let taken = attempts.take_two(&seed(), [&codes.0, &codes.1], at(0));
            assert_eq!(taken, good, "{first} {second}");
            assert!(!taken || !attempts.take(&seed(), &codes.1, at(0)), "both are used up");
        }
    }

    #[test]
    fn a_clock_is_set_right_within_an_hour() {
        for (ahead, good) in [(0, true), (30, true), (1800, true), (-3600, true), (3660, false)] {
            let mut attempts = Attempts::default();
            let codes = (shown(ahead - 30), shown(ahead));
            assert_eq!(attempts.resync(&seed(), [&codes.0, &codes.1], at(0)), good, "{ahead}");
            let later = attempts.take(&seed(), &shown(600 + ahead), at(600));
            assert_eq!(later, good, "{ahead}");
            let by_ours = attempts.take(&seed(), &shown(900), at(900));
            assert_eq!(by_ours, ahead.abs() <= 30 || !good && by_ours, "{ahead}");
        }
    }

    #[test]
    fn who_guesses_waits_ever_longer() {
        let mut attempts = Attempts::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..15 {
            assert!(!attempts.take(&seed(), &Sensitive::from("x".to_owned()), at(now)));
            let Some(until) = attempts.until else { continue };
            let before = until.secs() - AT - 1;
            assert!(!attempts.take(&seed(), &shown(before), at(before)), "not even the right one");
            waits.push(until.secs() - AT - now);
            now = until.secs() - AT;
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]);
        assert!(attempts.take(&seed(), &shown(now), at(now)), "then it is good again");
        assert_eq!((attempts.wrong, attempts.until), (0, None));
    }
}
