//! The organization as the admin API shows it.

use super::attached::{
    Control, FULL_ACCESS, FULL_ACCESS_ID, FULL_ACCESS_TEXT, RESOURCE_FULL_ACCESS,
    RESOURCE_FULL_ACCESS_ID, RESOURCE_FULL_ACCESS_TEXT,
};
use super::{Error, Organization, document, find};
use serde_json::{Value, json};
use store::Txn;

/// The organization as a tree, by names.
///
/// # Errors
///
/// [`Error::Missing`]: there is none.
pub async fn show(txn: &mut Txn<'_>) -> Result<Value, Error> {
    let found = find(txn).await?.ok_or(Error::Missing)?;
    let Organization { id, management, root, owner, created, .. } = &found;
    Ok(json!({
        "Id": id,
        "Arn": format!("arn:aws:organizations::{management}:organization/{id}"),
        "ManagementAccountId": management,
        "Owner": owner,
        "CreatedAt": created.to_string(),
        "Root": found.place_shown(root, "root"),
    }))
}

/// All policies, without their texts.
///
/// # Errors
///
/// [`Error::Missing`]: there is no organization.
pub async fn policies(txn: &mut Txn<'_>) -> Result<Value, Error> {
    let found = find(txn).await?.ok_or(Error::Missing)?;
    let own = [FULL_ACCESS_ID, RESOURCE_FULL_ACCESS_ID].into_iter();
    let all = own.chain(found.policies.keys().map(String::as_str));
    let all: Vec<_> = all.map(|it| found.policy_shown(it)).collect();
    Ok(json!({ "Policies": all }))
}

/// One policy, by name or id, with its text.
///
/// # Errors
///
/// [`Error::PolicyUnknown`], [`Error::Missing`].
pub async fn policy(txn: &mut Txn<'_>, called: &str) -> Result<Value, Error> {
    let found = find(txn).await?.ok_or(Error::Missing)?;
    let (id, _) = found.policy_called(called)?;
    let content = match id.as_str() {
        FULL_ACCESS_ID => FULL_ACCESS_TEXT.to_owned(),
        RESOURCE_FULL_ACCESS_ID => RESOURCE_FULL_ACCESS_TEXT.to_owned(),
        id => document(txn, id).await?,
    };
    let mut shown = found.policy_shown(&id);
    if let Value::Object(members) = &mut shown {
        members.insert("Content".to_owned(), Value::String(content));
    }
    Ok(shown)
}

impl Organization {
    /// A place with all that is below it. No deeper than units can be.
    fn place_shown(&self, id: &str, name: &str) -> Value {
        let below = self.units.iter().filter(|it| it.1.parent == id);
        let mut units: Vec<_> = below.map(|(id, it)| (it.name.as_str(), id)).collect();
        units.sort_unstable();
        let units: Vec<_> = units.iter().map(|(name, id)| self.place_shown(id, name)).collect();
        let own = self.accounts.iter().filter(|it| it.1 == id);
        let account = |account: &str| {
            let mut shown = self.attached_shown(account);
            shown.insert("AccountId".to_owned(), json!(account));
            Value::Object(shown)
        };
        let accounts: Vec<_> = own.map(|it| account(it.0.as_str())).collect();
        let mut shown = self.attached_shown(id);
        let rest = [
            ("Id", json!(id)),
            ("Name", json!(name)),
            ("Units", json!(units)),
            ("Accounts", json!(accounts)),
        ];
        shown.extend(rest.map(|(name, value)| (name.to_owned(), value)));
        Value::Object(shown)
    }

    /// The names of the policies at `target`.
    fn attached_shown(&self, target: &str) -> serde_json::Map<String, Value> {
        let attached = self.attached.get(target).map(Vec::as_slice).unwrap_or_default();
        let of = |control| {
            let own = attached.iter().filter(move |it| self.control_of(it) == Some(control));
            own.map(|it| json!(self.policy_name(it))).collect::<Vec<_>>()
        };
        let both = [
            ("ServiceControlPolicies", of(Control::Service)),
            ("ResourceControlPolicies", of(Control::Resource)),
        ];
        both.map(|(name, names)| (name.to_owned(), Value::Array(names))).into_iter().collect()
    }

    fn policy_shown(&self, id: &str) -> Value {
        let (control, named) = (self.control_of(id), self.policies.get(id));
        let owner = named.map_or("aws", |_| self.management.as_str());
        let segment = control.map(Control::segment).unwrap_or_default();
        let within = named.map(|_| format!("{}/", self.id)).unwrap_or_default();
        let targets = self.attached.iter().filter(|it| it.1.iter().any(|it| it == id));
        json!({
            "Id": id,
            "Arn": format!("arn:aws:organizations::{owner}:policy/{within}{segment}/{id}"),
            "Name": self.policy_name(id),
            "Type": control,
            "Description": named.and_then(|it| it.description.as_ref()),
            "AwsManaged": named.is_none(),
            "Targets": targets.map(|it| it.0).collect::<Vec<_>>(),
        })
    }

    fn policy_name(&self, id: &str) -> &str {
        match id {
            FULL_ACCESS_ID => FULL_ACCESS,
            RESOURCE_FULL_ACCESS_ID => RESOURCE_FULL_ACCESS,
            id => self.policies.get(id).map_or("", |it| &it.name),
        }
    }
}
