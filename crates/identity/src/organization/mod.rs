//! The organization: which accounts belong together, and the control policies over them.
//!
//! Read [`Organization`] first (the tree and what is attached to it), then [`Act`] (what an operator changes)
//! and [`Declared`] (an organization that the configuration describes).
//!
//! Invariants:
//!
//! - There is one organization, or none. An account outside of it is a stranger to all its members.
//! - Every change writes the generation of every account: what a caller may do is gathered anew at its next
//!   request, and requests read nothing for the organization's sake.
//! - Policies are checked when they are put. One that can't be understood later stops the request.
//!
//! Absent: the API of AWS Organizations, invitations, delegated administrators, policies of other types.

mod act;
mod attached;
mod declared;
mod error;
mod ids;
mod shown;
mod tree;

pub use act::{Act, Done, run};
pub use attached::{Control, FULL_ACCESS, RESOURCE_FULL_ACCESS};
pub use declared::{Controls, Declared, DeclaredPolicy, Holding, apply};
pub use error::Error;
pub use shown::{policies, policy, show};

use crate::{entities, list_accounts};
use attached::Named;
use base::{AccountId, Entropy, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use store::path::Path;
use store::{Table, Txn};
use tree::Unit;

/// An organization: a root, units below it, accounts in them, and policies attached to all three.
///
/// Targets of policies are named by the root's id, a unit's id, or an account's digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// `o-a1b2c3d4e5`.
    pub id: String,
    /// The account that no control policy concerns.
    pub management: AccountId,
    /// `r-ab12`.
    root: String,
    /// Who decides about it.
    pub owner: Owner,
    created: Timestamp,
    /// By id, `ou-ab12-11111111`.
    units: BTreeMap<String, Unit>,
    /// Where each account is: the id of the root or of a unit.
    accounts: BTreeMap<AccountId, String>,
    /// By id, without AWS's own two.
    policies: BTreeMap<String, Named>,
    /// Ids of policies by target.
    attached: BTreeMap<String, Vec<String>>,
}

/// Who decides about an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// The server's configuration file.
    Configuration,
    /// Whoever can open the admin socket.
    Operator,
}

/// The organization as it is stored, with what is made of it for decisions.
struct Row {
    organization: Organization,
    in_force: OnceLock<Arc<service::Organization>>,
}

/// The text of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Document(String);

store::json_record!(Document, 1);

impl store::Record for Row {
    const SCHEMA: u16 = 1;

    fn encode(&self) -> Result<Vec<u8>, String> {
        store::to_json(&self.organization)
    }

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        match schema {
            1 => Ok(store::from_json::<Organization>(bytes)?.into()),
            _ => Err(format!("schema {schema} is newer than this program")),
        }
    }
}

impl From<Organization> for Row {
    fn from(organization: Organization) -> Self {
        Self { organization, in_force: OnceLock::new() }
    }
}

const ORGANIZATION: Table<(), Row> = Table::new(|()| "organization".to_owned());
const DOCUMENTS: Table<str, Document> =
    Table::new(|id| Path::new("organization").with("policy").with(id).key());

/// The organization, if there is one.
///
/// # Errors
///
/// The store's.
pub async fn find(txn: &mut Txn<'_>) -> Result<Option<Organization>, store::Error> {
    Ok(txn.find_shared(&ORGANIZATION, &()).await?.map(|it| it.organization.clone()))
}

/// The organization as requests are held against it. Put together once for all that ask between two changes.
///
/// # Errors
///
/// [`store::Error::Corrupt`]: a policy is missing or can't be understood; then nothing may be allowed.
pub(crate) async fn in_force(
    txn: &mut Txn<'_>,
) -> Result<Option<Arc<service::Organization>>, store::Error> {
    let Some(row) = txn.find_shared(&ORGANIZATION, &()).await? else { return Ok(None) };
    if let Some(known) = row.in_force.get() {
        return Ok(Some(Arc::clone(known)));
    }
    let mut held = BTreeMap::from([attached::full_access()?]);
    let used: BTreeSet<_> = row.organization.attached.values().flatten().collect();
    for (id, named) in &row.organization.policies {
        if used.contains(id) {
            let text = document(txn, id).await?;
            held.insert(id.clone(), named.compiled(id, &text)?);
        }
    }
    let made = Arc::new(row.organization.assemble(&held)?);
    // Another request may have been first, with the same.
    let _either = row.in_force.set(Arc::clone(&made));
    Ok(Some(made))
}

/// The text of the policy `id`.
async fn document(txn: &mut Txn<'_>, id: &str) -> Result<String, store::Error> {
    let found = txn.find(&DOCUMENTS, id).await?;
    found.map(|it| it.0).ok_or_else(|| corrupt(id, "a control policy has no text"))
}

/// Saves `organization`, and has every account ask anew what its callers may do.
async fn save(
    txn: &mut Txn<'_>,
    organization: &Organization,
    entropy: &dyn Entropy,
) -> Result<(), Error> {
    txn.save(&ORGANIZATION, &(), &organization.clone().into())?;
    announce(txn, entropy).await
}

async fn announce(txn: &mut Txn<'_>, entropy: &dyn Entropy) -> Result<(), Error> {
    // Accounts that are made meanwhile are a conflict; those made later find the organization by themselves.
    for account in list_accounts(txn).await? {
        entities::changed(txn, &account.id, entropy)?;
    }
    Ok(())
}

fn corrupt(key: &str, reason: &str) -> store::Error {
    store::Error::Corrupt { key: key.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
