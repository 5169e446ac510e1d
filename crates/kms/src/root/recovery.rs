//! A second wrap of all partition keys, for the day on which the root key is lost.
//!
//! ```text
//! begin    one commit: `recovery` names the new set. From here on new partition keys are copied for it, too
//! step     one commit per page: a copy of each partition key, wrapped by the recovery key
//! last     the last page's commit: the new set is the one that counts; the copies of others go
//! ```
//!
//! The recovery key is shared out among people and kept, sealed, under the store's own partition key: so the
//! server can make copies of what comes later, and nobody without the root key, or enough shares, can read
//! them. Whoever is killed in between leaves the set from before as it was.

use crate::partition::{check_canary, open_row, parse_row_key, wrap_aad};
use crate::root::share::{self, KIND, Share};
use crate::rows::{
    AnyRow, COPIES_PREFIX, KEK_PREFIX, KEKS, KekRow, RECOVERY, ROOT, ROTATION, RecoveryRow,
    RecoverySet, copies_of, copy_key,
};
use crate::start::root_row;
use crate::{Error, Place, Purpose, Scope, open_local, seal_local};
use base::{Entropy, Sensitive, Timestamp};
use envelope::{Key, LocalRoot, OpenError, RootKey};
use std::ops::Bound;
use store::{Backend, KeyRange, Table, Txn};

/// What is told of a set of shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryNote {
    /// The recovery key's name.
    pub id: String,
    /// How many shares it takes.
    pub threshold: u8,
    /// How many there are.
    pub shares: u8,
    /// When they were made.
    pub created: Timestamp,
}

/// The set of shares that counts, if there is one.
///
/// # Errors
///
/// The store's.
pub async fn find(backend: &dyn Backend) -> Result<Option<RecoveryNote>, Error> {
    let row = store::begin(backend).find(&RECOVERY, &()).await?;
    let note = |it: RecoverySet| {
        let RecoverySet { id, threshold, shares, created, .. } = it;
        RecoveryNote { id, threshold, shares, created }
    };
    Ok(row.and_then(|it| it.active).map(note))
}

/// Makes a recovery key, wraps all partition keys by it, and gives its shares, which are kept nowhere. Those of
/// a set from before count no longer. One call at a time.
///
/// # Errors
///
/// - [`Error::Share`]: numbers that make no sense.
/// - [`Error::Store`]: also a conflict that did not go away. The set from before still counts.
pub async fn create(
    backend: &dyn Backend,
    scope: &Scope<'_>,
    numbers: (u8, u8),
) -> Result<(RecoveryNote, Vec<Share>), Error> {
    let key = Key::random(scope.entropy);
    let shares = share::split(&key, numbers, scope.entropy)?;
    let root = LocalRoot::new(KIND, Key::fill_with(|it| it.copy_from_slice(key.expose())))?;
    let (mut begun, mut conflicts) = (false, 0);
    loop {
        let outcome = if begun {
            copy_page(backend, scope, &root).await
        } else {
            begin(backend, scope, (&root, &key), numbers).await.map(|()| false)
        };
        match outcome {
            Ok(true) => break,
            Ok(false) => (begun, conflicts) = (true, 0),
            Err(Error::Store(store::Error::Conflict { .. })) if conflicts < MAX_CONFLICTS => {
                conflicts += 1;
            }
            Err(error) => return Err(error),
        }
    }
    clean(backend, root.id()).await?;
    let note = find(backend).await?.ok_or(Error::NoRecovery)?;
    Ok((note, shares))
}

async fn begin(
    backend: &dyn Backend,
    scope: &Scope<'_>,
    (root, key): (&LocalRoot, &Key),
    (threshold, shares): (u8, u8),
) -> Result<(), Error> {
    let mut txn = store::begin(backend);
    let plain = Sensitive::from(&key.expose()[..]);
    let sealed = seal_local(&mut txn, scope, Place::store(), purpose(root.id()), &plain).await?;
    let row = txn.find(&RECOVERY, &()).await?.unwrap_or_default();
    let (id, created, position) = (root.id().to_owned(), scope.now, None);
    let making = Some(RecoverySet { id, threshold, shares, created, sealed, position });
    txn.save(&RECOVERY, &(), &RecoveryRow { making, ..row })?;
    Ok(txn.commit().await?)
}

/// Copies one page; with the last one the set counts, and `true` is told.
async fn copy_page(
    backend: &dyn Backend,
    scope: &Scope<'_>,
    root: &LocalRoot,
) -> Result<bool, Error> {
    let mut txn = store::begin(backend);
    let row = txn.find(&RECOVERY, &()).await?.unwrap_or_default();
    // Another call came in between, and its set is to count.
    let making = row.making.clone().filter(|it| it.id == root.id()).ok_or(Error::NoRecovery)?;
    let mut range = KeyRange::prefix(KEK_PREFIX);
    if let Some(position) = making.position.clone() {
        range.from = Bound::Excluded(position);
    }
    let page = txn.page::<KekRow>(range, PAGE, false).await?;
    for (key, found) in &page.rows {
        let components = store::path::components(key).unwrap_or_default();
        let (place, generation) = parse_row_key(&components).ok_or_else(|| damaged(key))?;
        let kek = open_row(scope.keyring, place, generation, found)?;
        copy(&mut txn, scope, root, (place, generation), (&kek, found))?;
    }
    let done = !page.more;
    let row = match page.rows.last() {
        Some((last, _)) if page.more => {
            let making = Some(RecoverySet { position: Some(last.clone()), ..making });
            RecoveryRow { making, ..row }
        }
        _ => RecoveryRow { active: Some(RecoverySet { position: None, ..making }), making: None },
    };
    txn.save(&RECOVERY, &(), &row)?;
    txn.commit().await?;
    Ok(done)
}

/// The copies of a partition key that is made in this transaction, for the sets that need one.
///
/// INVARIANT: read in the transaction that makes the key. The begin of a set writes the same row, so no key is
/// left without its copy.
pub(crate) async fn copy_new(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    at: (Place<'_>, u32),
    (key, row): (&Key, &KekRow),
) -> Result<(), Error> {
    let Some(RecoveryRow { active, making }) = txn.find(&RECOVERY, &()).await? else {
        return Ok(());
    };
    for set in [active, making].into_iter().flatten() {
        let what = purpose(&set.id);
        let plain = open_local(txn, scope, Place::store(), what, &set.sealed).await?;
        let root = LocalRoot::new(KIND, key_of(&plain).ok_or_else(|| damaged("recovery"))?)?;
        copy(txn, scope, &root, at, (key, row))?;
    }
    Ok(())
}

fn copy(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    root: &LocalRoot,
    (place, generation): (Place<'_>, u32),
    (key, row): (&Key, &KekRow),
) -> Result<(), Error> {
    let wrapped = root.wrap(&wrap_aad(place, generation, root.id()), key, scope.entropy)?;
    let (created, canary) = (row.created, row.canary.clone());
    let copy = KekRow { root: root.id().to_owned(), created, wrapped, canary };
    Ok(txn.save(&KEKS, &copy_key(root.id(), place, generation), &copy)?)
}

/// Removes the copies of all sets but `id`.
async fn clean(backend: &dyn Backend, id: &str) -> Result<(), Error> {
    const ROWS: Table<str, AnyRow> = Table::new(ToOwned::to_owned);
    let own = copies_of(id);
    let mut range = KeyRange::prefix(COPIES_PREFIX);
    loop {
        let mut txn = store::begin(backend);
        let page = txn.page::<AnyRow>(range.clone(), PAGE, false).await?;
        for (row, _) in page.rows.iter().filter(|it| !it.0.starts_with(&own)) {
            txn.remove(&ROWS, row);
        }
        txn.commit().await?;
        match page.rows.last() {
            Some((last, _)) if page.more => range.from = Bound::Excluded(last.clone()),
            _ => return Ok(()),
        }
    }
}

/// Wraps all partition keys by `new`, with the recovery key instead of the root key that is lost. Gives how
/// many there are. Nothing else may use the store meanwhile.
///
/// Can be called again after any failure. `new` must be durably kept before this is called.
///
/// # Errors
///
/// - [`Error::NoRecovery`], [`Error::Share`]: there are no shares, or the key is not theirs.
/// - [`Error::Damaged`], [`Error::Missing`]: a copy doesn't open, or is gone; nothing of its page was changed.
pub async fn reseal(
    backend: &dyn Backend,
    recovery_key: Key,
    new: &dyn RootKey,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<usize, Error> {
    let note = find(backend).await?.ok_or(Error::NoRecovery)?;
    let root = LocalRoot::new(KIND, recovery_key)?;
    if root.id() != note.id {
        return Err(share::ShareError::Wrong.into());
    }
    let (mut range, mut count) = (KeyRange::prefix(KEK_PREFIX), 0);
    loop {
        let mut txn = store::begin(backend);
        let page = txn.page::<KekRow>(range.clone(), PAGE, false).await?;
        for (key, row) in page.rows.iter().filter(|it| it.1.root != new.id()) {
            let moved = moved(&mut txn, (&root, new), entropy, (key, row)).await?;
            txn.save(&KEKS, key, &moved)?;
        }
        count += page.rows.len();
        if !page.more {
            // The key in the root record exists for its canary only: a new one does as well.
            let row = root_row(new, &Key::random(entropy), entropy, now)?;
            txn.save(&ROOT, &(), &row)?;
            txn.remove(&ROTATION, &());
        }
        txn.commit().await?;
        match page.rows.last() {
            Some((last, _)) if page.more => range.from = Bound::Excluded(last.clone()),
            _ => return Ok(count),
        }
    }
}

/// A partition key's row under `new`, by its copy under `root`.
async fn moved(
    txn: &mut Txn<'_>,
    (root, new): (&LocalRoot, &dyn RootKey),
    entropy: &dyn Entropy,
    (key, row): (&str, &KekRow),
) -> Result<KekRow, Error> {
    let components = store::path::components(key).unwrap_or_default();
    let (place, generation) = parse_row_key(&components).ok_or_else(|| damaged(key))?;
    let copy = txn.find(&KEKS, &copy_key(root.id(), place, generation)).await?;
    let copy = copy.ok_or_else(|| Error::Missing { what: format!("the copy of `{key}`") })?;
    let kek = root.unwrap(&wrap_aad(place, generation, root.id()), &copy.wrapped)?;
    check_canary(&kek, place, generation, row)?;
    let wrapped = new.wrap(&wrap_aad(place, generation, new.id()), &kek, entropy)?;
    let (root, canary) = (new.id().to_owned(), row.canary.clone());
    Ok(KekRow { root, created: row.created, wrapped, canary })
}

fn key_of(plain: &Sensitive) -> Option<Key> {
    let bytes: &[u8; Key::LEN] = plain.expose().try_into().ok()?;
    Some(Key::fill_with(|it| it.copy_from_slice(bytes)))
}

fn purpose(id: &str) -> Purpose<'_> {
    Purpose { what: "recovery-key", whose: id }
}

fn damaged(row: &str) -> Error {
    Error::Damaged { what: format!("row `{row}`"), reason: OpenError::Foreign }
}

/// Rows of one commit: few enough for the engine with the narrowest transactions.
const PAGE: usize = 32;
const MAX_CONFLICTS: u32 = 100;
