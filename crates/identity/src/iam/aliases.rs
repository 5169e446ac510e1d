//! Other names of accounts: at most one each, and each of one account.

use crate::iam::Error;
use base::AccountId;
use serde::{Deserialize, Serialize};
use service::Call;
use store::path::Path;
use store::{Table, Txn};
use wire::Violations;
use wire::members::Text;

/// The alias of an account, or the account of an alias.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Alias(String);

store::json_record!(Alias, 1);

const ALIASES: Table<AccountId, Alias> =
    Table::new(|account| Path::new("a").with(account).with("account-alias").key());
const ACCOUNTS: Table<str, Alias> =
    Table::new(|alias| Path::new("account-alias").with(alias).key());

/// The model's constraints for the form of an alias.
pub(crate) fn constraints(found: &mut Violations, it: Option<&Text>) {
    let holds = |it: &str| {
        let fits = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
        it.bytes().all(fits) && !it.starts_with('-') && !it.ends_with('-') && !it.contains("--")
    };
    let pattern = "^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$";
    found.pattern("accountAlias", it, pattern, holds);
}

/// The alias of `account`, if it has one.
pub(crate) async fn of(txn: &mut Txn<'_>, account: &AccountId) -> Result<Option<String>, Error> {
    Ok(txn.find(&ALIASES, account).await?.map(|it| it.0))
}

/// Gives the caller's account `alias` in place of the one it has.
pub(crate) async fn create(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    alias: Option<&Text>,
) -> Result<(), Error> {
    let account = &call.caller.account;
    let alias = alias.map_or("", Text::as_str);
    if txn.find(&ACCOUNTS, alias).await?.is_some() {
        return Err(Error::AliasExists(alias.to_owned()));
    }
    if let Some(former) = of(txn, account).await? {
        txn.remove(&ACCOUNTS, former.as_str());
    }
    txn.save(&ACCOUNTS, alias, &Alias(account.to_string()))?;
    Ok(txn.save(&ALIASES, account, &Alias(alias.to_owned()))?)
}

/// Takes `alias` from the caller's account.
pub(crate) async fn delete(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    alias: Option<&Text>,
) -> Result<(), Error> {
    let account = &call.caller.account;
    let alias = alias.map_or("", Text::as_str);
    if of(txn, account).await?.as_deref() != Some(alias) {
        return Err(Error::AliasUnknown(alias.to_owned()));
    }
    txn.remove(&ACCOUNTS, alias);
    txn.remove(&ALIASES, account);
    Ok(())
}
