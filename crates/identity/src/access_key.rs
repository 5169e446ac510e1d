//! Access keys: what a request is signed with.

use crate::user::{self, User};
use crate::{Error, last_use, mint, sealed};
use base::{AccountId, Sensitive, Timestamp};
use serde::{Deserialize, Serialize};
use service::{Caller, Kind};
use std::fmt;
use std::sync::Arc;
use store::path::Path;
use store::{KeyRange, Record, Table, Txn};

/// An access key, without its secret in clear.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Its id, `AKIA…`.
    pub id: String,
    /// The account it belongs to.
    pub account: AccountId,
    /// The name of its user.
    pub user_name: String,
    /// The unique id of its user, `AIDA…`.
    pub principal_id: String,
    /// The ARN of its user.
    pub arn: String,
    /// Whether it opens anything.
    pub status: Status,
    /// When it was made.
    pub created: Timestamp,
    /// The secret, sealed by `kms`.
    #[serde(with = "sealed")]
    sealed: Vec<u8>,
}

/// Whether an access key opens anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Requests signed with it are answered.
    Active,
    /// It is as good as unknown.
    Inactive,
}

store::json_record!(AccessKey, 1);

/// The stored form of an access key. Equal rows are the same key in the same state.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRow {
    schema: u16,
    bytes: Box<[u8]>,
}

impl Record for KeyRow {
    const SCHEMA: u16 = AccessKey::SCHEMA;

    fn encode(&self) -> Result<Vec<u8>, String> {
        Ok(self.bytes.to_vec())
    }

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        Ok(Self { schema, bytes: bytes.into() })
    }
}

const ROWS: Table<str, KeyRow> = Table::new(|id| ACCESS_KEYS.key(id));
const ACCESS_KEYS: Table<str, AccessKey> = Table::new(|id| Path::new(ROOT).with(id).key());
const ROOT: &str = "access-key";

/// The most access keys of one user.
const MOST: usize = 2;

/// The most access keys that are listed for one account.
const LISTED: usize = 10_000;

/// Makes an access key for the user `user_name` of the scope's account, and the user if there is
/// none of that name. The secret, 40 characters, can't be had again.
///
/// # Errors
///
/// - [`Error::AccountUnknown`], [`Error::UserExists`], [`Error::UserName`]: no such user can be.
/// - [`Error::KeyQuota`]: the user has two.
/// - [`Error::Kms`]: the secret couldn't be sealed.
pub async fn create_access_key(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    user_name: &str,
) -> Result<(AccessKey, Sensitive), Error> {
    let kms::Scope { account, entropy, now, .. } = *scope;
    let owner = user::find_or_create(txn, (account, user_name), entropy, now).await?;
    make(txn, scope, owner).await
}

/// Makes an access key for `owner`, a user of the scope's account who has less than two.
pub(crate) async fn make(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    owner: User,
) -> Result<(AccessKey, Sensitive), Error> {
    let kms::Scope { account, entropy, now, .. } = *scope;
    if of_user(txn, account, &owner.id).await?.len() >= MOST {
        return Err(Error::KeyQuota);
    }
    let id = mint::access_key_id(account, entropy);
    if find_key(txn, &id).await?.is_some() {
        // One in 2^39 for an account of one key: the caller runs the transaction again.
        return Err(store::Error::Conflict { key: ACCESS_KEYS.key(&id) }.into());
    }
    let secret = mint::secret(entropy);
    let place = kms::Place::global(account);
    let sealed = kms::seal_local(txn, scope, place, purpose(&id), &secret).await?;
    let key = AccessKey {
        id,
        account: account.clone(),
        user_name: owner.name,
        principal_id: owner.id,
        arn: owner.arn,
        status: Status::Active,
        created: now,
        sealed,
    };
    txn.save(&ACCESS_KEYS, &key.id, &key)?;
    Ok((key, secret))
}

/// The access key `id`, active or not. Reads one row, or none if `id` can't be one.
pub async fn find_key(txn: &mut Txn<'_>, id: &str) -> Result<Option<AccessKey>, store::Error> {
    if mint::is_access_key_id(id) { txn.find(&ACCESS_KEYS, id).await } else { Ok(None) }
}

/// The row of the access key `id` as it is stored: to see whether it is still the one that was read
/// before, which costs less than taking it apart.
pub async fn find_row(txn: &mut Txn<'_>, id: &str) -> Result<Option<Arc<KeyRow>>, store::Error> {
    if mint::is_access_key_id(id) { txn.find_shared(&ROWS, id).await } else { Ok(None) }
}

impl KeyRow {
    /// What the row holds; `id` is that of its key.
    ///
    /// # Errors
    ///
    /// [`store::Error::Corrupt`]: it can't be read.
    pub fn open(&self, id: &str) -> Result<AccessKey, store::Error> {
        let key = AccessKey::decode(self.schema, &self.bytes);
        key.map_err(|reason| store::Error::Corrupt { key: ROWS.key(id), reason })
    }
}

/// The secret of `key`, whose account is the scope's.
///
/// # Errors
///
/// - [`Error::Kms`]: the row was changed, or was another key's.
pub async fn secret_of(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    key: &AccessKey,
) -> Result<Sensitive, Error> {
    let place = kms::Place::global(&key.account);
    Ok(kms::open_local(txn, scope, place, purpose(&key.id), &key.sealed).await?)
}

/// The first 10,000 access keys of `account`, by id. Reads its keys, and those of at most one other
/// account.
pub async fn list_access_keys(
    txn: &mut Txn<'_>,
    account: &AccountId,
) -> Result<Vec<AccessKey>, Error> {
    let prefix = Path::new(ROOT).with(mint::access_key_prefix(account)).key();
    let page = txn.page::<AccessKey>(KeyRange::prefix(&prefix), LISTED, false).await?;
    Ok(page.rows.into_iter().map(|it| it.1).filter(|it| it.account == *account).collect())
}

/// The access keys of the user whose unique id is `owner`, by id. Reads those of the account.
pub(crate) async fn of_user(
    txn: &mut Txn<'_>,
    account: &AccountId,
    owner: &str,
) -> Result<Vec<AccessKey>, Error> {
    let keys = list_access_keys(txn, account).await?;
    Ok(keys.into_iter().filter(|it| it.principal_id == owner).collect())
}

/// Writes that `key` is a key of `owner` as it is called now.
pub(crate) fn rename(txn: &mut Txn<'_>, key: AccessKey, owner: &User) -> Result<(), store::Error> {
    let (user_name, arn) = (owner.name.clone(), owner.arn.clone());
    let key = AccessKey { user_name, arn, ..key };
    txn.save(&ACCESS_KEYS, &key.id, &key)
}

/// Removes the access key `id`: the next request that is signed with it is refused.
pub(crate) fn remove(txn: &mut Txn<'_>, id: &str) {
    txn.remove(&ACCESS_KEYS, id);
}

/// Makes the access key `id` active or inactive, from the next request on.
///
/// # Errors
///
/// - [`Error::KeyUnknown`]: there is no such key.
pub async fn set_status(txn: &mut Txn<'_>, id: &str, status: Status) -> Result<AccessKey, Error> {
    let found = find_key(txn, id).await?;
    let key = found.ok_or_else(|| Error::KeyUnknown(id.chars().take(32).collect()))?;
    let key = AccessKey { status, ..key };
    txn.save(&ACCESS_KEYS, &key.id, &key)?;
    Ok(key)
}

/// Deletes the access key `id`: the next request that is signed with it is refused, and nobody can make it good
/// again.
///
/// # Errors
///
/// - [`Error::KeyUnknown`]: there is no such key.
pub async fn delete_access_key(txn: &mut Txn<'_>, id: &str) -> Result<AccessKey, Error> {
    let found = find_key(txn, id).await?;
    let key = found.ok_or_else(|| Error::KeyUnknown(id.chars().take(32).collect()))?;
    remove(txn, &key.id);
    last_use::forget(txn, &key.account, &key.id);
    Ok(key)
}

impl AccessKey {
    /// The principal that signs with it.
    pub fn into_caller(self) -> Caller {
        Caller {
            account: self.account,
            arn: self.arn,
            principal_id: self.principal_id,
            user_name: self.user_name,
            access_key_id: self.id,
            kind: Kind::User,
            session: None,
        }
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("AccessKey");
        out.field("id", &self.id).field("arn", &self.arn).field("status", &self.status);
        out.finish_non_exhaustive()
    }
}

impl fmt::Debug for KeyRow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "KeyRow({} bytes)", self.bytes.len())
    }
}

fn purpose(id: &str) -> kms::Purpose<'_> {
    kms::Purpose { what: "access-key", whose: id }
}
