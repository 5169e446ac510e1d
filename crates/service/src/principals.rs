//! Users and roles as policies name them.
//!
//! `identity` keeps these rows; services ask them who is meant, so that a policy for nobody is refused when
//! it is put, and one for somebody stays that one's.

use base::AccountId;
use policy::engine::{Pins, Resolver, entities};
use policy::{Document, Entity, Principal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::path::Path;
use store::{Table, Txn};

/// The unique id behind an ARN, or the ARN behind a unique id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Name(String);

store::json_record!(Name, 1);

const IDS: Table<str, Name> = Table::new(|arn| Path::new("principal").with(arn).key());
const ARNS: Table<str, Name> = Table::new(|id| Path::new("principal-id").with(id).key());

/// Notes that the user or role `arn` has the unique id `id`.
pub fn register(txn: &mut Txn<'_>, arn: &str, id: &str) -> Result<(), store::Error> {
    txn.save(&IDS, arn, &Name(id.to_owned()))?;
    txn.save(&ARNS, id, &Name(arn.to_owned()))
}

/// Forgets a user or role that is deleted.
pub fn forget(txn: &mut Txn<'_>, arn: &str, id: &str) {
    txn.remove(&IDS, arn);
    txn.remove(&ARNS, id);
}

/// The unique id of the user or role `arn`, if there is one.
pub async fn id_of(txn: &mut Txn<'_>, arn: &str) -> Result<Option<String>, store::Error> {
    Ok(txn.find_shared(&IDS, arn).await?.map(|it| it.0.clone()))
}

/// Whether there is a user or role with the unique id `id`.
pub async fn has_id(txn: &mut Txn<'_>, id: &str) -> Result<bool, store::Error> {
    Ok(txn.find_shared(&ARNS, id).await?.is_some())
}

/// Users and roles as they are now: who a policy names, looked up.
#[derive(Debug, Default)]
pub struct Known {
    ids: BTreeMap<String, String>,
    arns: BTreeMap<String, String>,
}

impl Resolver for Known {
    fn id(&self, arn: &str) -> Option<String> {
        self.ids.get(arn).cloned()
    }

    fn arn(&self, id: &str) -> Option<String> {
        self.arns.get(id).cloned()
    }
}

/// Looks up everyone that `document` names, and everyone in `pins`.
pub async fn look_up(
    txn: &mut Txn<'_>,
    document: &Document,
    pins: &Pins,
) -> Result<Known, store::Error> {
    let mut known = Known::default();
    for name in entities(document) {
        if let Some(id) = txn.find_shared(&IDS, name).await? {
            known.ids.insert(name.to_owned(), id.0.clone());
        }
        if let Some(arn) = txn.find_shared(&ARNS, name).await? {
            known.arns.insert(name.to_owned(), arn.0.clone());
        }
    }
    for id in pins.ids().values() {
        if let Some(arn) = txn.find_shared(&ARNS, id).await? {
            known.arns.insert(id.to_string(), arn.0.clone());
        }
    }
    Ok(known)
}

/// Whether `principal` can be meant by a policy: users and roles must exist, under exactly this ARN. Accounts,
/// services and federated identities are taken as they are.
pub async fn exists(txn: &mut Txn<'_>, principal: &Principal) -> Result<bool, store::Error> {
    let row = |kind, account, name: &str| Path::new("a").with(account).with(kind).with(name).key();
    match principal {
        Principal::User(entity) | Principal::Role(entity)
            if txn.find_shared(&IDS, entity.arn()).await?.is_some() =>
        {
            Ok(true)
        }
        // Users made before there were policies are known by name alone. They had no path.
        Principal::User(entity) if entity.arn().starts_with("arn:aws:iam::") => {
            txn.exists(&row("user", &entity.account, &entity.name)).await
        }
        Principal::User(_) | Principal::Role(_) => Ok(false),
        Principal::AssumedRole(entity) => Ok(session_id(txn, entity).await?.is_some()),
        _ => Ok(true),
    }
}

/// What a role's row is read for here.
#[derive(Deserialize, Serialize)]
struct Role {
    id: String,
}

store::json_record!(Role, 1);

/// A role, by its account and its name in lower case.
const fn roles<'a>() -> Table<(&'a AccountId, &'a str), Role> {
    Table::new(|(account, name)| Path::new("a").with(account).with("role").with(name).key())
}

/// The unique id of the session called `session`, as its calls carry it: that of its role, and the name. `None`
/// if there is no such role. Who has the role's name later has other sessions.
pub async fn session_id(
    txn: &mut Txn<'_>,
    session: &Entity,
) -> Result<Option<String>, store::Error> {
    // The first part is the role's name, without its path.
    let Some((role, name)) = session.name.split_once('/') else { return Ok(None) };
    let role = role.to_ascii_lowercase();
    let role = txn.find(&roles(), &(&session.account, role.as_str())).await?;
    Ok(role.map(|it| format!("{}:{name}", it.id)))
}
