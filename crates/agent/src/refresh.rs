//! When to fetch a session anew: pure, stepped by whoever holds the sessions.
//!
//! A new session is there at least 30 minutes before the old one ends, because clients differ in how
//! late they ask again: botocore goes on using keys from the metadata service that have less than 20
//! minutes left. What nobody asks for any more is left to expire.

use base::{Entropy, Timestamp};
use std::time::Duration;

/// What one session's renewal knows. Holds no credentials.
#[derive(Debug, Default)]
pub(crate) struct Refresh {
    held: Option<Held>,
    asked: Option<Timestamp>,
    failures: u32,
    retry: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    /// When its fetch began: who asked since then wants the next one too.
    begun: Timestamp,
    /// When to fetch the next one.
    due: Timestamp,
    expires: Timestamp,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Fetch a session, and tell of it by [`Refresh::fetched`] or [`Refresh::failed`].
    Fetch,
    /// The session has ended: wipe it.
    Forget,
    /// Nothing until then, or until somebody asks.
    Wait(Timestamp),
    /// Nothing until somebody asks.
    Rest,
}

/// The next session is fetched this long before the end of the last, and up to [`JITTER`] earlier.
const LEAD: Duration = Duration::from_mins(35);
const JITTER: Duration = Duration::from_mins(5);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

impl Refresh {
    /// Somebody wants the session.
    pub(crate) fn ask(&mut self, now: Timestamp) {
        self.asked = self.asked.max(Some(now));
    }

    /// Whether the last fetch failed so recently that the next has to wait.
    pub(crate) fn is_pausing(&self, now: Timestamp) -> bool {
        self.retry.is_some_and(|it| now < it)
    }

    /// What is to be done at `now`.
    pub(crate) fn step(&mut self, now: Timestamp) -> Step {
        if self.held.is_some_and(|it| it.expires <= now) {
            self.held = None;
            return Step::Forget;
        }
        let next = match self.held {
            Some(held) if self.asked < Some(held.begun) => return Step::Wait(held.expires),
            Some(held) => held.due.max(self.retry.unwrap_or(held.due)).min(held.expires),
            None => match (self.asked, self.retry) {
                // Nobody waits, but the next to come shall know of the failure.
                (None, Some(retry)) if now < retry => return Step::Wait(retry),
                (None, _) => return Step::Rest,
                (Some(_), retry) => retry.unwrap_or(now),
            },
        };
        if next <= now { Step::Fetch } else { Step::Wait(next) }
    }

    /// A session that ends at `expires` has arrived; its fetch was begun at `begun`.
    pub(crate) fn fetched(&mut self, begun: Timestamp, expires: Timestamp, chance: &dyn Entropy) {
        if self.held.is_none() {
            // Who asked a moment before its fetch began asked for this one.
            self.asked = self.asked.max(Some(begun));
        }
        let lifetime = expires.since(begun);
        let jitter = part(JITTER, chance);
        // Sessions too short for that are renewed after a third of their time.
        let lead = (LEAD + jitter).min(lifetime / 3 * 2);
        self.held = Some(Held { begun, due: expires.minus(lead), expires });
        (self.failures, self.retry) = (0, None);
    }

    /// No session has arrived. Says how long to wait before the next attempt. Who had asked before
    /// is forgotten unless a session is held: they have their answer, and ask again.
    pub(crate) fn failed(&mut self, now: Timestamp, chance: &dyn Entropy) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        let pause = doubled.min(LONGEST_PAUSE);
        let pause = pause / 2 + part(pause / 2, chance);
        self.failures = self.failures.saturating_add(1);
        self.retry = Some(now.plus(pause));
        if self.held.is_none() {
            self.asked = None;
        }
        pause
    }
}

/// Some part of `whole`, exact to the millisecond.
fn part(whole: Duration, chance: &dyn Entropy) -> Duration {
    let millis = u32::try_from(whole.as_millis()).unwrap_or(u32::MAX);
    Duration::from_millis(u64::from(chance.below(millis)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::chance::Seeded;

    const START: Timestamp = Timestamp::from_secs(1_767_225_600);

    fn minute(number: u64) -> Timestamp {
        START.plus(Duration::from_mins(number))
    }

    /// A renewal whose session of `minutes` was asked for and fetched at the start.
    fn holding(minutes: u64, seed: u64) -> Refresh {
        let mut refresh = Refresh::default();
        refresh.ask(START.minus(Duration::from_millis(1)));
        assert_eq!(refresh.step(START), Step::Fetch);
        refresh.fetched(START, minute(minutes), &Seeded::new(seed));
        refresh
    }

    fn is_live(refresh: &Refresh, now: Timestamp) -> bool {
        refresh.held.is_some_and(|it| now < it.expires)
    }

    fn due(refresh: &mut Refresh, now: Timestamp) -> Timestamp {
        match refresh.step(now) {
            Step::Wait(at) => at,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_fetched_that_nobody_wants() {
        assert_eq!(Refresh::default().step(START), Step::Rest);
    }

    #[test]
    fn the_next_is_there_half_an_hour_before_the_end() {
        #[rustfmt::skip]
        let cases = [
            // lifetime, due not before, due before (minutes)
            (60,         20,             25),
            (720,        680,            685),
            (15,         5,              6),
        ];
        for (lifetime, earliest, latest) in cases {
            let mut seen = std::collections::BTreeSet::new();
            for seed in 0..50 {
                let due = due(&mut holding(lifetime, seed), START);
                assert!(minute(earliest) <= due && due <= minute(latest), "{lifetime}: {due}");
                seen.insert(due);
            }
            assert!(lifetime == 15 || 40 < seen.len(), "{lifetime}: spread over the minutes");
        }
    }

    #[test]
    fn who_asked_once_finds_the_next_and_who_left_does_not_keep_it_alive() {
        let mut refresh = holding(60, 1);
        assert_eq!(refresh.step(minute(25)), Step::Fetch);
        refresh.fetched(minute(25), minute(85), &Seeded::new(2));
        assert_eq!(refresh.step(minute(50)), Step::Wait(minute(85)), "nobody has asked since");
        assert_eq!(refresh.step(minute(85)), Step::Forget);
        assert!(!is_live(&refresh, minute(85)));

        let mut refresh = holding(60, 1);
        refresh.fetched(minute(25), minute(85), &Seeded::new(2));
        refresh.ask(minute(45));
        assert_eq!(refresh.step(minute(50)), Step::Fetch, "somebody has");
    }

    #[test]
    fn failures_pause_longer_and_longer_and_the_old_one_serves_to_its_end() {
        let mut refresh = holding(60, 1);
        let chance = Seeded::new(3);
        let mut now = minute(25);
        let mut pauses = Vec::new();
        while is_live(&refresh, now) {
            match refresh.step(now) {
                Step::Fetch => pauses.push(refresh.failed(now, &chance)),
                Step::Wait(at) => now = at,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(now, minute(60), "not a moment shorter");
        for (place, pause) in pauses.iter().enumerate() {
            let whole = Duration::from_secs(1 << place.min(6)).min(LONGEST_PAUSE);
            assert!(whole / 2 <= *pause && *pause <= whole, "{place}: {pause:?}");
        }
        assert!(35 <= pauses.len() && pauses.len() < 90, "{}", pauses.len());
        assert_eq!(refresh.step(now), Step::Forget);
    }

    #[test]
    fn without_a_session_each_attempt_is_asked_for() {
        let mut refresh = Refresh::default();
        refresh.ask(START);
        let pause = refresh.failed(START, &Seeded::new(1));
        assert!(refresh.is_pausing(START) && !refresh.is_pausing(START.plus(pause)));
        assert_eq!(refresh.step(START), Step::Wait(START.plus(pause)));
        assert_eq!(refresh.step(START.plus(pause)), Step::Rest);
        refresh.ask(START);
        assert_eq!(refresh.step(START), Step::Wait(START.plus(pause)));
        assert_eq!(refresh.step(START.plus(pause)), Step::Fetch);
        refresh.fetched(START, minute(60), &Seeded::new(1));
        assert!(!refresh.is_pausing(START));
    }
}
