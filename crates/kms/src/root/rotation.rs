//! The change of the root key while requests run.
//!
//! ```text
//! begin    one commit: `root-rotation` says from and to. From here on new partition keys are
//!          wrapped by the new root
//! step     one commit per page: wraps a page of partition keys anew, and says how far it came
//! last     the last page's commit, after a look at all pages before: also the root record's
//!          canary, and `root-rotation` is gone
//! ```
//!
//! Between any two commits the process may die: both roots are needed to start again, and
//! [`rotate_root`] goes on where it stopped. A partition key that another request makes meanwhile
//! has read `root` or `root-rotation`, so it is either seen here or made once more under the new
//! root.

use crate::Error;
use crate::partition::{check_canary, open_row, parse_row_key, wrap_aad};
use crate::rows::{KEK_PREFIX, KEKS, KekRow, ROOT, ROTATION, RotationRow};
use crate::start::{open_root_row, root_row};
use base::Entropy;
use envelope::{Keyring, OpenError, RootError, RootKey, Roots};
use std::ops::Bound;
use std::sync::Arc;
use store::{Backend, KeyRange};

/// What is told after each commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Partition keys wrapped anew so far, in this run.
    pub wrapped: usize,
    /// Whether nothing is left to do.
    pub finished: bool,
}

/// Wraps all partition keys by `new` instead of the root key they are wrapped by now.
///
/// Requests go on: while it runs the keyring holds both roots, afterwards only `new`. Can be called
/// again after any failure, and goes on where it stopped; when all is done already it says so and
/// changes nothing. `new` must be durably kept before this is called.
///
/// # Errors
///
/// - [`Error::Damaged`]: a partition key doesn't open; nothing of its page was changed.
/// - [`Error::Root`]: the old root key is not in the keyring, or a provider doesn't answer.
/// - [`Error::RotationUnderWay`]: the store is on its way to a third root key.
/// - [`Error::Store`]: including a conflict that did not go away.
pub async fn rotate_root(
    backend: &dyn Backend,
    keyring: &Keyring,
    new: Arc<dyn RootKey>,
    entropy: &dyn Entropy,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), Error> {
    let (mut state, mut wrapped, mut conflicts) = (State::New, 0, 0);
    while state != State::Done {
        let outcome = match state {
            State::New => begin(backend, keyring, &new).await.map(|next| (0, next)),
            _ => step(backend, keyring, &*new, entropy).await,
        };
        match outcome {
            Ok((count, next)) => (wrapped, conflicts, state) = (wrapped + count, 0, next),
            // Another commit came in between: the same again, on fresh reads.
            Err(Error::Store(store::Error::Conflict { .. })) if conflicts < MAX_CONFLICTS => {
                conflicts += 1;
                continue;
            }
            Err(error) => return Err(error),
        }
        if state == State::Under && wrapped > 0 {
            progress(Progress { wrapped, finished: false });
        }
    }
    keyring.replace_roots(Roots::only(new));
    progress(Progress { wrapped, finished: true });
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Under,
    Done,
}

/// Writes down where to, unless that is written already.
async fn begin(
    backend: &dyn Backend,
    keyring: &Keyring,
    new: &Arc<dyn RootKey>,
) -> Result<State, Error> {
    let mut txn = store::begin(backend);
    let root = txn.find(&ROOT, &()).await?.ok_or(Error::NotInitialized)?;
    let under_way = txn.find(&ROTATION, &()).await?;
    match &under_way {
        Some(rotation) if rotation.to != new.id() => {
            return Err(Error::RotationUnderWay { to: rotation.to.clone() });
        }
        None if root.id == new.id() => return Ok(State::Done),
        _ => (),
    }

    let old = keyring.roots().find(&root.id).map(Arc::clone);
    let old = old.ok_or_else(|| RootError::Unknown { id: root.id.clone() })?;
    // Both are at hand before the first row can need the new one.
    keyring.replace_roots(Roots::both(Arc::clone(new), old));
    open_root_row(keyring, &root)?;
    if under_way.is_none() {
        txn.save(&ROTATION, &(), &RotationRow::new(&root.id, &**new))?;
        txn.commit().await?;
    }
    Ok(State::Under)
}

/// Wraps one page anew; with the last page also the root record.
async fn step(
    backend: &dyn Backend,
    keyring: &Keyring,
    new: &dyn RootKey,
    entropy: &dyn Entropy,
) -> Result<(usize, State), Error> {
    let mut txn = store::begin(backend);
    // Gone means that another node has finished it.
    let Some(rotation) = txn.find(&ROTATION, &()).await? else { return Ok((0, State::Done)) };
    let mut range = KeyRange::prefix(KEK_PREFIX);
    if let Some(position) = rotation.position.clone() {
        range.from = Bound::Excluded(position);
    }
    let page = txn.page::<KekRow>(range, PAGE, false).await?;
    let mut wrapped = 0;
    for (key, row) in &page.rows {
        if row.root != new.id() {
            txn.save(&KEKS, key, &rewrap(keyring, new, entropy, (key, row))?)?;
            wrapped += 1;
        }
    }

    let state = match page.rows.last() {
        Some((last, _)) if page.more => {
            let position = Some(last.clone());
            txn.save(&ROTATION, &(), &RotationRow { position, ..rotation })?;
            State::Under
        }
        // Once more from the start, rather than give up a root key that is still needed.
        _ if rotation.position.is_some() && any_left(backend, new.id()).await? => {
            txn.save(&ROTATION, &(), &RotationRow { position: None, ..rotation })?;
            State::Under
        }
        _ => {
            let root = txn.find(&ROOT, &()).await?.ok_or(Error::NoRootRecord)?;
            let key = open_root_row(keyring, &root)?;
            txn.save(&ROOT, &(), &root_row(new, &key, entropy, root.created)?)?;
            txn.remove(&ROTATION, &());
            State::Done
        }
    };
    txn.commit().await?;
    Ok((wrapped, state))
}

/// Whether a partition key before the last page is wrapped by another root than `new`.
async fn any_left(backend: &dyn Backend, new: &str) -> Result<bool, Error> {
    let mut txn = store::begin(backend);
    let position = txn.find(&ROTATION, &()).await?.and_then(|it| it.position);
    let mut range = KeyRange::prefix(KEK_PREFIX);
    if let Some(position) = position {
        range.to = Bound::Included(position);
    }
    loop {
        let page = txn.page::<KekRow>(range.clone(), 8 * PAGE, false).await?;
        if page.rows.iter().any(|(_, row)| row.root != new) {
            return Ok(true);
        }
        match page.rows.last() {
            Some((last, _)) if page.more => range.from = Bound::Excluded(last.clone()),
            _ => return Ok(false),
        }
    }
}

/// The same partition key under the root `new`, opened once before it is trusted.
fn rewrap(
    keyring: &Keyring,
    new: &dyn RootKey,
    entropy: &dyn Entropy,
    (key, row): (&str, &KekRow),
) -> Result<KekRow, Error> {
    let components = store::path::components(key).unwrap_or_default();
    let damaged = |reason| Error::Damaged { what: format!("row `{key}`"), reason };
    let (place, generation) =
        parse_row_key(&components).ok_or_else(|| damaged(OpenError::Foreign))?;
    let kek = open_row(keyring, place, generation, row)?;

    let aad = wrap_aad(place, generation, new.id());
    let wrapped = new.wrap(&aad, &kek, entropy)?;
    let again = new.unwrap(&aad, &wrapped)?;
    check_canary(&again, place, generation, row)?;
    let (root, canary) = (new.id().to_owned(), row.canary.clone());
    Ok(KekRow { root, wrapped, canary, created: row.created })
}

/// Rows of one commit: few enough for the engine with the narrowest transactions.
const PAGE: usize = 32;
const MAX_CONFLICTS: u32 = 100;
