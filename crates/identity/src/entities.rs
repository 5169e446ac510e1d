//! What IAM keeps of an account: users, groups, roles, policies.
//!
//! Names are unique whatever their case: rows are found by the name in lower case, and hold it as it was
//! given. Every change also writes the account's [`Generation`], so that whoever remembers what a caller may
//! do sees in one row whether that still holds.

use base::{AccountId, Entropy, Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::path::Path;
use store::{Table, Txn};

/// What a user, a group or a role has been given to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// ARNs of the managed policies attached to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<String>,
    /// Its inline policies by name, as they were put.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inline: BTreeMap<String, String>,
}

/// A role: who may become it, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Role {
    /// The name, in its own case.
    pub name: String,
    /// `/` or `/a/path/`.
    pub path: String,
    /// The unique id, `AROA…`, never used again.
    pub id: String,
    /// `arn:aws:iam::111122223333:role/path/name`.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// The trust policy, as it was put.
    pub trust: String,
    /// The unique ids of those whom the trust policy names.
    #[serde(default)]
    pub pins: policy::engine::Pins,
    /// `None` if none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The longest session, in seconds: 3,600 to 43,200.
    pub max_session: u32,
    /// ARN of the permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// What it may do.
    #[serde(default)]
    pub given: Given,
    /// Tags in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// Sessions issued before are no longer good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// The service whose it is, `ecs.amazonaws.com`: nobody else can change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked: Option<String>,
}

store::json_record!(Role, 1);

/// A group of users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    /// The name, in its own case.
    pub name: String,
    /// `/` or `/a/path/`.
    pub path: String,
    /// The unique id, `AGPA…`.
    pub id: String,
    /// `arn:aws:iam::111122223333:group/path/name`.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// What its users may do.
    #[serde(default)]
    pub given: Given,
}

store::json_record!(Group, 1);

/// A managed policy of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManagedPolicy {
    /// The name, in its own case.
    pub name: String,
    /// `/` or `/a/path/`.
    pub path: String,
    /// The unique id, `ANPA…`.
    pub id: String,
    /// `arn:aws:iam::111122223333:policy/path/name`.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// When a version was last made or chosen.
    pub updated: Timestamp,
    /// `None` if none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The number of the version in force: 1 is `v1`.
    pub default: u32,
    /// The number of the newest version ever made; numbers are never used again.
    pub newest: u32,
    /// At most five.
    pub versions: BTreeMap<u32, PolicyVersion>,
    /// Tags in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
}

store::json_record!(ManagedPolicy, 1);

/// One version of a managed policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    /// As it was put.
    pub text: String,
    /// When it was made.
    pub created: Timestamp,
}

/// Drawn anew with each change of an account's identities and policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(String);

store::json_record!(Generation, 1);

/// Roles, by account and name in lower case.
pub(crate) const fn roles<'a>() -> Table<(&'a AccountId, &'a str), Role> {
    Table::new(|(account, name)| row(account, "role", name))
}

/// Groups, by account and name in lower case.
pub(crate) const fn groups<'a>() -> Table<(&'a AccountId, &'a str), Group> {
    Table::new(|(account, name)| row(account, "group", name))
}

/// Managed policies, by account and name in lower case.
pub(crate) const fn managed_policies<'a>() -> Table<(&'a AccountId, &'a str), ManagedPolicy> {
    Table::new(|(account, name)| row(account, "policy", name))
}

const GENERATIONS: Table<AccountId, Generation> =
    Table::new(|account| Path::new("a").with(account).with("iam-generation").key());

/// Notes that something about who may do what in `account` changes in this transaction.
pub(crate) fn changed(
    txn: &mut Txn<'_>,
    account: &AccountId,
    entropy: &dyn Entropy,
) -> Result<(), store::Error> {
    // Written without being read, so that two changes don't conflict over it.
    txn.save(&GENERATIONS, account, &Generation(Uuid::random(entropy).to_string()))
}

/// The generation of `account`; that of an account in which nothing was ever changed is empty.
pub(crate) async fn generation(
    txn: &mut Txn<'_>,
    account: &AccountId,
) -> Result<Generation, store::Error> {
    let found = txn.find_shared(&GENERATIONS, account).await?;
    Ok(found.map_or_else(|| Generation(String::new()), |it| Generation::clone(&it)))
}

/// What the rows of `table` of `account` begin with: `role`, `group`, `policy`.
pub(crate) fn prefix(account: &AccountId, table: &str) -> String {
    Path::new("a").with(account).with(table).below()
}

fn row(account: &AccountId, table: &str, name: &str) -> String {
    Path::new("a").with(account).with(table).with(name.to_ascii_lowercase()).key()
}
