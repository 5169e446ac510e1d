//! Users.

use crate::entities::{self, Given};
use crate::iam::holder::note_uses;
use crate::{Error, account, mint};
use base::{AccountId, Entropy, Timestamp};
use serde::{Deserialize, Serialize};
use service::principals;
use std::sync::Arc;
use store::path::Path;
use store::{Table, Txn};

/// A user of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name, in its own case; unique in the account whatever the case.
    pub name: String,
    /// The unique id, `AIDA…`, never used again.
    pub id: String,
    /// `arn:aws:iam::111122223333:user/ada`.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// `/` or `/a/path/`.
    #[serde(default = "root_path")]
    pub path: String,
    /// Names of its groups, as the groups spell them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// ARN of the permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// What it may do by itself.
    #[serde(default = "administrator")]
    pub given: Given,
    /// Tags in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// Serial numbers of its second factors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
}

fn root_path() -> String {
    "/".to_owned()
}

/// Of users made before there were policies: they administered their account.
fn administrator() -> Given {
    Given { attached: vec![ADMINISTRATOR.to_owned()], ..Given::default() }
}

/// The managed policy of those whom an operator lets in.
pub(crate) const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// The one spelling of a user's name.
#[derive(Serialize, Deserialize)]
struct Spelling(String);

store::json_record!(User, 1);
store::json_record!(Spelling, 1);

const fn users<'a>() -> Table<(&'a AccountId, &'a str), User> {
    Table::new(|(account, name)| Path::new("a").with(account).with("user").with(name).key())
}

/// Names in lower case, so that no two differ in their case only.
const fn spellings<'a>() -> Table<(&'a AccountId, &'a str), Spelling> {
    Table::new(|(account, name)| Path::new("a").with(account).with("user-name").with(name).key())
}

/// The user `name` of `account`, if there is one.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    account: &AccountId,
    name: &str,
) -> Result<Option<Arc<User>>, store::Error> {
    txn.find_shared(&users(), &(account, name)).await
}

/// The user `name` of `account`, whatever the case of `name`.
pub(crate) async fn find_spelled(
    txn: &mut Txn<'_>,
    account: &AccountId,
    name: &str,
) -> Result<Option<Arc<User>>, store::Error> {
    let lower = name.to_ascii_lowercase();
    match txn.find(&spellings(), &(account, &lower)).await? {
        Some(Spelling(name)) => find(txn, account, &name).await,
        None => Ok(None),
    }
}

/// Writes `user`, whose name is new or the one it had.
pub(crate) fn save(
    txn: &mut Txn<'_>,
    account: &AccountId,
    user: &User,
) -> Result<(), store::Error> {
    let lower = user.name.to_ascii_lowercase();
    txn.save(&spellings(), &(account, &lower), &Spelling(user.name.clone()))?;
    txn.save(&users(), &(account, &user.name), user)
}

/// Removes the rows of the user `name`, as it is spelled.
pub(crate) fn remove(txn: &mut Txn<'_>, account: &AccountId, name: &str) {
    txn.remove(&spellings(), &(account, &name.to_ascii_lowercase()));
    txn.remove(&users(), &(account, name));
}

/// What the rows of all users of `account` begin with.
pub(crate) fn prefix(account: &AccountId) -> String {
    Path::new("a").with(account).with("user").below()
}

/// The user `name` of `account`; made if there is none yet.
///
/// # Errors
///
/// - [`Error::AccountUnknown`]: there is no such account.
/// - [`Error::UserExists`]: a user's name differs in its case only.
/// - [`Error::UserName`]: not a user's name.
pub(crate) async fn find_or_create(
    txn: &mut Txn<'_>,
    (account, name): (&AccountId, &str),
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<User, Error> {
    if !is_name(name) {
        return Err(Error::UserName(name.chars().take(64).collect()));
    }
    account::require(txn, account).await?;
    let lower = name.to_ascii_lowercase();
    match txn.find(&spellings(), &(account, &lower)).await? {
        Some(Spelling(existing)) if existing != name => {
            return Err(Error::UserExists { account: account.clone(), name: existing });
        }
        Some(_) => {
            if let Some(user) = txn.find(&users(), &(account, name)).await? {
                return Ok(user);
            }
        }
        None => (),
    }
    let user = User {
        name: name.to_owned(),
        id: mint::user_id(entropy),
        arn: format!("arn:aws:iam::{account}:user/{name}"),
        created: now,
        path: root_path(),
        groups: Vec::new(),
        boundary: None,
        given: administrator(),
        tags: Vec::new(),
        devices: Vec::new(),
    };
    principals::register(txn, &user.arn, &user.id)?;
    entities::changed(txn, account, entropy)?;
    note_uses(txn, account, &user)?;
    save(txn, account, &user)?;
    Ok(user)
}

fn is_name(name: &str) -> bool {
    let fits = |it: u8| it.is_ascii_alphanumeric() || b"+=,.@_-".contains(&it);
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_iams_alphabet() {
        for (name, valid) in [
            ("admin", true),
            ("Ada.Lovelace+ci=1,2@x_y-z", true),
            ("", false),
            ("a/b", false),
            ("a b", false),
            ("ä", false),
            (&"x".repeat(64), true),
            (&"x".repeat(65), false),
        ] {
            assert_eq!(is_name(name), valid, "{name}");
        }
    }
}
