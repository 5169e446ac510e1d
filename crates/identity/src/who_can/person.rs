//! Somebody who could ask: with policies of their own, or named by those of a resource.

use crate::entities::{Role, roles};
use crate::iam::simulation::{Entity, EntityName, Source};
use base::AccountId;
use policy::Principal;
use policy::engine::{Caller, CallerKind};
use std::sync::Arc;
use store::Txn;

/// Somebody who could ask.
pub(super) struct Person {
    pub(super) account: AccountId,
    /// What it is called here, a role by its own ARN.
    pub(super) arn: String,
    pub(super) who: Who,
    pub(super) identity: Vec<Source>,
    pub(super) boundary: Option<Source>,
    pub(super) tags: Vec<(String, String)>,
}

pub(super) enum Who {
    Federated,
    Provider,
    /// A session of the role: any, or the one of this ARN.
    Role {
        arn: String,
        id: String,
        session: String,
    },
    Root,
    Service,
    User {
        id: String,
    },
}

impl Person {
    pub(super) fn root(account: &AccountId) -> Self {
        let arn = format!("arn:aws:iam::{account}:root");
        Self::bare(account.clone(), arn, Who::Root)
    }

    fn bare(account: AccountId, arn: String, who: Who) -> Self {
        Self { account, arn, who, identity: Vec::new(), boundary: None, tags: Vec::new() }
    }

    /// A user or a role, with its policies.
    pub(super) async fn of(
        txn: &mut Txn<'_>,
        account: &AccountId,
        entity: Entity,
    ) -> Result<Self, crate::Error> {
        let corrupt = |_| store::Error::Corrupt {
            key: entity.arn().to_owned(),
            reason: "a policy that is attached is missing or can't be understood".to_owned(),
        };
        let identity = entity.policies(txn, account, &[]).await.map_err(corrupt)?;
        let boundary = entity.boundary(txn, account, &[]).await.map_err(corrupt)?;
        let identity: Vec<Source> =
            identity.into_iter().enumerate().map(|(number, it)| it.numbered(number)).collect();
        let boundary = boundary.map(|it| it.numbered(identity.len()));
        let (arn, id) = (entity.arn().to_owned(), entity.id().to_owned());
        let (who, tags) = match &entity {
            Entity::Role(role) => {
                let session = format!("arn:aws:sts::{account}:assumed-role/{}/*", role.name);
                (Who::Role { arn: arn.clone(), id, session }, role.tags.clone())
            }
            Entity::User(user) => (Who::User { id }, user.tags.clone()),
            Entity::Group(_) => (Who::User { id }, Vec::new()),
        };
        Ok(Self { account: account.clone(), arn, who, identity, boundary, tags })
    }

    /// Somebody whom a policy names, and who isn't a user or a role.
    pub(super) async fn named(
        txn: &mut Txn<'_>,
        principal: &Principal,
    ) -> Result<Option<Self>, crate::Error> {
        // Without an account of their own; any does.
        let nowhere: Option<AccountId> = "000000000000".parse().ok();
        let bare = |arn: &str, who| nowhere.clone().map(|it| Self::bare(it, arn.to_owned(), who));
        Ok(match principal {
            Principal::Service(name) => bare(name, Who::Service),
            Principal::Federated(name) => bare(name, Who::Provider),
            Principal::FederatedUser(it) => {
                Some(Self::bare(it.account.clone(), it.arn().to_owned(), Who::Federated))
            }
            Principal::AssumedRole(it) => {
                let name = it.name.split('/').next().unwrap_or_default();
                let role = txn.find_shared(&roles(), &(&it.account, name)).await?;
                let Some(role) = role else { return Ok(None) };
                let mut person = Self::of(txn, &it.account, Entity::Role(role)).await?;
                it.arn().clone_into(&mut person.arn);
                if let Who::Role { session, .. } = &mut person.who {
                    it.arn().clone_into(session);
                }
                Some(person)
            }
            _ => None,
        })
    }

    pub(super) fn caller(&self) -> Caller<'_> {
        let (arn, kind) = match &self.who {
            Who::Federated => (&self.arn, CallerKind::FederatedUser { user: None }),
            Who::Provider => (&self.arn, CallerKind::WebIdentity { provider: &self.arn }),
            Who::Role { arn, id, session } => {
                (session, CallerKind::RoleSession { role_arn: arn, role_id: id })
            }
            Who::Root => (&self.arn, CallerKind::Root),
            Who::Service => (&self.arn, CallerKind::Service { name: &self.arn }),
            Who::User { id } => (&self.arn, CallerKind::User { id }),
        };
        Caller { account: &self.account, arn, kind }
    }

    /// What it is called.
    pub(super) fn kind(&self) -> &'static str {
        match &self.who {
            Who::Federated => "federated session",
            Who::Provider => "identity provider",
            Who::Role { session, .. } if *session == self.arn => "session",
            Who::Role { .. } => "role",
            Who::Root => "root",
            Who::Service => "service",
            Who::User { .. } => "user",
        }
    }

    /// Whether the grantee `name` of a grant is it.
    pub(super) fn is_grantee(&self, name: &str) -> bool {
        let id = match &self.who {
            Who::Role { id, session, .. } if *session == self.arn => {
                let own = name.strip_prefix(id.as_str()).and_then(|it| it.strip_prefix(':'));
                return name == id || own.is_some() && own == session.rsplit('/').next();
            }
            Who::Role { id, .. } | Who::User { id } => id,
            _ => return self.arn == name,
        };
        id == name || self.arn == name
    }
}

/// The role `arn` and its account, if there is one.
pub(super) async fn role(
    txn: &mut Txn<'_>,
    arn: &str,
) -> Result<Option<(AccountId, Arc<Role>)>, store::Error> {
    let Ok(EntityName { account, kind: "role", name, .. }) = EntityName::parse(arn) else {
        return Ok(None);
    };
    let found = txn.find_shared(&roles(), &(&account, &name)).await?.filter(|it| it.arn == arn);
    Ok(found.map(|it| (account, it)))
}
