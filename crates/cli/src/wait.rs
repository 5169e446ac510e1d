//! The one place that waits by the clock: for other processes, which don't tell when they are done.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

/// Tries `attempt` again and again until it breaks or `limit` has passed; then the last answer.
pub(crate) fn until<B, C>(
    limit: Duration,
    mut attempt: impl FnMut() -> ControlFlow<B, C>,
) -> ControlFlow<B, C> {
    let begun = Instant::now();
    loop {
        match attempt() {
            ControlFlow::Continue(_) if begun.elapsed() < limit => pause(),
            done => return done,
        }
    }
}

/// A moment in which the other side may get on.
pub(crate) fn pause() {
    #[expect(clippy::disallowed_methods, reason = "the one place that waits")]
    std::thread::sleep(PAUSE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_break_ends_it_and_no_time_is_one_attempt() {
        let mut count = 0;
        let found: ControlFlow<_, ()> = until(Duration::MAX, || {
            count += 1;
            if count == 2 { ControlFlow::Break("there") } else { ControlFlow::Continue(()) }
        });
        assert_eq!(found, ControlFlow::Break("there"));
        assert_eq!(
            until(Duration::ZERO, || ControlFlow::<(), _>::Continue(7)),
            ControlFlow::Continue(7)
        );
    }
}
