//! Telling what happened where the chain doesn't hold.
//!
//! That it doesn't hold is certain; what was done to it is told from how the lines around the break
//! fit together.

use super::{Check, Reason};
use crate::Error;
use crate::hash::{Hash, link};
use crate::head::Opening;
use crate::line::{self, Kind, Line};
use crate::segments::{self, Lines, Next};

/// What the broken line says it is.
#[derive(Clone, Copy, Debug)]
struct Claim {
    kind: Kind,
    sequence: u64,
    hash: Hash,
    /// The segment it opens, if it is whole in itself: it carries the hash of the line before it.
    opens: Option<u64>,
    /// It would stand here if the head before it weren't missing.
    misses_head: bool,
}

/// What the lines behind the broken one tell.
#[derive(Clone, Copy, Debug, Default)]
struct Rest {
    /// The line that belongs in its place is among them.
    holds_the_next: bool,
    /// The broken line itself is among them.
    holds_it_again: bool,
}

impl Check<'_> {
    /// What happened at line `place`, byte `offset`, of segment `number`, which doesn't follow.
    pub(super) fn diagnose(&self, number: u64, offset: u64, place: u64) -> Result<Reason, Error> {
        let Some(mut lines) = Lines::open(self.folder, segments::name(number), offset)? else {
            return Ok(Reason::MissingSegment);
        };
        let claim = match lines.next()? {
            Next::Torn(text) => return Ok(self.unended(text)),
            Next::End | Next::Endless => None,
            Next::Line(text) => match line::parse(text) {
                Err(_) => None,
                Ok(line) => match self.alone(&line) {
                    Some(reason) => return Ok(reason),
                    None => Some(self.claim(&line)),
                },
            },
        };
        let rest = self.rest(lines, number, claim)?;
        Ok(self.judge(claim, rest, place))
    }

    /// What happened, where the line tells it by itself.
    fn alone(&self, line: &Line<'_>) -> Option<Reason> {
        match () {
            () if self.belongs_but_for_its_number(line) => Some(Reason::Changed),
            () if line.hash == self.walk.hash => Some(Reason::Inserted), // the last line, once more
            () => None,
        }
    }

    /// Whether the line stands where it would if the head before it weren't missing.
    fn misses_head(&self, line: &Line<'_>) -> bool {
        let head = self.heads.get(&self.walk.sequence);
        head.is_some_and(|(hash, head)| head.previous == self.walk.hash && line.follows(hash))
    }

    fn belongs_but_for_its_number(&self, line: &Line<'_>) -> bool {
        let last = self.walk.sequence;
        let numbers = [line.sequence, last, last.saturating_add(1)];
        let belongs = |kind: Kind, sequence: u64| {
            link(&self.walk.hash, kind, (sequence, line.at), line.body.as_bytes()) == line.hash
        };
        Kind::ALL.iter().any(|kind| numbers.iter().any(|it| belongs(*kind, *it)))
    }

    /// What bytes without a line feed tell at the end of a segment that has a successor.
    fn unended(&self, text: &[u8]) -> Reason {
        let whole = |it: &[u8]| line::parse(it).is_ok_and(|it| it.follows(&self.walk.hash));
        let shorter = text.split_last().is_some_and(|(_, rest)| whole(rest));
        if whole(text) || shorter { Reason::Changed } else { Reason::Removed }
    }

    /// Reads on to the end of the journal.
    fn rest(&self, lines: Lines, number: u64, claim: Option<Claim>) -> Result<Rest, Error> {
        let mut rest = Rest::default();
        let mut further = Some(lines);
        let mut segment = number;
        while let Some(mut lines) = further {
            while let Next::Line(text) = lines.next()? {
                let Ok(line) = line::parse(text) else { continue };
                rest.holds_the_next |= line.follows(&self.walk.hash);
                rest.holds_it_again |= claim.is_some_and(|it| it.hash == line.hash);
            }
            segment += 1;
            further = Lines::open(self.folder, segments::name(segment), 0)?;
        }
        Ok(rest)
    }

    fn judge(&self, claim: Option<Claim>, rest: Rest, place: u64) -> Reason {
        let last = self.walk.sequence;
        let Some(Claim { kind, sequence, opens, misses_head, .. }) = claim else {
            return if rest.holds_the_next { Reason::Inserted } else { Reason::Changed };
        };
        let ahead = match kind {
            Kind::Record | Kind::Head => sequence > last,
            Kind::Segment => opens.is_some_and(|it| it > self.walk.segment),
        };
        if rest.holds_the_next {
            return if ahead && !rest.holds_it_again {
                Reason::Reordered
            } else {
                Reason::Inserted
            };
        }
        match (kind, opens) {
            _ if misses_head => Reason::Removed,
            (Kind::Segment, Some(it)) if place == 1 && it == self.walk.segment + 1 => {
                Reason::Removed
            }
            (Kind::Segment, Some(_)) if place == 1 => Reason::Reordered,
            (Kind::Segment, Some(_)) => Reason::Inserted,
            (Kind::Segment, None) => Reason::Changed,
            _ if place == 1 => Reason::Removed,
            (Kind::Record, _) if sequence > last.saturating_add(1) => Reason::Removed,
            (Kind::Record, _) if sequence <= last => Reason::Inserted,
            (Kind::Head, _) if sequence > last => Reason::Removed,
            (Kind::Head, _) if sequence < last => Reason::Inserted,
            _ => Reason::Changed,
        }
    }

    fn claim(&self, line: &Line<'_>) -> Claim {
        let Line { kind, sequence, hash, .. } = *line;
        let opening = Opening::of(line).filter(|it| line.follows(&it.previous));
        let opens = opening.map(|it| it.segment);
        Claim { kind, sequence, hash, opens, misses_head: self.misses_head(line) }
    }
}
