//! Whose policies are simulated: a user, a group or a role of the account.

use super::source::Source;
use super::{Excluded, invalid};
use crate::entities::{Given, Group, Role, groups};
use crate::iam::holder::{Holder, Keys};
use crate::iam::names::is_name;
use crate::iam::{Error, policies};
use crate::user::User;
use base::AccountId;
use policy::engine::Grammar;
use service::{Call, Operation, Permit, Target};
use std::sync::Arc;
use store::Txn;
use wire::members::Text;

/// The parts of the ARN of a user, a group or a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntityName {
    pub(crate) arn: String,
    pub(crate) account: AccountId,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
}

impl EntityName {
    /// # Errors
    ///
    /// `InvalidInput`: `arn` is that of something else, such as a session.
    pub(crate) fn parse(arn: &str) -> Result<Self, Error> {
        let read = || {
            let (account, place) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
            let (kind, path) = place.split_once('/')?;
            let kind = ["group", "role", "user"].into_iter().find(|it| *it == kind)?;
            let name = path.rsplit('/').next().filter(|it| is_name(it))?.to_owned();
            Some(Self { arn: arn.to_owned(), account: account.parse().ok()?, kind, name })
        };
        let shown: String = arn.chars().take(256).collect();
        read().ok_or_else(|| invalid(format!("Invalid Entity Arn: {shown}")))
    }
}

/// A user, a group or a role.
#[derive(Clone, Debug)]
pub(crate) enum Entity {
    Group(Arc<Group>),
    Role(Arc<Role>),
    User(Arc<User>),
}

/// Asks whether the caller may do `operation` to the user, group or role `arn`, and looks it up.
pub(crate) async fn admit<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    arn: Option<&Text>,
) -> Result<(Permit, Entity), Error> {
    let account = &call.caller.account;
    let arn = arn.map_or("", Text::as_str);
    let name = EntityName::parse(arn);
    let entity = match &name {
        Ok(name) if name.account == *account => find(txn, name).await?,
        _ => None,
    };
    let keys = entity.as_ref().map_or(Keys { tags: &[], boundary: None }, Entity::keys);
    let target = Target { keys: &keys, ..Target::of(account, Some(arn)) };
    let permit = call.admit(operation, target)?;
    let name = name?;
    let absent = || Error::NotFound { what: name.kind.to_owned(), name: name.name.clone() };
    Ok((permit, entity.ok_or_else(absent)?))
}

async fn find(txn: &mut Txn<'_>, it: &EntityName) -> Result<Option<Entity>, Error> {
    let EntityName { account, name, .. } = it;
    let found = match it.kind {
        "group" => Group::find(txn, account, name).await?.map(Entity::Group),
        "role" => Role::find(txn, account, name).await?.map(Entity::Role),
        _ => User::find(txn, account, name).await?.map(Entity::User),
    };
    Ok(found.filter(|found| found.arn() == it.arn))
}

impl Entity {
    pub(crate) fn arn(&self) -> &str {
        match self {
            Self::Group(it) => &it.arn,
            Self::Role(it) => &it.arn,
            Self::User(it) => &it.arn,
        }
    }

    /// The unique id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Group(it) => &it.id,
            Self::Role(it) => &it.id,
            Self::User(it) => &it.id,
        }
    }

    fn keys(&self) -> Keys<'_> {
        match self {
            Self::Group(it) => keys_of(&**it),
            Self::Role(it) => keys_of(&**it),
            Self::User(it) => keys_of(&**it),
        }
    }

    /// Its policies, for a user with those of its groups, but for those that are `excluded`.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`]: a stored policy is missing or can't be understood.
    pub(crate) async fn policies(
        &self,
        txn: &mut Txn<'_>,
        account: &AccountId,
        excluded: &[Excluded],
    ) -> Result<Vec<Source>, Error> {
        let mut gather = Gather { txn, account, excluded, found: Vec::new() };
        match self {
            Self::Group(it) => gather.add(("group", &it.name), &it.given).await?,
            Self::Role(it) => gather.add(("role", &it.name), &it.given).await?,
            Self::User(it) => {
                gather.add(("user", &it.name), &it.given).await?;
                for name in &it.groups {
                    let group = gather.txn.find_shared(&groups(), &(account, name)).await?;
                    let group = group.ok_or_else(|| Error::Evaluation(name.clone()))?;
                    gather.add(("group", name), &group.given).await?;
                }
            }
        }
        Ok(gather.found)
    }

    /// Its permissions boundary, if it has one that isn't `excluded`.
    pub(crate) async fn boundary(
        &self,
        txn: &mut Txn<'_>,
        account: &AccountId,
        excluded: &[Excluded],
    ) -> Result<Option<Source>, Error> {
        let without = excluded.iter().any(Excluded::covers_boundary);
        let Some(arn) = self.keys().boundary.filter(|_| !without) else { return Ok(None) };
        managed(txn, account, arn, Grammar::Boundary).await.map(Some)
    }
}

struct Gather<'a, 't> {
    txn: &'a mut Txn<'t>,
    account: &'a AccountId,
    excluded: &'a [Excluded],
    found: Vec<Source>,
}

impl Gather<'_, '_> {
    async fn add(&mut self, (kind, owner): (&str, &str), given: &Given) -> Result<(), Error> {
        for (name, text) in &given.inline {
            if self.excluded.iter().any(|it| it.covers_inline(name, (kind, owner))) {
                continue;
            }
            let id = format!("{kind}_{owner}_{name}");
            self.found.push(stored(id, text, Grammar::Identity)?);
        }
        for arn in &given.attached {
            if self.excluded.iter().any(|it| it.covers_managed(arn)) {
                continue;
            }
            let source = managed(self.txn, self.account, arn, Grammar::Identity).await?;
            self.found.push(source);
        }
        Ok(())
    }
}

async fn managed(
    txn: &mut Txn<'_>,
    account: &AccountId,
    arn: &str,
    grammar: Grammar,
) -> Result<Source, Error> {
    let policy = policies::find(txn, account, arn).await?;
    let policy = policy.ok_or_else(|| Error::Evaluation(arn.to_owned()))?;
    let text = policy.version(policy.default()).map(|it| it.0);
    let text = text.ok_or_else(|| Error::Evaluation(arn.to_owned()))?;
    stored(policy.name().to_owned(), text, grammar)
}

/// What was kept could be understood then.
fn stored(id: String, text: &str, grammar: Grammar) -> Result<Source, Error> {
    Source::read(id.clone(), text, grammar).map_err(|_| Error::Evaluation(id))
}

fn keys_of(holder: &impl Holder) -> Keys<'_> {
    let parts = holder.parts();
    Keys { tags: parts.tags, boundary: parts.boundary }
}
