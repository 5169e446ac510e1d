//! ListPoliciesGrantingServiceAccess: the policies by which a user, a group or a role may use services.

use crate::iam::granting::{self, Entity, Grant};
use crate::iam::holder::Keys;
use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, names, page};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Who, which services, and from where.
    pub struct ListPoliciesGrantingServiceAccess {
        marker: Text,
        arn: Text,
        service_namespaces: List<Text>,
    }
}

/// A page of services, each with its policies.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policies_granting_service_access: Vec<OfService>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// The policies that let one use a service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfService {
    service_namespace: String,
    policies: Vec<Shown>,
}

/// A policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shown {
    policy_name: String,
    policy_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_name: Option<String>,
}

impl Shown {
    fn of(grant: &Grant) -> Self {
        let (policy_type, policy_arn, entity) = match grant.of.clone() {
            Ok(arn) => ("MANAGED", Some(arn), None),
            Err(entity) => ("INLINE", None, Some(entity)),
        };
        let (entity_type, entity_name) = entity.unzip();
        let policy_name = grant.name.clone();
        Self { policy_name, policy_type, policy_arn, entity_type, entity_name }
    }
}

impl Operation for ListPoliciesGrantingServiceAccess {
    const NAME: &'static str = "ListPoliciesGrantingServiceAccess";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListPoliciesGrantingServiceAccess");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        page::constraints(found, self.marker.as_ref(), None);
        names::arn(found, "arn", self.arn.as_ref());
        names::namespaces(found, self.service_namespaces.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let account = &call.caller.account;
        let arn = self.arn.as_ref().map_or("", Text::as_str);
        let entity = Entity::find(txn, account, arn).await?;
        let tags = entity.as_ref().map_or(&[][..], |it| it.parts().tags);
        let keys = Keys { tags, boundary: None };
        let permit = call.admit(self, Target { keys: &keys, ..Target::of(account, Some(arn)) })?;
        let entity = entity.ok_or_else(|| unknown(arn, account))?;
        let grants = entity.grants(txn, account).await?;
        let namespaces = self.service_namespaces.as_ref().map_or(&[][..], List::as_slice);
        let positions: Vec<String> = (0..namespaces.len()).map(|it| format!("{it:03}")).collect();
        let items = positions.iter().map(String::as_str).zip(namespaces);
        let (shown, marker) = Ask::of(Self::NAME, self.marker.as_ref(), None).of_items(items)?;
        let of_service = |it: &Text| OfService {
            service_namespace: it.as_str().to_owned(),
            policies: granting::of_service(&grants, it.as_str()).map(Shown::of).collect(),
        };
        let policies_granting_service_access = shown.into_iter().map(of_service).collect();
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { policies_granting_service_access, is_truncated, marker }))
    }
}

/// That `arn` leads to nobody.
fn unknown(arn: &str, account: &base::AccountId) -> Error {
    match granting::parsed(arn, account) {
        Some((kind @ ("group" | "role" | "user"), name)) => {
            Error::NotFound { what: kind.to_owned(), name: name.to_owned() }
        }
        _ => Error::Unfit(format!("ARN {arn} is not valid.")),
    }
}
