//! Root keys: what tokens are sealed under. One is made each week; those before it open what they have
//! sealed until the longest session is over.
//!
//! A root key is wrapped by a guard of its own, and the guard sealed by `kms`: so a keyring can remember the
//! root key under its name, and a request that brings a token costs no look above it.

use crate::Error;
use base::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope::{Aad, Key, Label, OpenError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// So long a root key issues tokens.
pub const WEEK: Duration = Duration::from_hours(7 * 24);

/// So long a root key that issues no more still opens: the longest session, and the difference of two
/// clocks.
pub const KEPT: Duration = Duration::from_mins(36 * 60 + 15);

/// The id of a root key: four bytes, drawn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RootId([u8; 4]);

/// A stored root key.
#[derive(Serialize, Deserialize)]
struct RootRow {
    /// When it was made.
    created: Timestamp,
    /// When another one took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retired: Option<Timestamp>,
    /// The guard, sealed by `kms`, in base64.
    guard: String,
    /// The root key, wrapped by the guard, in base64.
    wrapped: String,
}

/// The id of the root key that issues tokens.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Current(String);

store::json_record!(RootRow, 1);
store::json_record!(Current, 1);

const ROOTS: Table<RootId, RootRow> = Table::new(|id| Path::new(ROOT).with_shown(id).key());
const CURRENT: Table<(), Current> = Table::new(|()| Path::new("session-root-current").key());
const ROOT: &str = "session-root";

/// More root keys than there ever are.
const LISTED: usize = 1000;

/// The root key that seals new tokens. The first use makes it, in this transaction.
///
/// # Errors
///
/// [`Error::Kms`]: it exists and can't be had. It is not made anew then.
pub(super) async fn current(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
) -> Result<(RootId, Arc<Key>), Error> {
    let Some(id) = current_id(txn).await? else { return make(txn, scope).await };
    match find(txn, scope, id).await? {
        Some(key) => Ok((id, key)),
        None => Err(kms::Error::Missing { what: what(id) }.into()),
    }
}

/// The root key `id`, if it still opens tokens.
pub(super) async fn find(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    id: RootId,
) -> Result<Option<Arc<Key>>, Error> {
    let Some(row) = txn.find_shared(&ROOTS, &id).await? else { return Ok(None) };
    let ended = row.retired.is_some_and(|it| it.plus(KEPT) <= scope.now);
    if ended {
        return Ok(None);
    }
    match scope.keyring.remembered(&bound(id, row.created)) {
        Some(key) => Ok(Some(key)),
        None => unwrap(txn, scope, id, &row).await.map(Some),
    }
}

/// Makes a root key if there is none, or a new one once the present one is a week old, and removes those that no session needs any
/// more. Answers when to call again.
///
/// # Errors
///
/// [`Error::Kms`]: the new key can't be sealed.
pub async fn rotate(txn: &mut Txn<'_>, scope: &kms::Scope<'_>) -> Result<Timestamp, Error> {
    let now = scope.now;
    let mut next = now.plus(WEEK);
    let current = current_id(txn).await?;
    if current.is_none() {
        make(txn, scope).await?;
        return Ok(next);
    }
    let rows =
        txn.page::<RootRow>(KeyRange::prefix(&Path::new(ROOT).below()), LISTED, false).await?;
    for (key, row) in rows.rows {
        let Some(id) = key.rsplit('/').next().and_then(RootId::parse) else { continue };
        match row.retired.map(|it| it.plus(KEPT)) {
            Some(end) if end <= now => txn.remove(&ROOTS, &id),
            Some(end) => next = next.min(end),
            None if Some(id) != current => (),
            None if row.created.plus(WEEK) <= now => {
                txn.save(&ROOTS, &id, &RootRow { retired: Some(now), ..row })?;
                make(txn, scope).await?;
                next = next.min(now.plus(KEPT));
            }
            None => next = next.min(row.created.plus(WEEK)),
        }
    }
    Ok(next)
}

async fn current_id(txn: &mut Txn<'_>) -> Result<Option<RootId>, Error> {
    let Some(Current(id)) = txn.find(&CURRENT, &()).await? else { return Ok(None) };
    let corrupt = || store::Error::Corrupt { key: CURRENT.key(&()), reason: "no id".to_owned() };
    RootId::parse(&id).map(Some).ok_or_else(|| corrupt().into())
}

async fn make(txn: &mut Txn<'_>, scope: &kms::Scope<'_>) -> Result<(RootId, Arc<Key>), Error> {
    let id = RootId(scope.entropy.bytes());
    if txn.exists(&ROOTS.key(&id)).await? {
        // One in 2^32, each week: the caller runs the transaction again.
        return Err(store::Error::Conflict { key: ROOTS.key(&id) }.into());
    }
    let (guard, root) = (Key::random(scope.entropy), Key::random(scope.entropy));
    let wrapped = envelope::wrap(&guard, &bound(id, scope.now), &root, scope.entropy);
    let wrapped = wrapped.map_err(kms::Error::from)?;
    let shown = id.to_string();
    let secret = guard.expose().as_slice().into();
    let guard = kms::seal_local(txn, scope, kms::Place::store(), purpose(&shown), &secret).await?;
    let row = RootRow {
        created: scope.now,
        retired: None,
        guard: STANDARD.encode(guard),
        wrapped: STANDARD.encode(wrapped),
    };
    txn.save(&ROOTS, &id, &row)?;
    txn.save(&CURRENT, &(), &Current(shown))?;
    Ok((id, Arc::new(root)))
}

async fn unwrap(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    id: RootId,
    row: &RootRow,
) -> Result<Arc<Key>, Error> {
    let damaged = |reason| kms::Error::Damaged { what: what(id), reason };
    let decoded = |text: &str| STANDARD.decode(text).map_err(|_| damaged(OpenError::Foreign));
    let (shown, sealed) = (id.to_string(), decoded(&row.guard)?);
    let guard = kms::open_local(txn, scope, kms::Place::store(), purpose(&shown), &sealed).await?;
    if guard.len() != Key::LEN {
        return Err(damaged(OpenError::Foreign).into());
    }
    let guard = Key::fill_with(|it| it.copy_from_slice(guard.expose()));
    let wrapped = decoded(&row.wrapped)?;
    Ok(scope.keyring.unwrap_only(&guard, &bound(id, row.created), &wrapped).map_err(damaged)?)
}

fn bound(id: RootId, created: Timestamp) -> Aad {
    let created = created.millis().unsigned_abs();
    Aad::new(Label::Local).field("session-root").field(id.as_bytes()).number(created)
}

fn purpose(id: &str) -> kms::Purpose<'_> {
    kms::Purpose { what: ROOT, whose: id }
}

fn what(id: RootId) -> String {
    format!("session root key `{id}`")
}

impl RootId {
    pub(super) fn of(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads `Display`'s form.
    fn parse(text: &str) -> Option<Self> {
        let number = u32::from_str_radix(text, 16).ok()?;
        Some(Self(number.to_be_bytes())).filter(|it| it.to_string() == text)
    }
}

impl fmt::Display for RootId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for RootId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
