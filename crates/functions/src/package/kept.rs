//! Packages in the store: sealed, in parts, by the SHA-256 of all of it. What a backup has of the store, it has of them.
//!
//! ```text
//! package/{sha256}               how long it is, and when it was kept last
//! package-part/{sha256}/{part}   64 KiB of it, sealed as this part of this package
//! ```

use crate::limits;
use base::{Sensitive, Timestamp};
use kms::{Place, Purpose, Scope};
use serde::{Deserialize, Serialize};
use std::ops::Bound;
use store::path::Path;
use store::{Backend, KeyRange, Record, Table, Txn};

/// Why a package can't be kept, or had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none, or only a part of it.
    #[error("the package isn't there: upload it again, with UpdateFunctionCode")]
    Absent,
    /// Its parts aren't what they were.
    #[error("the package is damaged")]
    Damaged,
    /// Its parts can't be sealed or opened.
    #[error(transparent)]
    Sealing(#[from] kms::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What is known of a package.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Head {
    bytes: usize,
    kept: Timestamp,
    /// Whether all parts are there.
    whole: bool,
}

store::json_record!(Head, 1);

/// Sealed.
struct Part(Vec<u8>);

impl Record for Part {
    const SCHEMA: u16 = 1;

    fn encode(&self) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        match schema {
            1 => Ok(Self(bytes.to_vec())),
            _ => Err(format!("schema {schema} is newer than this program")),
        }
    }
}

const HEADS: Table<str, Head> = Table::new(|sha256: &str| Path::new(HEAD).with(sha256).key());
const PARTS: Table<str, Part> = Table::new(|part: &str| Path::new("package-part").rest(part));

/// Keeps `package`, whose hash `sha256` is. When this returns, all of it is on disk.
///
/// # Errors
///
/// [`Error`]: parts may be there, which [`older`] finds.
pub async fn keep(
    backend: &dyn Backend,
    scope: &Scope<'_>,
    (sha256, package): (&str, &[u8]),
) -> Result<(), Error> {
    if mark(backend, scope, (sha256, package.len())).await? {
        return Ok(());
    }
    let parts: Vec<_> = package.chunks(PART).enumerate().collect();
    for batch in parts.chunks(BATCH) {
        let mut txn = store::begin(backend);
        for (part, bytes) in batch {
            let (name, plain) = (name(sha256, *part), Sensitive::from(*bytes));
            let sealed =
                kms::seal_local(&mut txn, scope, Place::store(), purpose(&name), &plain).await?;
            txn.save(&PARTS, &name, &Part(sealed))?;
        }
        txn.commit().await?;
    }
    // Nobody has removed the head meanwhile: it is as young as this.
    let mut txn = store::begin(backend);
    txn.save(&HEADS, sha256, &Head { bytes: package.len(), kept: scope.now, whole: true })?;
    Ok(txn.commit().await?)
}

/// Notes that a package is kept now, or will be; whether all of it is there.
async fn mark(
    backend: &dyn Backend,
    scope: &Scope<'_>,
    (sha256, bytes): (&str, usize),
) -> Result<bool, Error> {
    loop {
        let mut txn = store::begin(backend);
        let found = txn.find(&HEADS, sha256).await?;
        let whole = found.is_some_and(|it| it.whole && it.bytes == bytes);
        txn.save(&HEADS, sha256, &Head { bytes, kept: scope.now, whole })?;
        match txn.commit().await {
            // Somebody else keeps it, too, or removes it.
            Err(store::Error::Conflict { .. }) => (),
            done => return Ok(done.map(|()| whole)?),
        }
    }
}

/// The package `sha256`. Whether that is its hash is for who unpacks it to see.
///
/// # Errors
///
/// [`Error`].
pub async fn load(
    backend: &dyn Backend,
    scope: &Scope<'_>,
    sha256: &str,
) -> Result<Sensitive, Error> {
    let mut txn = store::begin(backend);
    let head = txn.find(&HEADS, sha256).await?.filter(|it| it.whole).ok_or(Error::Absent)?;
    if limits::PACKAGE < head.bytes {
        return Err(Error::Damaged);
    }
    let mut whole = Vec::with_capacity(head.bytes);
    for part in 0..head.bytes.div_ceil(PART) {
        let name = name(sha256, part);
        let Part(sealed) = txn.find(&PARTS, &name).await?.ok_or(Error::Damaged)?;
        let plain =
            kms::open_local(&mut txn, scope, Place::store(), purpose(&name), &sealed).await?;
        whole.extend_from_slice(plain.expose());
    }
    let whole = Sensitive::new(whole);
    if whole.len() == head.bytes { Ok(whole) } else { Err(Error::Damaged) }
}

/// Packages that were last kept before `instant`, also those of which only parts are there.
///
/// # Errors
///
/// The store's.
pub async fn older(backend: &dyn Backend, instant: Timestamp) -> Result<Vec<String>, Error> {
    let prefix = Path::new(HEAD).below();
    let (mut found, mut range) = (Vec::new(), KeyRange::prefix(&prefix));
    loop {
        let page = store::begin(backend).page::<Head>(range.clone(), PAGE, false).await?;
        let old = page.rows.iter().filter(|it| it.1.kept < instant);
        found.extend(old.filter_map(|it| it.0.strip_prefix(&prefix)).map(str::to_owned));
        match page.rows.last() {
            Some((last, _)) if page.more => range.from = Bound::Excluded(last.clone()),
            _ => return Ok(found),
        }
    }
}

/// Removes a package, unless it was kept since `instant`, or is being kept. Whether it is gone.
///
/// # Errors
///
/// The store's.
pub async fn remove(
    backend: &dyn Backend,
    sha256: &str,
    instant: Timestamp,
) -> Result<bool, Error> {
    let mut txn = store::begin(backend);
    let Some(head) = txn.find(&HEADS, sha256).await? else { return Ok(true) };
    if instant <= head.kept {
        return Ok(false);
    }
    remove_parts(&mut txn, sha256, head.bytes);
    txn.remove(&HEADS, sha256);
    match txn.commit().await {
        Err(store::Error::Conflict { .. }) => Ok(false),
        done => Ok(done.map(|()| true)?),
    }
}

fn remove_parts(txn: &mut Txn<'_>, sha256: &str, bytes: usize) {
    (0..bytes.div_ceil(PART)).for_each(|it| txn.remove(&PARTS, &name(sha256, it)));
}

fn name(sha256: &str, part: usize) -> String {
    format!("{sha256}/{part:05}")
}

fn purpose(name: &str) -> Purpose<'_> {
    Purpose { what: "function-package", whose: name }
}

const HEAD: &str = "package";
/// Bytes of a part: a row is no longer than that of a secret's version may be.
const PART: usize = 64 << 10;
/// Parts in one commit.
const BATCH: usize = 64;
/// Heads that are read at a time.
const PAGE: usize = 256;
