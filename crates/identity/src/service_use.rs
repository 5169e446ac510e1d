//! When users and roles last called which service: to the quarter of an hour, denied calls included, and written
//! when nobody waits for it.

use crate::user;
use crate::{entities::roles, last_use::LastUse};
use base::{AccountId, Timestamp};
use service::{Caller, Kind};
use std::time::Duration;
use store::path::Path;
use store::{Table, Txn};

/// The services there are, and what they are called.
pub(crate) const SERVICES: [(&str, &str); 7] = [
    ("cloudtrail", "AWS CloudTrail"),
    ("iam", "AWS Identity and Access Management"),
    ("kms", "AWS Key Management Service"),
    ("lambda", "AWS Lambda"),
    ("rolesanywhere", "AWS Identity and Access Management Roles Anywhere"),
    ("secretsmanager", "AWS Secrets Manager"),
    ("sts", "AWS Security Token Service"),
];

/// What lies further back isn't told.
///
/// Source: IAM API Reference, "GenerateServiceLastAccessedDetails".
const TOLD: Duration = Duration::from_hours(400 * 24);

/// By account, unique id and service.
const fn uses<'a>() -> Table<(&'a AccountId, &'a str, &'a str), LastUse> {
    Table::new(|(account, id, service)| {
        Path::new("a").with(account).with("service-use").with(id).with(service).key()
    })
}

/// The user or role whose calls `caller`'s are, by its unique id.
pub fn principal_of(caller: &Caller) -> Option<&str> {
    match &caller.kind {
        Kind::FederatedUser { user } => user.as_ref().map(|it| it.1.as_str()),
        Kind::RoleSession { role_id, .. } => Some(role_id),
        Kind::User => Some(&caller.principal_id),
        Kind::Root | Kind::Service { .. } | Kind::WebIdentity { .. } => None,
    }
}

/// Notes that `caller`'s user or role has called a service, if that user or role is still there.
///
/// # Errors
///
/// The store's.
pub async fn note_service_use(
    txn: &mut Txn<'_>,
    caller: &Caller,
    last: &LastUse,
) -> Result<(), store::Error> {
    let Some(id) = principal_of(caller) else { return Ok(()) };
    let account = &caller.account;
    let id_now = match &caller.kind {
        Kind::RoleSession { .. } => {
            txn.find_shared(&roles(), &(account, &*caller.user_name)).await?.map(|it| it.id.clone())
        }
        Kind::FederatedUser { user: Some((arn, _)) } => {
            let name = arn.rsplit('/').next().unwrap_or_default();
            user::find(txn, account, name).await?.map(|it| it.id.clone())
        }
        _ => user::find(txn, account, &caller.user_name).await?.map(|it| it.id.clone()),
    };
    let is_there = id_now.as_deref() == Some(id);
    if is_there { txn.save(&uses(), &(account, id, &last.service), last) } else { Ok(()) }
}

/// When the user or role `id` last called `service`, if that can be told at `now`.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    (account, id): (&AccountId, &str),
    (service, now): (&str, Timestamp),
) -> Result<Option<LastUse>, store::Error> {
    let found = txn.find(&uses(), &(account, id, service)).await?;
    Ok(found.filter(|it| now.since(it.at) <= TOLD))
}

/// Forgets what the user or role `id` has called, which is deleted.
pub(crate) fn forget(txn: &mut Txn<'_>, account: &AccountId, id: &str) {
    for (service, _) in SERVICES {
        txn.remove(&uses(), &(account, id, service));
    }
}
