//! Which versions go for want of a label, and when.
//!
//! Beyond 100 versions the oldest without a label go, none of them younger than a day. Source: User Guide,
//! "What's in a secret"; when exactly they go is left open there.

use crate::Error;
use crate::limits::VERSIONS_KEPT;
use crate::maintenance::{PORTION, Work, removal};
use crate::secret::{Place, Secret, secrets};
use crate::stages::VersionId;
use crate::version::{Head, values, versions_of};
use base::Timestamp;
use std::ops::Bound;
use std::time::Duration;
use store::Txn;

/// No version younger than this is removed for want of a label.
const YOUNG: Duration = Duration::from_hours(24);
/// Heads of versions read at a time.
const LOOK: usize = 256;
/// A look at all versions is worth this part of those that are too many: looking then costs a few reads
/// for each that goes, however many there are.
const SHARE: usize = 8;
/// How often a portion is tried again that others were in the way of.
const ATTEMPTS: usize = 8;

/// Removes the versions of `secret` that are too many and old enough.
///
/// Looks at all of them once, and then removes portion by portion without looking again.
pub(crate) async fn trim(work: &Work<'_>, place: &Place, secret: &Secret) -> Result<(), Error> {
    let mut txn = store::begin(work.ports.backend);
    let old = unlabelled(&mut txn, place, secret).await?;
    let surplus = secret.versions.saturating_sub(VERSIONS_KEPT) as usize;
    let plan = Plan::new(old, surplus, work.now);
    let (last, portions) = plan.portions();
    for portion in portions {
        // Until the last, the secret stays due: killed here, the next step looks again.
        if !remove(work, place, secret, (portion, Some(work.now))).await? {
            return Ok(());
        }
    }
    remove(work, place, secret, (last, plan.next)).await.map(drop)
}

/// The versions that carry no label, with their ages, in no order.
async fn unlabelled(
    txn: &mut Txn<'_>,
    place: &Place,
    secret: &Secret,
) -> Result<Vec<(Timestamp, VersionId)>, Error> {
    let labelled = secret.stages.by_version();
    let pins = secret.pins();
    let mut found = Vec::new();
    let mut range = versions_of(place, &secret.id);
    loop {
        let page = txn.page::<Head>(range.clone(), LOOK, false).await?;
        let last = page.rows.last().map(|(key, _)| key.clone());
        let heads = page.rows.into_iter().map(|(_, head)| (head.created, head.id));
        found.extend(heads.filter(|(_, id)| !labelled.contains_key(id) && !pins.contains(id)));
        match last {
            Some(key) if page.more => range.from = Bound::Excluded(key),
            _ => return Ok(found),
        }
    }
}

/// Removes those of `ids` that carry no label by now, in one transaction, and notes when to look again.
/// Tells whether it could.
async fn remove(
    work: &Work<'_>,
    place: &Place,
    looked_at: &Secret,
    (ids, next): (&[VersionId], Option<Timestamp>),
) -> Result<bool, Error> {
    for _ in 0..ATTEMPTS {
        let mut txn = store::begin(work.ports.backend);
        let before = txn.find(&secrets(), &(place, &looked_at.id)).await?;
        let Some(before) = before.filter(|it| it.deletion.is_none_or(|it| it.due > work.now))
        else {
            return Ok(false);
        };
        let mut secret = before.clone();
        let mut events = Vec::with_capacity(2 * ids.len());
        let free = |it: &&VersionId| before.stages.of(it).is_empty() && !before.pins().contains(it);
        for id in ids.iter().filter(free) {
            txn.remove(&values(), &(place, &secret.id, id));
            secret.versions = secret.versions.saturating_sub(1);
            events.extend(removal(&secret, work.now, "Retention"));
        }
        // Where one has got a label since the look, another has to go.
        let next = if events.len() < 2 * ids.len() { Some(work.now) } else { next };
        secret.trim = next.filter(|_| secret.versions > VERSIONS_KEPT);
        secret.save(&mut txn, place, &before)?;
        if work.commit(txn, place, &events).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What goes now, oldest first, and when to look again.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    gone: Vec<VersionId>,
    next: Option<Timestamp>,
}

impl Plan {
    /// A plan for the versions `old`, of which `surplus` are too many.
    fn new(mut old: Vec<(Timestamp, VersionId)>, surplus: usize, now: Timestamp) -> Self {
        old.sort();
        old.truncate(surplus);
        let ripe = old.iter().take_while(|(created, _)| created.plus(YOUNG) <= now).count();
        let rest = old.split_off(ripe);
        let worth = PORTION.max(rest.len() / SHARE).min(rest.len());
        let next = worth.checked_sub(1).and_then(|it| rest.get(it));
        Self {
            gone: old.into_iter().map(|(_, id)| id).collect(),
            next: next.map(|(created, _)| created.plus(YOUNG)),
        }
    }

    /// The last portion, perhaps an empty one, and those before it.
    fn portions(&self) -> (&[VersionId], impl Iterator<Item = &[VersionId]>) {
        let whole = self.gone.len().saturating_sub(1) / PORTION * PORTION;
        let (before, last) = self.gone.split_at_checked(whole).unwrap_or((&self.gone, &[]));
        (last, before.chunks(PORTION))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many versions, one a minute from 1970 on.
    fn versions(count: u32) -> Vec<(Timestamp, VersionId)> {
        let minute = |it: u32| Timestamp::from_secs(i64::from(it) * 60);
        (0..count).map(|it| (minute(it), VersionId(format!("{it:05}")))).rev().collect()
    }

    #[test]
    fn the_oldest_surplus_goes_when_it_is_a_day_old() {
        const DAY: i64 = 24 * 60;
        #[rustfmt::skip]
        let cases = [
            // versions surplus  now in minutes   gone   next in minutes
            (120,       20,      DAY - 1,         0,     Some(DAY + 19)), // all of it at once
            (120,       20,      DAY + 4,         5,     Some(DAY + 19)),
            (120,       20,      DAY + 19,        20,    None),
            (120,       20,      9 * DAY,         20,    None),
            (120,       0,       9 * DAY,         0,     None),
            (500,       400,     DAY - 1,         0,     Some(DAY + 99)), // a portion
            (10_000,    9_900,   DAY - 1,         0,     Some(DAY + 1236)), // an eighth
            (10_000,    9_900,   99 * DAY,        9_900, None),
            (3,         100,     99 * DAY,        3,     None), // the others carry labels
        ];
        for (count, surplus, now, gone, next) in cases {
            let plan = Plan::new(versions(count), surplus, Timestamp::from_secs(now * 60));
            let expected: Vec<_> = (0..gone).map(|it| VersionId(format!("{it:05}"))).collect();
            assert_eq!(plan.gone, expected, "{count} {surplus} {now}");
            let next = next.map(|it| Timestamp::from_secs(it * 60));
            assert_eq!(plan.next, next, "{count} {surplus} {now}");
        }
    }

    #[test]
    fn portions_are_bounded_and_hold_each_version_once() {
        for (count, sizes) in [
            (0, &[0][..]),
            (1, &[1]),
            (100, &[100]),
            (101, &[100, 1]),
            (200, &[100, 100]),
            (250, &[100, 100, 50]),
        ] {
            let ids: Vec<_> = (0..count).map(|it| VersionId(it.to_string())).collect();
            let plan = Plan { gone: ids.clone(), next: None };
            let (last, before) = plan.portions();
            let portions: Vec<_> = before.chain([last]).collect();
            assert_eq!(portions.iter().map(|it| it.len()).collect::<Vec<_>>(), sizes, "{count}");
            assert_eq!(portions.concat(), ids, "{count}");
        }
    }
}
