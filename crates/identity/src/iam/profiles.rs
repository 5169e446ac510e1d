//! Instance profiles: a role under another name, for a machine to take on. At most one role each.
//!
//! Which profiles a role is in stands in rows of its own, beside the name of the role that a profile has.

use crate::entities::Role;
use crate::iam::holder::{Holder, Keys};
use crate::iam::page::{Ask, Page};
use crate::iam::shown::ShownProfile;
use crate::iam::{Error, documents, names};
use base::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};
use service::{Call, Operation, Permit, Target};
use store::path::Path;
use store::{KeyRange, Table, Txn};
use wire::members::Text;

/// An instance profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// The name, in its own case.
    pub(crate) name: String,
    /// `/` or `/a/path/`.
    pub(crate) path: String,
    /// The unique id, `AIPA…`, never used again.
    pub(crate) id: String,
    /// `arn:aws:iam::111122223333:instance-profile/path/name`.
    pub(crate) arn: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// The name of its role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
    /// Tags in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<(String, String)>,
}

/// The name of a profile that a role is in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Name(String);

store::json_record!(Profile, 1);
store::json_record!(Name, 1);

/// Profiles, by account and name in lower case.
const fn profiles<'a>() -> Table<(&'a AccountId, &'a str), Profile> {
    Table::new(|(account, name)| {
        let name = name.to_ascii_lowercase();
        Path::new("a").with(account).with("instance-profile").with(name).key()
    })
}

/// Those of a role, by account, role and profile, both in lower case.
const fn of_roles<'a>() -> Table<(&'a AccountId, &'a str, &'a str), Name> {
    Table::new(|(account, role, name)| place(account, role).with(name.to_ascii_lowercase()).key())
}

fn place(account: &AccountId, role: &str) -> Path {
    Path::new("a").with(account).with("role-instance-profile").with(role.to_ascii_lowercase())
}

/// What the rows of all profiles of `account` begin with.
pub(crate) fn prefix(account: &AccountId) -> String {
    Path::new("a").with(account).with("instance-profile").below()
}

/// The most profiles of an account.
pub(crate) const MOST: usize = 1000;

/// A role is in it, or it has a role, and is to be deleted.
pub(crate) const IN_USE: &str =
    "Cannot delete entity, must remove roles from instance profile first.";

/// Asks whether the caller may do `operation` to the profile `name`, and loads it.
pub(crate) async fn admit<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    name: Option<&Text>,
) -> Result<(Permit, Profile), Error> {
    let account = &call.caller.account;
    let name = name.map_or("", Text::as_str);
    let found = if names::is_name(name) { find(txn, account, name).await? } else { None };
    let arn = match &found {
        Some(it) => it.arn.clone(),
        None => format!("arn:aws:iam::{account}:instance-profile/{name}"),
    };
    let tags = found.as_ref().map_or(&[][..], |it| &it.tags);
    let keys = Keys { tags, boundary: None };
    let named = format!("instance profile {name}");
    let target = Target { keys: &keys, named: Some(&named), ..Target::of(account, Some(&arn)) };
    let permit = call.admit(operation, target)?;
    let unknown = || Error::Missing(format!("Instance Profile {name} cannot be found."));
    Ok((permit, found.ok_or_else(unknown)?))
}

/// The profile `name`, whatever the case, if there is one.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    account: &AccountId,
    name: &str,
) -> Result<Option<Profile>, store::Error> {
    txn.find(&profiles(), &(account, name)).await
}

/// Writes `profile`.
pub(crate) fn save(
    txn: &mut Txn<'_>,
    account: &AccountId,
    profile: &Profile,
) -> Result<(), store::Error> {
    txn.save(&profiles(), &(account, &profile.name), profile)
}

/// Removes `profile`, which has no role.
pub(crate) fn remove(txn: &mut Txn<'_>, account: &AccountId, profile: &Profile) {
    txn.remove(&profiles(), &(account, &profile.name));
}

/// Gives `profile` the role called `role`, or takes the one that it has.
pub(crate) fn set_role(
    txn: &mut Txn<'_>,
    account: &AccountId,
    profile: Profile,
    role: Option<&str>,
) -> Result<(), store::Error> {
    if let Some(before) = &profile.role {
        txn.remove(&of_roles(), &(account, before, &profile.name));
    }
    if let Some(role) = role {
        txn.save(&of_roles(), &(account, role, &profile.name), &Name(profile.name.clone()))?;
    }
    save(txn, account, &Profile { role: role.map(str::to_owned), ..profile })
}

/// Whether the role called `role` is in a profile.
pub(crate) async fn any(
    txn: &mut Txn<'_>,
    account: &AccountId,
    role: &str,
) -> Result<bool, store::Error> {
    let range = KeyRange::prefix(&place(account, role).below());
    Ok(!txn.page::<Name>(range, 1, false).await?.rows.is_empty())
}

/// The page of the profiles that the role called `role` is in.
pub(crate) async fn of_role(
    txn: &mut Txn<'_>,
    account: &AccountId,
    role: &str,
    ask: Ask<'_>,
) -> Result<Page<Profile>, Error> {
    let prefix = place(account, role).below();
    let (names, marker) = ask.of_rows::<Name>(txn, &prefix, |_| true).await?;
    let mut profiles = Vec::with_capacity(names.len());
    for Name(name) in &names {
        profiles.extend(find(txn, account, name).await?);
    }
    Ok((profiles, marker))
}

/// All profiles of `account`, as many as there can be.
pub(crate) async fn count(txn: &mut Txn<'_>, account: &AccountId) -> Result<usize, store::Error> {
    let page = txn.page::<Profile>(KeyRange::prefix(&prefix(account)), MOST, false).await?;
    Ok(page.rows.len())
}

/// All that the role called `role` is in, as answers show them.
pub(crate) async fn of_role_shown(
    txn: &mut Txn<'_>,
    account: &AccountId,
    role: &str,
) -> Result<Vec<ShownProfile>, Error> {
    let (found, _) = of_role(txn, account, role, Ask::first(MOST)).await?;
    shown(txn, account, found).await
}

/// `profiles` as answers show them.
pub(crate) async fn shown(
    txn: &mut Txn<'_>,
    account: &AccountId,
    profiles: Vec<Profile>,
) -> Result<Vec<ShownProfile>, Error> {
    let mut all = Vec::with_capacity(profiles.len());
    for profile in profiles {
        all.push(shown_one(txn, account, profile).await?);
    }
    Ok(all)
}

/// `profile` as answers show it, with its role and without its tags.
pub(crate) async fn shown_one(
    txn: &mut Txn<'_>,
    account: &AccountId,
    profile: Profile,
) -> Result<ShownProfile, Error> {
    let Some(name) = &profile.role else { return Ok(ShownProfile::listed(profile, None)) };
    match Role::find(txn, account, name).await? {
        Some(role) => {
            let trust = documents::shown_trust(txn, &role).await?;
            Ok(ShownProfile::listed(profile, Some((&role, &trust))))
        }
        None => Ok(ShownProfile::listed(profile, None)),
    }
}
