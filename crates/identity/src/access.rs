//! What a caller may do: the policies that are attached to it, gathered.

use crate::entities::{Generation, Given, groups, managed_policies, roles};
use crate::iam::members;
use crate::{Error, aws_managed, entities, organization, user};
use base::{AccountId, Arn};
use policy::engine::{Grammar, Policy};
use service::{Access, Caller, Held, Kind};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::Txn;

/// Names the state of everything that [`gather`] looks at, for one account: as long as it is the same, so
/// is what was gathered.
///
/// # Errors
///
/// The store's.
pub async fn generation(
    txn: &mut Txn<'_>,
    account: &AccountId,
) -> Result<Generation, store::Error> {
    entities::generation(txn, account).await
}

/// The policies of `caller` and its organization, without the policies of its session; `None` if the user or
/// role it speaks for is no longer there. One that has its name now is somebody else.
///
/// # Errors
///
/// [`store::Error::Corrupt`]: a stored policy can't be understood; then nothing may be allowed.
pub async fn gather(txn: &mut Txn<'_>, caller: &Caller) -> Result<Option<Access>, Error> {
    let Some(own) = own(txn, caller).await? else { return Ok(None) };
    // Whatever changes in it changes the generation of all accounts.
    let organization = organization::in_force(txn).await?;
    Ok(Some(Access { organization, ..own }))
}

/// The policies that are the caller's own.
async fn own(txn: &mut Txn<'_>, caller: &Caller) -> Result<Option<Access>, Error> {
    match &caller.kind {
        // The root user and services have no policies of their own, and neither has who comes from elsewhere.
        Kind::Root
        | Kind::Service { .. }
        | Kind::FederatedUser { user: None }
        | Kind::WebIdentity { .. } => Ok(Some(Access::default())),
        Kind::User => of_user(txn, &caller.account, &caller.user_name, &caller.principal_id).await,
        Kind::RoleSession { role_id, .. } => {
            of_role(txn, &caller.account, &caller.user_name, role_id).await
        }
        Kind::FederatedUser { user: Some((arn, id)) } => {
            let name = arn.rsplit('/').next().unwrap_or_default();
            of_user(txn, &caller.account, name, id).await
        }
    }
}

async fn of_user(
    txn: &mut Txn<'_>,
    account: &AccountId,
    name: &str,
    id: &str,
) -> Result<Option<Access>, Error> {
    let Some(user) = user::find(txn, account, name).await?.filter(|it| it.id == id) else {
        return Ok(None);
    };
    let mut access = Access { tags: user.tags.iter().cloned().collect(), ..Access::default() };
    add(txn, account, &user.given, &mut access).await?;
    for group in &user.groups {
        // What a group that isn't there had denied is no longer known.
        let found = txn.find_shared(&groups(), &(account, group)).await?;
        let found = found.ok_or_else(|| corrupt(group))?;
        add(txn, account, &found.given, &mut access).await?;
    }
    access.boundary = boundary(txn, account, user.boundary.as_deref()).await?;
    Ok(Some(access))
}

/// What a group gives, and to whom.
#[derive(Debug)]
pub struct OfGroup {
    /// Its policies.
    pub policies: Vec<Held>,
    /// The unique ids of its users.
    pub users: BTreeSet<String>,
}

/// What the group `arn` gives; `None` if there is no such group.
///
/// # Errors
///
/// As of [`gather`].
pub async fn of_group(txn: &mut Txn<'_>, arn: &str) -> Result<Option<OfGroup>, Error> {
    let Some(account) = Arn::parse(arn).ok().and_then(|it| it.account()) else { return Ok(None) };
    let name = arn.rsplit('/').next().unwrap_or_default();
    let group = txn.find_shared(&groups(), &(&account, name)).await?;
    let Some(group) = group.filter(|it| it.arn == arn) else { return Ok(None) };
    let mut access = Access::default();
    add(txn, &account, &group.given, &mut access).await?;
    let mut users = BTreeSet::new();
    for name in members::all(txn, &account, name).await? {
        users.extend(user::find(txn, &account, &name).await?.map(|it| it.id.clone()));
    }
    Ok(Some(OfGroup { policies: access.identity, users }))
}

async fn of_role(
    txn: &mut Txn<'_>,
    account: &AccountId,
    name: &str,
    id: &str,
) -> Result<Option<Access>, Error> {
    let role = txn.find_shared(&roles(), &(account, name)).await?.filter(|it| it.id == id);
    let Some(role) = role else { return Ok(None) };
    let mut access = Access { tags: role.tags.iter().cloned().collect(), ..Access::default() };
    add(txn, account, &role.given, &mut access).await?;
    access.boundary = boundary(txn, account, role.boundary.as_deref()).await?;
    Ok(Some(access))
}

async fn add(
    txn: &mut Txn<'_>,
    account: &AccountId,
    given: &Given,
    access: &mut Access,
) -> Result<(), Error> {
    for (name, text) in &given.inline {
        access.identity.push(compiled(name, text)?);
    }
    for arn in &given.attached {
        access.identity.push(managed(txn, account, arn).await?);
    }
    Ok(())
}

async fn boundary(
    txn: &mut Txn<'_>,
    account: &AccountId,
    arn: Option<&str>,
) -> Result<Option<Held>, Error> {
    match arn {
        Some(arn) => managed(txn, account, arn).await.map(Some),
        None => Ok(None),
    }
}

/// The managed policy `arn`: AWS's, or one of `account`.
///
/// # Errors
///
/// [`store::Error::Corrupt`]: it is attached and not there, or can't be understood.
pub(crate) async fn managed(
    txn: &mut Txn<'_>,
    account: &AccountId,
    arn: &str,
) -> Result<Held, Error> {
    if let Some(text) = aws_managed::aws_managed(arn) {
        return compiled(arn, text);
    }
    let name = arn.rsplit('/').next().unwrap_or_default();
    let found = txn.find_shared(&managed_policies(), &(account, name)).await?;
    let policy = found.filter(|it| it.arn == arn);
    let text = policy.as_ref().and_then(|it| it.versions.get(&it.default)).map(|it| &it.text);
    compiled(arn, text.ok_or_else(|| corrupt(arn))?)
}

fn compiled(id: &str, text: &str) -> Result<Held, Error> {
    let policy = Policy::compile(text, Grammar::Identity).map_err(|_| corrupt(id))?;
    Ok(Held::new(id, Arc::new(policy)))
}

fn corrupt(policy: &str) -> Error {
    let reason = "a policy that is attached is missing or can't be understood".to_owned();
    store::Error::Corrupt { key: policy.to_owned(), reason }.into()
}
