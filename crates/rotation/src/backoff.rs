//! When a failed attempt is followed by another. Source: rotation.md §5.8.

use base::{Entropy, Timestamp};
use secrets::rotation::Again;
use std::time::Duration;

/// Attempts in one window.
pub(crate) const ATTEMPTS: u32 = 5;
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_mins(30);
/// Nobody is asked again sooner.
const SHORTEST: Duration = Duration::from_secs(1);

/// When the attempt after the `attempt`th begins: somewhere in a time that doubles.
pub(crate) fn after(attempt: u32, now: Timestamp, entropy: &dyn Entropy) -> Again {
    if attempt >= ATTEMPTS {
        return Again::Window;
    }
    let most = LONGEST.min(FIRST * 2_u32.saturating_pow(attempt.saturating_sub(1)));
    let millis = u32::try_from(most.as_millis()).unwrap_or(u32::MAX);
    let wait = Duration::from_millis(entropy.below(millis.max(1)).into());
    Again::At(now.plus(wait.max(SHORTEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let now = Timestamp::from_secs(1_000_000);
        for (attempt, least, most) in [(1, 1, 30), (2, 1, 60), (3, 1, 120), (4, 1, 240)] {
            for _ in 0..100 {
                let Again::At(at) = after(attempt, now, &base::SystemEntropy) else {
                    unreachable!("{attempt}")
                };
                let waited = at.since(now).as_secs_f64();
                assert!(
                    (f64::from(least)..=f64::from(most)).contains(&waited),
                    "{attempt} {waited}"
                );
            }
        }
        assert_eq!(after(ATTEMPTS, now, &base::SystemEntropy), Again::Window);
        assert_eq!(after(u32::MAX, now, &base::SystemEntropy), Again::Window);
    }
}
