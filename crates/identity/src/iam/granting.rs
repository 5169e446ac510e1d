//! Which policies let somebody use a service: those of users, groups and roles, attached and inline.
//!
//! Boundaries, the policies of resources and of the organization aren't looked at, and neither is whether another
//! statement denies.

use crate::entities::{Given, Group, Role};
use crate::iam::holder::{Holder, Parts};
use crate::iam::{Error, names};
use crate::user::User;
use crate::{access, iam::policies};
use base::AccountId;
use policy::engine::{Grammar, Policy};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Txn;

/// Somebody who has policies.
#[derive(Clone, Debug)]
pub(crate) enum Entity {
    Group(Arc<Group>),
    Role(Arc<Role>),
    User(Arc<User>),
}

/// A policy that somebody has.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) name: String,
    /// The ARN of a managed one; of an inline one the kind and the name of whoever has it.
    pub(crate) of: Result<String, (&'static str, String)>,
    pub(crate) policy: Arc<Policy>,
}

/// What an ARN of IAM leads to, by its form: `user`, `group`, `role` or `policy`, and a name.
pub(crate) fn parsed<'a>(arn: &'a str, account: &AccountId) -> Option<(&'a str, &'a str)> {
    let place = arn.strip_prefix("arn:aws:iam::")?.strip_prefix(account.as_str())?;
    let (kind, rest) = place.strip_prefix(':')?.split_once('/')?;
    let name = rest.rsplit('/').next().filter(|it| names::is_name(it))?;
    Some((kind, name))
}

impl Entity {
    /// Whom `arn` means in `account`.
    pub(crate) async fn find(
        txn: &mut Txn<'_>,
        account: &AccountId,
        arn: &str,
    ) -> Result<Option<Self>, Error> {
        let Some((kind, name)) = parsed(arn, account) else { return Ok(None) };
        let found = match kind {
            "group" => Group::find(txn, account, name).await?.map(Self::Group),
            "role" => Role::find(txn, account, name).await?.map(Self::Role),
            "user" => User::find(txn, account, name).await?.map(Self::User),
            _ => None,
        };
        Ok(found.filter(|it| it.parts().arn == arn))
    }

    /// What it has in common with the others.
    pub(crate) fn parts(&self) -> Parts<'_> {
        match self {
            Self::Group(it) => it.parts(),
            Self::Role(it) => it.parts(),
            Self::User(it) => it.parts(),
        }
    }

    /// `GROUP`, `ROLE` or `USER`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Group(_) => "GROUP",
            Self::Role(_) => "ROLE",
            Self::User(_) => "USER",
        }
    }

    /// The policies it has, by ARN and then by name, each managed one once; a user has those of its groups, too.
    pub(crate) async fn grants(
        &self,
        txn: &mut Txn<'_>,
        account: &AccountId,
    ) -> Result<Vec<Grant>, Error> {
        let (mut managed, mut inline) = (BTreeMap::new(), Vec::new());
        let mut holders = vec![self.clone()];
        if let Self::User(user) = self {
            for group in &user.groups {
                holders.extend(Group::find(txn, account, group).await?.map(Self::Group));
            }
        }
        for holder in holders {
            let Parts { name: owner, given: Given { attached, inline: own }, .. } = holder.parts();
            for arn in attached {
                managed.insert(arn.clone(), of_managed(txn, account, arn).await?);
            }
            for (name, text) in own {
                let of = Err((holder.kind(), owner.to_owned()));
                let policy = Arc::new(Policy::compile(text, Grammar::Identity)?);
                inline.push(Grant { name: name.clone(), of, policy });
            }
        }
        Ok(managed.into_values().chain(inline).collect())
    }
}

/// The managed policy `arn` of `account`, which is there.
pub(crate) async fn of_managed(
    txn: &mut Txn<'_>,
    account: &AccountId,
    arn: &str,
) -> Result<Grant, Error> {
    let policy = access::managed(txn, account, arn).await?.policy;
    let name = policies::name_in(arn).unwrap_or_default().to_owned();
    Ok(Grant { name, of: Ok(arn.to_owned()), policy })
}

/// Those of `grants` that allow an action of `service`.
pub(crate) fn of_service<'a>(
    grants: &'a [Grant],
    service: &'a str,
) -> impl Iterator<Item = &'a Grant> {
    grants.iter().filter(move |it| it.policy.allows_of(service))
}
