//! Reads what is due for leases into the queue, a portion at a time.

use crate::engine::Ground;
use crate::queue::{Entry, Line, Queue};
use base::Timestamp;
use secrets::lease::{Due, look};
use secrets::rotation::work::Work;
use service::chain;
use std::time::Duration;

/// Reads what is due for leases into the queue, as [`crate::intake::Intake`] does for rotations: all of it when something
/// may be due that nobody knows, and else what has become due since.
#[derive(Debug, Default)]
pub(super) struct Intake {
    /// Whether nothing that may be due is unknown.
    knows: bool,
    /// Whether somebody has told of something since the last round began.
    told: bool,
    /// How far the round under way has come.
    round: Option<Round>,
    /// Whether the last round found more than there was room for.
    left: bool,
    /// The next whole round doesn't begin before: a long one is followed by a pause.
    rests_until: Option<Timestamp>,
    /// When the next thing falls due.
    next: Option<Timestamp>,
    /// Up to which instant what is due was read.
    known: Option<Timestamp>,
    /// When the last whole round began.
    whole: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Round {
    /// Only what falls due later, if not all.
    since: Option<Timestamp>,
    after: Option<Due>,
    portions: usize,
    left: bool,
}

/// Rows read at a time.
const PAGE: usize = 256;
/// Pages read in one turn: what may begin isn't held up by what is read.
const PORTION: usize = 16;
/// After a whole round of more than one portion.
const REST: Duration = Duration::from_secs(1);
/// A whole round is made so often, whatever is known.
const WHOLE: Duration = Duration::from_mins(1);
/// What is asked for is due when the call came, and in the store some time later.
const LATE: Duration = Duration::from_secs(10);
/// So often rows are read again of which some had to be set aside.
const ATTEMPTS: usize = 64;

impl Intake {
    /// Has what is due be read again: something may have become due that nobody has told of.
    pub(super) fn want(&mut self) {
        (self.knows, self.told) = (false, true);
    }

    /// Offers what is due to `queue`; tells when there is something to read again.
    pub(super) async fn turn(
        &mut self,
        ground: &Ground,
        queue: &mut Queue,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, store::Error> {
        let done = self.look(ground, queue, now).await;
        if done.is_err() {
            self.want();
        }
        done
    }

    async fn look(
        &mut self,
        ground: &Ground,
        queue: &mut Queue,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, store::Error> {
        self.begin(queue, now);
        if let Some(mut round) = self.round.take() {
            if !read(ground, queue, (&mut round, now)).await? {
                self.round = Some(round);
                return Ok(Some(now));
            }
            let all = round.since.is_none();
            self.left = round.left || (self.left && !all);
            self.known = Some(now);
            if all && round.portions > 1 {
                self.rests_until = Some(now.plus(REST));
            }
        }
        self.next = next(Work { now, ..ground.work() }).await?;
        let rest = self.rests_until.filter(|it| !self.knows && now < *it);
        Ok([self.next, rest].into_iter().flatten().min())
    }

    /// Begins a round, if one is to be made and none is under way.
    fn begin(&mut self, queue: &Queue, now: Timestamp) {
        // One that lies ahead is of a clock that has been set.
        let fresh = self.whole.is_some_and(|it| it <= now && now < it.plus(WHOLE));
        let low = self.left && queue.is_low();
        if !fresh {
            (self.round, self.rests_until) = (None, None);
        }
        self.knows &= fresh && !low;
        if self.round.is_some() {
            return;
        }
        if !self.knows && self.rests_until.is_none_or(|it| it <= now) {
            (self.knows, self.told, self.whole) = (true, false, Some(now));
            self.round = Some(Round::default());
        } else if self.told || self.next.is_some_and(|it| it <= now) {
            self.told = false;
            let since = self.known.map(|it| it.minus(LATE));
            self.round = Some(Round { since, ..Round::default() });
        }
    }
}

/// Reads a portion; whether the round is over with it.
async fn read(
    ground: &Ground,
    queue: &mut Queue,
    (round, now): (&mut Round, Timestamp),
) -> Result<bool, store::Error> {
    round.portions += 1;
    for _ in 0..PORTION {
        let work = Work { now, ..ground.work() };
        let from = (round.since, round.after.as_ref());
        let page = page(work, from).await?;
        for due in &page {
            let queued = due.queued();
            if queue.knows(&queued) {
                continue;
            }
            let line = Line::Server(look::target(work, due).await?);
            let before = queue.waiting();
            let taken = queue.offer(Entry { due: queued, line, overdue: None });
            // Or somebody was sent back for it.
            round.left |= !taken || queue.waiting() == before;
        }
        if page.len() < PAGE {
            return Ok(true);
        }
        round.after = page.into_iter().next_back();
    }
    Ok(false)
}

/// A page of what is due, once the rows are set aside that are damaged: they hold nobody up.
async fn page(
    work: Work<'_>,
    from: (Option<Timestamp>, Option<&Due>),
) -> Result<Vec<Due>, store::Error> {
    for _ in 1..ATTEMPTS {
        match look::due_now(work, from, PAGE).await {
            Err(error @ store::Error::Corrupt { .. }) => tell(&error),
            done => return done,
        }
    }
    look::due_now(work, from, PAGE).await
}

/// When the next thing falls due; at once, if something had to be set aside.
async fn next(work: Work<'_>) -> Result<Option<Timestamp>, store::Error> {
    match look::next(work).await {
        Err(error @ store::Error::Corrupt { .. }) => {
            tell(&error);
            Ok(Some(work.now))
        }
        found => found,
    }
}

fn tell(error: &store::Error) {
    tracing::error!(cause = chain(error), "rows of leases that are due are set aside");
}
