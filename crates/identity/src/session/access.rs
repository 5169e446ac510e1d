//! What a session may do: no more than its principal, and no more than it was begun with.

use super::{Claims, Principal};
use crate::access_key::{Status, find_key};
use crate::entities::roles;
use crate::session::claims::last;
use crate::{Error, access};
use policy::engine::{Grammar, Policy};
use service::{Access, Caller, Held, Kind};
use std::sync::Arc;
use store::Txn;

/// `access` of the principal, as [`gather`](crate::gather) finds it, with the session's own policies and tags.
///
/// A managed policy that was handed over and is deleted leaves the session with nothing: what it denied is
/// no longer known.
///
/// # Errors
///
/// The store's.
pub async fn narrow(
    txn: &mut Txn<'_>,
    claims: &Claims,
    mut access: Access,
) -> Result<Access, Error> {
    for (name, value) in &claims.tags {
        access.tags.retain(|it, _| it.to_lowercase() != name.to_lowercase());
        access.tags.insert(name.clone(), value.clone());
    }
    access.session = session_policies(txn, claims).await?;
    Ok(access)
}

/// Whether the session is still good, for reasons that lie outside of its token: nobody has ended the
/// sessions of its role, and the access key that began it is active.
///
/// # Errors
///
/// The store's.
pub async fn stands(txn: &mut Txn<'_>, claims: &Claims) -> Result<bool, store::Error> {
    if let Some(parent) = &claims.parent {
        let key = find_key(txn, parent).await?;
        return Ok(key.is_some_and(|it| it.status == Status::Active));
    }
    let Principal::Role { arn, id, .. } = &claims.principal else { return Ok(true) };
    let role = txn.find_shared(&roles(), &(&claims.account, last(arn))).await?;
    let is_before = |it| claims.issued < it;
    Ok(role.is_some_and(|it| it.id == *id && !it.revoked.is_some_and(is_before)))
}

/// Whether `caller` may call IAM at all: federated users and web identities may not, and sessions from
/// `GetSessionToken` only with a second factor. The others ask the policies.
///
/// Source: IAM User Guide, "Compare AWS STS credentials".
pub fn may_call_iam(caller: &Caller) -> bool {
    match (&caller.kind, &caller.session) {
        (Kind::FederatedUser { .. } | Kind::WebIdentity { .. }, _) => false,
        (Kind::Root | Kind::User, Some(session)) => session.mfa.is_some(),
        _ => true,
    }
}

async fn session_policies(txn: &mut Txn<'_>, claims: &Claims) -> Result<Option<Vec<Held>>, Error> {
    let mut held = Vec::new();
    if let Some(text) = &claims.policy {
        held.push(compiled(INLINE, text)?);
    }
    for arn in &claims.policy_arns {
        held.push(match access::managed(txn, &claims.account, arn).await {
            Err(Error::Store(store::Error::Corrupt { .. })) => compiled(arn, NOTHING)?,
            found => found?,
        });
    }
    Ok(Some(held).filter(|it| !it.is_empty()))
}

fn compiled(id: &str, text: &str) -> Result<Held, Error> {
    let corrupt = |_| {
        let reason = "a session policy can't be understood".to_owned();
        Error::Store(store::Error::Corrupt { key: id.to_owned(), reason })
    };
    let policy = Policy::compile(text, Grammar::Session).map_err(corrupt)?;
    Ok(Held::new(id, Arc::new(policy)))
}

const INLINE: &str = "session-policy";
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
