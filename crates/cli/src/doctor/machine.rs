//! The machine: room on the disk, and the clock.

use super::{Finding, Subject};
use base::{Clock, SystemClock, Timestamp};
use std::time::Duration;
use trail::Reader;

const MIB: u64 = 1 << 20;
const SCARCE: u64 = 1024 * MIB;
const TOO_LITTLE: u64 = 64 * MIB;

/// Clients and server may differ by five minutes before signatures are refused.
const TOLERATED: Duration = Duration::from_mins(5);
/// No clock is right that shows a time before this program was written: 2026-01-01.
const EARLIEST: Timestamp = Timestamp::from_secs(1_767_225_600);

/// There is room to write.
pub(super) fn disk(subject: &Subject) -> Finding {
    let free = match rustix::fs::statvfs(subject.data.path()) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            return Finding::fail(format!("can't ask for free space: {error}"), "check the path");
        }
    };
    let remedy = "make room; writes are refused when there is none, reads go on";
    let fact = format!("{} MiB free", free / MIB);
    match free {
        _ if free < TOO_LITTLE => Finding::fail(fact, remedy),
        _ if free < SCARCE => Finding::warn(fact, remedy),
        _ => Finding::ok(fact),
    }
}

/// The clock isn't behind what it has shown before.
pub(super) fn clock(subject: &Subject) -> Finding {
    let now = SystemClock.now();
    // The newest record tells the latest time this machine has believed in.
    let newest = Reader::last(&subject.data.journal(), 1)
        .and_then(|mut it| it.read())
        .ok()
        .flatten()
        .map(|it| it.at);
    judged(now, newest)
}

fn judged(now: Timestamp, newest: Option<Timestamp>) -> Finding {
    let remedy = "set it by a time service; signatures off by five minutes are refused";
    if now < EARLIEST {
        return Finding::fail(format!("shows {now}, which can't be"), remedy);
    }
    match newest.filter(|it| now.plus(TOLERATED) < *it) {
        Some(newest) => {
            let fact = format!("shows {now}, but an audit record is from {newest}");
            Finding::fail(fact, remedy)
        }
        None => Finding::ok(format!("shows {now}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn a_clock_behind_its_own_records_is_wrong() {
        let now = Timestamp::from_secs(1_800_000_000);
        #[rustfmt::skip]
        let cases = [
            (now,                         None,                                        Grade::Ok),
            (now,                         Some(now.minus(TOLERATED)),                  Grade::Ok),
            (now,                         Some(now.plus(TOLERATED)),                   Grade::Ok),
            (now,                         Some(now.plus(TOLERATED + Duration::from_secs(1))),    Grade::Fail),
            (Timestamp::from_secs(86400), None,                                        Grade::Fail),
        ];
        for (now, newest, expected) in cases {
            assert_eq!(judged(now, newest).grade, expected, "{now} {newest:?}");
        }
    }
}
