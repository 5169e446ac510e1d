//! From line to line along the chain.

use crate::hash::Hash;
use crate::head::{Head, MAX_UNSIGNED, Opening};
use crate::key::PublicKey;
use crate::line::{Kind, Line};
use base::Timestamp;

/// Where the chain stands after the lines walked so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Walk {
    key: PublicKey,
    /// The hash of the last line.
    pub(crate) hash: Hash,
    /// The number of the last record.
    pub(crate) sequence: u64,
    /// Records since the last head.
    pub(crate) unsigned: u64,
    /// The segment walked through.
    pub(crate) segment: u64,
    /// The latest instant of a record or an opening.
    pub(crate) newest: Timestamp,
}

/// Why a line can't be the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// It says what no journal writes there, though the chain holds.
    Form,
    /// It isn't chained to the line before.
    Hash,
    /// A head that the journal's key didn't sign.
    Signature,
    /// One record too many without a head.
    Unsigned,
}

impl Misfit {
    /// The same as a sentence.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Form => "not what a journal writes there",
            Self::Hash => "changed, or not behind the line it was written behind",
            Self::Signature => "signed with another key",
            Self::Unsigned => "too many records without a signed head",
        }
    }
}

impl Walk {
    /// Before the first line of the journal signed with `key`.
    pub(crate) fn from_start(key: PublicKey) -> Self {
        Self {
            key,
            hash: Hash::GENESIS,
            sequence: 0,
            unsigned: 0,
            segment: 0,
            newest: Timestamp::from_millis(i64::MIN),
        }
    }

    /// Before the segment that `line` opens, believing what it says about the lines before.
    pub(crate) fn from_opening(key: PublicKey, line: &Line<'_>) -> Option<Self> {
        let opening = Opening::of(line)?;
        let segment = opening.segment.checked_sub(1)?;
        let start = Self::from_start(key);
        Some(Self { hash: opening.previous, sequence: line.sequence, segment, ..start })
    }

    /// Goes one line on, or stays where it is.
    pub(crate) fn step(&mut self, line: &Line<'_>) -> Result<(), Misfit> {
        if !line.follows(&self.hash) {
            return Err(Misfit::Hash);
        }
        let mut next = Self { hash: line.hash, ..*self };
        match line.kind {
            Kind::Record => {
                next.sequence = self.sequence.checked_add(1).ok_or(Misfit::Form)?;
                next.unsigned += 1;
                next.newest = self.newest.max(line.at);
                if next.unsigned > MAX_UNSIGNED {
                    return Err(Misfit::Unsigned);
                }
            }
            Kind::Head => {
                let head = Head::of(line).filter(|it| it.previous == self.hash);
                if !head.ok_or(Misfit::Form)?.signed_by(&self.key) {
                    return Err(Misfit::Signature);
                }
                next.unsigned = 0;
            }
            Kind::Segment => {
                let opening = Opening::of(line).ok_or(Misfit::Form)?;
                let fits = opening.previous == self.hash
                    && Some(opening.segment) == self.segment.checked_add(1)
                    && self.unsigned == 0
                    && line.at >= self.newest;
                if !fits {
                    return Err(Misfit::Form);
                }
                next.segment = opening.segment;
                next.newest = line.at;
            }
        }
        if line.sequence != next.sequence || next.segment == 0 {
            return Err(Misfit::Form);
        }
        *self = next;
        Ok(())
    }
}
