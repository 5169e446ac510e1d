//! What an operator does to the organization.

use super::attached::{Control, Named};
use super::{
    DOCUMENTS, Document, Error, ORGANIZATION, Organization, Owner, announce, find, ids, save,
};
use crate::account;
use base::{AccountId, Entropy, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Txn;

/// One act of an operator. Names of places are `root`, paths such as `prod/eu`, or ids; policies go by name or
/// id, targets also by an account's digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Act {
    AttachPolicy { policy: String, target: String },
    CreateOrganization { management_account_id: AccountId, id: Option<String> },
    CreateOrganizationalUnit { name: String, parent: String },
    CreatePolicy { name: String, r#type: Control, content: String, description: Option<String> },
    DeleteOrganization {},
    DeleteOrganizationalUnit { unit: String },
    DeletePolicy { policy: String },
    DetachPolicy { policy: String, target: String },
    MoveAccount { account_id: AccountId, to: String },
    MoveOrganizationalUnit { unit: String, to: String },
    RemoveAccountFromOrganization { account_id: AccountId },
    UpdatePolicy { policy: String, content: String },
}

/// What came of an act.
#[derive(Debug)]
pub struct Done {
    /// The account in whose trail it stands.
    pub management: AccountId,
    /// The ids of what was made or changed.
    pub ids: Value,
}

impl Act {
    /// What it is called in the audit trail.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AttachPolicy { .. } => "AttachPolicy",
            Self::CreateOrganization { .. } => "CreateOrganization",
            Self::CreateOrganizationalUnit { .. } => "CreateOrganizationalUnit",
            Self::CreatePolicy { .. } => "CreatePolicy",
            Self::DeleteOrganization {} => "DeleteOrganization",
            Self::DeleteOrganizationalUnit { .. } => "DeleteOrganizationalUnit",
            Self::DeletePolicy { .. } => "DeletePolicy",
            Self::DetachPolicy { .. } => "DetachPolicy",
            Self::MoveAccount { .. } => "MoveAccount",
            Self::MoveOrganizationalUnit { .. } => "MoveOrganizationalUnit",
            Self::RemoveAccountFromOrganization { .. } => "RemoveAccountFromOrganization",
            Self::UpdatePolicy { .. } => "UpdatePolicy",
        }
    }
}

/// Does `act` in `txn`; the next request of every account sees it.
///
/// # Errors
///
/// [`Error`]: nothing is to be committed.
pub async fn run(
    txn: &mut Txn<'_>,
    act: &Act,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Done, Error> {
    let found = find(txn).await?;
    if let Act::CreateOrganization { management_account_id, id } = act {
        return match found {
            Some(found) => Err(Error::Exists(found.id)),
            None => create(txn, management_account_id, id.clone(), (entropy, now)).await,
        };
    }
    let mut organization = found.ok_or(Error::Missing)?;
    if organization.owner == Owner::Configuration {
        return Err(Error::Configured);
    }
    let management = organization.management.clone();
    if matches!(act, Act::DeleteOrganization {}) {
        delete(txn, &organization, entropy).await?;
        return Ok(Done { management, ids: json!({ "OrganizationId": organization.id }) });
    }
    if let Act::MoveAccount { account_id, .. } = act {
        require_account(txn, account_id).await?;
    }
    let ids = change(txn, &mut organization, act, entropy)?;
    save(txn, &organization, entropy).await?;
    Ok(Done { management, ids })
}

async fn create(
    txn: &mut Txn<'_>,
    management: &AccountId,
    id: Option<String>,
    (entropy, now): (&dyn Entropy, Timestamp),
) -> Result<Done, Error> {
    require_account(txn, management).await?;
    let id = id.unwrap_or_else(|| ids::organization(entropy));
    if !ids::is_organization(&id) {
        return Err(Error::Id(id));
    }
    let names = (id, ids::root(entropy));
    let made = Organization::new(names, management.clone(), Owner::Operator, now);
    save(txn, &made, entropy).await?;
    let ids = json!({ "OrganizationId": made.id, "RootId": made.root });
    Ok(Done { management: made.management, ids })
}

async fn require_account(txn: &mut Txn<'_>, id: &AccountId) -> Result<(), Error> {
    let found = account::find(txn, id).await?;
    found.map(drop).ok_or_else(|| Error::AccountUnknown(id.clone()))
}

async fn delete(
    txn: &mut Txn<'_>,
    organization: &Organization,
    entropy: &dyn Entropy,
) -> Result<(), Error> {
    if !organization.is_empty() {
        return Err(Error::NotEmpty(organization.id.clone()));
    }
    for id in organization.policies.keys() {
        txn.remove(&DOCUMENTS, id);
    }
    txn.remove(&ORGANIZATION, &());
    announce(txn, entropy).await
}

/// Changes `organization` and the texts of its policies; gives the ids of what was changed.
fn change(
    txn: &mut Txn<'_>,
    organization: &mut Organization,
    act: &Act,
    entropy: &dyn Entropy,
) -> Result<Value, Error> {
    match act {
        Act::AttachPolicy { policy, target } => {
            organization.attach(policy, target)?;
            attachment(organization, policy, target)
        }
        Act::DetachPolicy { policy, target } => {
            organization.detach(policy, target)?;
            attachment(organization, policy, target)
        }
        Act::CreateOrganizationalUnit { name, parent } => {
            Ok(json!({ "UnitId": organization.add_unit(parent, name, entropy)? }))
        }
        Act::MoveOrganizationalUnit { unit, to } => {
            organization.move_unit(unit, to)?;
            Ok(json!({}))
        }
        Act::DeleteOrganizationalUnit { unit } => {
            organization.remove_unit(unit)?;
            Ok(json!({}))
        }
        Act::MoveAccount { account_id, to } => {
            organization.place(account_id, to)?;
            Ok(json!({ "To": organization.place_called(to)? }))
        }
        Act::RemoveAccountFromOrganization { account_id } => {
            organization.take_out(account_id)?;
            Ok(json!({}))
        }
        Act::CreatePolicy { name, r#type, content, description } => {
            let (name, description) = (name.clone(), description.clone());
            let named = Named { name, control: *r#type, description };
            let id = organization.add_policy(named, content, entropy)?;
            txn.save(&DOCUMENTS, &id, &Document(content.clone()))?;
            Ok(json!({ "PolicyId": id }))
        }
        Act::UpdatePolicy { policy, content } => {
            let (id, control) = organization.own_policy_called(policy)?;
            control.check(policy, content)?;
            txn.save(&DOCUMENTS, &id, &Document(content.clone()))?;
            Ok(json!({ "PolicyId": id }))
        }
        Act::DeletePolicy { policy } => {
            let id = organization.remove_policy(policy)?;
            txn.remove(&DOCUMENTS, &id);
            Ok(json!({ "PolicyId": id }))
        }
        // Neither has an organization to change.
        Act::CreateOrganization { .. } | Act::DeleteOrganization {} => Ok(json!({})),
    }
}

fn attachment(organization: &Organization, policy: &str, target: &str) -> Result<Value, Error> {
    let (id, _) = organization.policy_called(policy)?;
    Ok(json!({ "PolicyId": id, "TargetId": organization.target_called(target)? }))
}
