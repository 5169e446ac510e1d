//! Reads what is due into the queue, a portion at a time.

use crate::engine::Ground;
use crate::queue::{Entry, Line, Queue};
use base::Timestamp;
use secrets::rotation::Due;
use secrets::rotation::look;
use secrets::rotation::work::Work;
use service::chain;
use std::collections::BTreeSet;
use std::time::Duration;

/// Reads what is due into the queue.
///
/// A round goes over all that is due, a portion a turn, and is made when something may have become due that the
/// queue doesn't know: not at each turn, or a thousand rotations would read a million rows. Where only time has
/// passed, it goes over what has become due since the last one.
#[derive(Debug)]
pub(crate) struct Intake {
    /// Whether a round is to be made.
    wanted: bool,
    /// How far the round under way has come.
    round: Option<Round>,
    /// Whether the last round found more than there was room for.
    left: bool,
    /// The next round doesn't begin before: a long one is followed by a pause.
    rests_until: Option<Timestamp>,
    /// When the next thing falls due.
    next: Option<Timestamp>,
    /// Up to which instant what is due was read.
    known: Option<Timestamp>,
    /// When the last round over all that is due began.
    began: Option<Timestamp>,
    /// Rows of secrets that waited or were under way when they were read.
    passed: BTreeSet<Due>,
    /// The instant of the last turn.
    seen: Option<Timestamp>,
    /// What was due before this instant was missed, because nobody was there.
    missed_before: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Round {
    /// Only what falls due later, if not all.
    since: Option<Timestamp>,
    after: Option<Due>,
    portions: usize,
    left: bool,
    /// Over how long what was missed is spread, once that is known.
    spread: Option<Duration>,
}

/// Rows read at a time.
const PAGE: usize = 256;
/// Pages read in one turn: what may begin isn't held up by what is read.
const PORTION: usize = 16;
/// What became due while it was under way, or was sent back, is met at the latest then.
const AT_LEAST: Duration = Duration::from_mins(1);
/// After a round of more than one portion.
const REST: Duration = Duration::from_secs(1);
/// Who was away for longer has missed what was due meanwhile.
const AWAY: Duration = Duration::from_mins(5);
/// Of so many that were missed, one a second begins.
const FEW: usize = 600;
const SPREAD_FEW: Duration = Duration::from_mins(10);
/// Of more, one in a hundred begins each minute.
const SPREAD_MANY: Duration = Duration::from_mins(100);

impl Intake {
    pub(crate) fn new() -> Self {
        Self {
            wanted: true,
            round: None,
            left: false,
            rests_until: None,
            next: None,
            known: None,
            began: None,
            passed: BTreeSet::new(),
            seen: None,
            missed_before: None,
        }
    }

    /// Has what is due be read again: something may have become due that nobody has told of.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// Notes that what `begun` led to is over. If the secret had another row by then, that was passed by.
    pub(crate) fn ended(&mut self, begun: &Due) {
        let of = |it: &&Due| {
            (&it.secret, &it.account, &it.region) == (&begun.secret, &begun.account, &begun.region)
        };
        let others: Vec<_> = self.passed.iter().filter(of).cloned().collect();
        for row in others {
            self.wanted |= row != *begun;
            self.passed.remove(&row);
        }
    }

    /// Offers what is due to `queue`; tells when there is something to read again.
    pub(crate) async fn turn(
        &mut self,
        ground: &Ground,
        queue: &mut Queue,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, secrets::Error> {
        self.note(now);
        let resting = self.rests_until.is_some_and(|it| now < it);
        self.wanted |= self.left && queue.is_low();
        self.wanted |= self.began.is_some_and(|it| it.plus(AT_LEAST) <= now);
        if self.round.is_none() && self.wanted && !resting {
            (self.wanted, self.round, self.began) = (false, Some(Round::default()), Some(now));
            self.passed.clear();
        } else if self.round.is_none() && self.next.is_some_and(|it| it <= now) {
            self.round = Some(Round { since: self.known, ..Round::default() });
        }
        if let Some(mut round) = self.round.take() {
            let all = round.since.is_none();
            match self.read(ground, queue, (&mut round, now)).await {
                Ok(true) => (),
                Ok(false) => {
                    self.round = Some(round);
                    return Ok(Some(now));
                }
                Err(error) => {
                    self.wanted |= all;
                    return Err(error);
                }
            }
            self.left = round.left || (self.left && !all);
            self.known = Some(now);
            self.missed_before = None;
            if all && round.portions > 1 {
                self.rests_until = Some(now.plus(REST));
            }
        }
        self.next = look::next(Work { now, ..ground.work() }).await?;
        let rest = self.rests_until.filter(|it| self.wanted && now < *it);
        Ok([self.next, rest].into_iter().flatten().min())
    }

    /// Finds out whether nobody was there for a while, or the clock has been set.
    fn note(&mut self, now: Timestamp) {
        let away = self.seen.is_none_or(|it| it.plus(AWAY) < now);
        let back = self.seen.is_some_and(|it| now < it);
        if away {
            self.missed_before = Some(now.minus(AWAY));
        }
        if away || back {
            (self.wanted, self.round, self.rests_until) = (true, None, None);
        }
        self.seen = Some(now);
    }

    /// Reads a portion; whether the round is over with it.
    async fn read(
        &mut self,
        ground: &Ground,
        queue: &mut Queue,
        (round, now): (&mut Round, Timestamp),
    ) -> Result<bool, secrets::Error> {
        round.portions += 1;
        for _ in 0..PORTION {
            let work = Work { now, ..ground.work() };
            let from = (round.since, round.after.as_ref());
            let page = look::due_now(work, from, PAGE).await?;
            round.after = page.last().cloned();
            let moved = self.make_up(ground, round, &page).await?;
            for due in page.iter().filter(|it| !moved.contains(it)) {
                if queue.knows(due) {
                    self.passed.insert(due.clone());
                    continue;
                }
                match ground.entry(due).await {
                    Ok(entry) => round.left |= !queue.offer(entry),
                    // One damaged secret holds up nobody else.
                    Err(error @ secrets::Error::Store(store::Error::Corrupt { .. })) => {
                        let secret = due.secret.as_str();
                        tracing::error!(cause = chain(&error), secret, "a rotation can't begin");
                    }
                    Err(error) => return Err(error),
                }
            }
            if page.len() < PAGE {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts what was missed off, so that not all of it begins at once; gives what was put off.
    async fn make_up(
        &self,
        ground: &Ground,
        round: &mut Round,
        page: &[Due],
    ) -> Result<BTreeSet<Due>, secrets::Error> {
        let Some(before) = self.missed_before else { return Ok(BTreeSet::new()) };
        let late: Vec<_> = page.iter().filter(|it| it.at < before).cloned().collect();
        if late.is_empty() {
            return Ok(BTreeSet::new());
        }
        let over = if let Some(known) = round.spread {
            known
        } else {
            let some = look::due(ground.work(), None, FEW + 1).await?;
            let many = some.len() > FEW && some.iter().all(|it| it.at < before);
            *round.spread.insert(if many { SPREAD_MANY } else { SPREAD_FEW })
        };
        look::spread(ground.work(), &late, over).await
    }
}

impl Ground {
    /// What waits in the queue for `due`.
    async fn entry(&self, due: &Due) -> Result<Entry, secrets::Error> {
        let look::Heading { function, server, overdue } = look::heading(self.work(), due).await?;
        let native = function.as_deref().is_some_and(|it| self.functions.native(it).is_some());
        let line = match (function, server) {
            (Some(function), _) if !native => Line::Function(function),
            (_, Some(server)) => Line::Server(server),
            (_, None) => Line::New,
        };
        Ok(Entry { due: due.clone(), line, overdue })
    }
}
