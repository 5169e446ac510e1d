//! The first start, and every other one.

use crate::Error;
use crate::partition::{CANARY, check_canary, open_row, parse_row_key};
use crate::rows::{AnyRow, KEK_PREFIX, KekRow, ROOT, ROTATION, RootRow, RotationRow};
use base::{Entropy, Timestamp};
use envelope::{Aad, Key, Keyring, Label, OpenError, RootError, RootKey};
use std::ops::Bound;
use store::{Backend, KeyRange, Txn};

/// What a store says about its root key before any key is at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing is stored: a root key may be made.
    Empty,
    /// The store needs the root key `root`, and while it is being changed also `next`.
    Sealed {
        /// The key the store is sealed under.
        root: RootNote,
        /// The key that takes over.
        next: Option<RootNote>,
    },
}

/// What the store knows of a root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootNote {
    /// The key's name.
    pub id: String,
    /// Public facts that are needed to make it again: a passphrase's salt and parameters.
    pub recipe: Option<String>,
}

/// Looks which root key the store needs.
///
/// # Errors
///
/// - [`Error::NoRootRecord`]: the store holds rows and nothing that names their root key.
pub async fn inspect(backend: &dyn Backend) -> Result<Found, Error> {
    let mut txn = store::begin(backend);
    let Some(root) = txn.find(&ROOT, &()).await? else {
        return if is_empty(&mut txn).await? { Ok(Found::Empty) } else { Err(Error::NoRootRecord) };
    };
    let next = txn.find(&ROTATION, &()).await?;
    Ok(Found::Sealed {
        root: RootNote { id: root.id, recipe: root.recipe },
        next: next.map(|it| RootNote { id: it.to, recipe: it.to_recipe }),
    })
}

/// Seals a brand-new store under the keyring's active root key.
///
/// # Errors
///
/// - [`Error::AlreadyInitialized`]: it is sealed already; [`unlock`] it.
/// - [`Error::NoRootRecord`]: it holds rows. Nothing is written then.
pub async fn initialize(
    backend: &dyn Backend,
    keyring: &Keyring,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<(), Error> {
    let mut txn = store::begin(backend);
    if txn.find(&ROOT, &()).await?.is_some() {
        return Err(Error::AlreadyInitialized);
    }
    if !is_empty(&mut txn).await? {
        return Err(Error::NoRootRecord);
    }
    let roots = keyring.roots();
    let row = root_row(&*roots.active, &Key::random(entropy), entropy, now)?;
    txn.save(&ROOT, &(), &row)?;
    Ok(txn.commit().await?)
}

/// Proves that the keyring opens this store: the root record's canary and every partition key's.
///
/// # Errors
///
/// - [`Error::Damaged`]: a canary doesn't open. Nothing may be served then.
/// - [`Error::NoRootRecord`], [`Error::NotInitialized`]: there is nothing to open.
/// - [`Error::RotationUnfinished`]: two root keys are needed and one is missing.
/// - [`Error::WrongRoot`]: the store needs another root key.
pub async fn unlock(backend: &dyn Backend, keyring: &Keyring) -> Result<(), Error> {
    let mut txn = store::begin(backend);
    let Some(root) = txn.find(&ROOT, &()).await? else {
        let empty = is_empty(&mut txn).await?;
        return Err(if empty { Error::NotInitialized } else { Error::NoRootRecord });
    };
    match txn.find(&ROTATION, &()).await? {
        Some(rotation) => require_both(keyring, &rotation)?,
        None => require(keyring, &root)?,
    }
    open_root_row(keyring, &root)?;

    let mut range = KeyRange::prefix(KEK_PREFIX);
    loop {
        let page = txn.page::<KekRow>(range.clone(), PAGE, false).await?;
        for (key, row) in &page.rows {
            check_partition_key(keyring, key, row)?;
        }
        match page.rows.last() {
            Some((last, _)) if page.more => range.from = Bound::Excluded(last.clone()),
            _ => return Ok(()),
        }
    }
}

/// A root record: a key of its own, wrapped by `root`, with a known text under it.
pub(crate) fn root_row(
    root: &dyn RootKey,
    key: &Key,
    entropy: &dyn Entropy,
    created: Timestamp,
) -> Result<RootRow, Error> {
    let aad = root_aad(root.id());
    Ok(RootRow {
        id: root.id().to_owned(),
        recipe: root.recipe().map(ToOwned::to_owned),
        created,
        wrapped: root.wrap(&aad, key, entropy)?,
        canary: envelope::seal(key, &aad, CANARY, entropy)?,
    })
}

/// The key in the root record, proven by its canary.
pub(crate) fn open_root_row(
    keyring: &Keyring,
    row: &RootRow,
) -> Result<std::sync::Arc<Key>, Error> {
    let damaged = |reason| Error::Damaged { what: "the root key record".to_owned(), reason };
    let aad = root_aad(&row.id);
    let key = keyring.unwrap_by_root(&row.id, &aad, &row.wrapped);
    let key = key.map_err(|error| match error {
        RootError::Open(reason) => damaged(reason),
        other => Error::Root(other),
    })?;
    envelope::open(&key, &aad, &row.canary).map_err(damaged)?;
    Ok(key)
}

fn check_partition_key(keyring: &Keyring, key: &str, row: &KekRow) -> Result<(), Error> {
    let components = store::path::components(key).unwrap_or_default();
    let (place, generation) = parse_row_key(&components).ok_or_else(|| Error::Damaged {
        what: format!("row `{key}`"),
        reason: OpenError::Foreign,
    })?;
    let kek = open_row(keyring, place, generation, row)?;
    check_canary(&kek, place, generation, row)
}

fn require(keyring: &Keyring, root: &RootRow) -> Result<(), Error> {
    let roots = keyring.roots();
    match roots.find(&root.id) {
        Some(_) => Ok(()),
        None => {
            Err(Error::WrongRoot { expected: root.id.clone(), given: roots.active.id().to_owned() })
        }
    }
}

fn require_both(keyring: &Keyring, rotation: &RotationRow) -> Result<(), Error> {
    let roots = keyring.roots();
    let missing = [&rotation.from, &rotation.to].into_iter().find(|it| roots.find(it).is_none());
    match missing {
        None => Ok(()),
        Some(missing) => Err(Error::RotationUnfinished {
            from: rotation.from.clone(),
            to: rotation.to.clone(),
            missing: missing.clone(),
        }),
    }
}

async fn is_empty(txn: &mut Txn<'_>) -> Result<bool, Error> {
    Ok(txn.page::<AnyRow>(KeyRange::prefix(""), 1, false).await?.rows.is_empty())
}

fn root_aad(id: &str) -> Aad {
    Aad::new(Label::Canary).field("root").field(id)
}

const PAGE: usize = 256;
