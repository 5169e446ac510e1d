//! Accounts.

use crate::{Error, mint};
use base::{AccountId, Entropy, Timestamp};
use serde::{Deserialize, Serialize};
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// An account: the owner of users, keys and secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its twelve digits.
    pub id: AccountId,
    /// When it was made.
    pub created: Timestamp,
}

store::json_record!(Account, 1);

const ACCOUNTS: Table<AccountId, Account> = Table::new(|id| Path::new("a").with(id).key());

/// Makes the account `id`, or one with a number drawn by chance.
///
/// # Errors
///
/// - [`Error::AccountExists`]: there is one already; nothing was changed.
pub async fn create_account(
    txn: &mut Txn<'_>,
    id: Option<AccountId>,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Account, Error> {
    let id = match id {
        Some(id) if txn.find(&ACCOUNTS, &id).await?.is_some() => {
            return Err(Error::AccountExists(id));
        }
        Some(id) => id,
        None => draw(txn, entropy).await?,
    };
    let account = Account { id, created: now };
    txn.save(&ACCOUNTS, &account.id, &account)?;
    Ok(account)
}

/// All accounts, by number. Reads one row for each.
pub async fn list_accounts(txn: &mut Txn<'_>) -> Result<Vec<Account>, store::Error> {
    let mut range = KeyRange::prefix(&Path::new("a").below());
    let mut accounts: Vec<Account> = Vec::new();
    while let Some((_, account)) = txn.page::<Account>(range.clone(), 1, false).await?.rows.pop() {
        // Whatever belongs to an account stands between it and the next one.
        let below = KeyRange::prefix(&Path::new("a").with(&account.id).below());
        let std::ops::Bound::Excluded(next) = below.to else { break };
        range.from = std::ops::Bound::Included(next);
        accounts.push(account);
    }
    Ok(accounts)
}

/// The account `id`, if there is one.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    id: &AccountId,
) -> Result<Option<Account>, store::Error> {
    txn.find(&ACCOUNTS, id).await
}

/// Checks that there is an account `id`.
pub(crate) async fn require(txn: &mut Txn<'_>, id: &AccountId) -> Result<(), Error> {
    match txn.find(&ACCOUNTS, id).await? {
        Some(_) => Ok(()),
        None => Err(Error::AccountUnknown(id.clone())),
    }
}

async fn draw(txn: &mut Txn<'_>, entropy: &dyn Entropy) -> Result<AccountId, Error> {
    loop {
        if let Some(id) = mint::account_id(entropy)
            && txn.find(&ACCOUNTS, &id).await?.is_none()
        {
            return Ok(id);
        }
    }
}
