//! What the engine looks at before it begins anything: rows of what is due, and what they lead to.

use super::work::Work;
use super::{DUE, Due, Rotation};
use crate::Error;
use crate::secret::{Place, Secret, secrets};
use base::Timestamp;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::time::Duration;
use store::{KeyRange, Txn};

/// Whom a rotation will speak to, as far as its row says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heading {
    /// The function's ARN.
    pub function: Option<String>,
    /// The server of the last time, `host:port`.
    pub server: Option<String>,
    /// When it is told to be overdue.
    pub overdue: Option<Timestamp>,
}

const PREFIX: &str = "rotation-due/";

/// Up to `limit` rows of what falls due after `after`, soonest first.
///
/// # Errors
///
/// The store's.
pub async fn due(
    work: Work<'_>,
    after: Option<&Due>,
    limit: usize,
) -> Result<Vec<Due>, store::Error> {
    let mut range = KeyRange::prefix(PREFIX);
    if let Some(after) = after {
        range.from = Bound::Excluded(DUE.key(after));
    }
    rows(work, range, limit).await
}

/// Up to `limit` rows of what is due at `work.now`, and wasn't at `since`; those after `after`, soonest first.
///
/// # Errors
///
/// The store's.
pub async fn due_now(
    work: Work<'_>,
    (since, after): (Option<Timestamp>, Option<&Due>),
    limit: usize,
) -> Result<Vec<Due>, store::Error> {
    let from = match (after, since) {
        (Some(after), _) => Bound::Excluded(DUE.key(after)),
        (None, Some(since)) => Bound::Included(later_than(since)),
        (None, None) => KeyRange::prefix(PREFIX).from,
    };
    rows(work, KeyRange { from, to: Bound::Excluded(later_than(work.now)) }, limit).await
}

/// When the first thing after `work.now` falls due.
///
/// # Errors
///
/// The store's.
pub async fn next(work: Work<'_>) -> Result<Option<Timestamp>, store::Error> {
    let from = Bound::Included(later_than(work.now));
    let range = KeyRange { from, ..KeyRange::prefix(PREFIX) };
    Ok(rows(work, range, 1).await?.first().map(|it| it.at))
}

/// The first key of what falls due after `instant`.
fn later_than(instant: Timestamp) -> String {
    let from = instant.plus(Duration::from_millis(1));
    format!("{PREFIX}{:012x}", from.millis().max(0))
}

async fn rows(work: Work<'_>, range: KeyRange, limit: usize) -> Result<Vec<Due>, store::Error> {
    let backend = work.ports.backend;
    let found = service::due::page(&mut store::begin(backend), backend, range.clone(), limit).await;
    match found {
        // What was damaged is set aside by now.
        Err(store::Error::Corrupt { .. }) => {
            service::due::page(&mut store::begin(backend), backend, range, limit).await
        }
        found => found,
    }
}

/// Whom `due` will speak to.
///
/// # Errors
///
/// The store's.
pub async fn heading(work: Work<'_>, due: &Due) -> Result<Heading, store::Error> {
    let mut txn = store::begin(work.ports.backend);
    let secret = txn.find_shared(&secrets(), &(&due.place(), &due.secret)).await?;
    let rotation = secret.as_ref().and_then(|it| it.rotation.as_ref());
    Ok(rotation.map_or_else(Heading::default, |it| Heading {
        function: it.function.clone(),
        server: it.target.clone(),
        overdue: it.overdue_at(),
    }))
}

/// Puts those of `late` off whose windows came and went while nobody was there: somewhere in the time `over`
/// from now, each where its id says. Gives those that were put off; what has begun, or isn't made up for, stays.
///
/// # Errors
///
/// The store's.
pub async fn spread(work: Work<'_>, late: &[Due], over: Duration) -> Result<BTreeSet<Due>, Error> {
    let mut txn = store::begin(work.ports.backend);
    let mut moved = BTreeSet::new();
    for due in late {
        let place = due.place();
        let Some(before) = found(&mut txn, &place, due).await? else { continue };
        let mut secret = before.clone();
        let millis = u64::try_from(over.as_millis()).unwrap_or(u64::MAX).max(1);
        let place_in_it =
            Duration::from_millis(service::spread(due.secret.as_str().bytes()) % millis);
        let at = work.now.plus(place_in_it.max(SOON));
        if secret.rotation.as_mut().is_some_and(|it| it.make_up_at(at)) {
            secret.save(&mut txn, &place, &before)?;
            moved.insert(due.clone());
        }
    }
    match txn.commit().await {
        Ok(()) => Ok(moved),
        // Somebody has written one of them: they are looked at again.
        Err(store::Error::Conflict { .. }) => Ok(BTreeSet::new()),
        Err(error) => Err(error.into()),
    }
}

/// Nothing is put off to the instant at which it is looked at.
const SOON: Duration = Duration::from_millis(1);

/// The secret that `due` leads to, if it still does.
pub(super) async fn found(
    txn: &mut Txn<'_>,
    place: &Place,
    due: &Due,
) -> Result<Option<Secret>, store::Error> {
    let found = txn.find(&secrets(), &(place, &due.secret)).await?;
    Ok(found.filter(|it| it.rotation_due() == Some(due.at)))
}

impl Rotation {
    /// Has the next window's rotation begin at `at`, if a window that has passed is made up for.
    fn make_up_at(&mut self, at: Timestamp) -> bool {
        let catches_up = self.rules.as_ref().is_some_and(schedule::Rules::catches_up);
        match &mut self.next {
            Some(next) if catches_up && self.enabled && self.job.is_none() => {
                next.fires = at;
                true
            }
            _ => false,
        }
    }
}
