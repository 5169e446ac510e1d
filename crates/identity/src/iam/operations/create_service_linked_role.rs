//! CreateServiceLinkedRole: makes the role that only one service can assume.

use crate::entities::{self, Given, Role};
use crate::iam::holder::{self, Holder};
use crate::iam::linked::{self, Linked};
use crate::iam::shown::ShownRole;
use crate::iam::{Error, SOURCE, documents, names};
use crate::mint;
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Target, input, principals};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which service's, and what tells it from others of that service.
    pub struct CreateServiceLinkedRole {
        #[serde(rename(deserialize = "AWSServiceName", serialize = "aWSServiceName"))]
        service: Text,
        description: Text,
        custom_suffix: Text,
    }
}

/// The new role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    role: ShownRole,
}

impl Operation for CreateServiceLinkedRole {
    const NAME: &'static str = "CreateServiceLinkedRole";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreateServiceLinkedRole");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "aWSServiceName", self.service.as_ref(), 128);
        names::description(found, self.description.as_ref());
        names::optional(found, "customSuffix", self.custom_suffix.as_ref(), 64);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        let service = self.service.as_ref().filter(|_| key == "iam:awsservicename");
        service.map(|it| Values::one(it.as_str()))
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let account = &call.caller.account;
        let service = self.service.as_ref().map_or("", Text::as_str);
        let known = linked::of_service(service);
        let name = self.name(known.as_ref());
        let path = format!("{}{service}/", linked::PATH);
        let arn = format!("arn:aws:iam::{account}:role{path}{name}");
        let permit = call.admit(self, Target::of(account, Some(&arn)))?;
        let known = known.ok_or_else(|| unknown(service))?;
        if self.custom_suffix.is_some() && !known.suffix {
            return Err(Error::Unfit(format!("Custom suffix is not allowed for {service}")));
        }
        if 64 < name.len() {
            return Err(Error::Input("The name of a role can have 64 characters."));
        }
        if Role::find(txn, account, &name).await?.is_some() {
            return Err(taken(&name));
        }
        holder::within_quota::<Role>(txn, &entities::prefix(account, "role")).await?;
        let role = self.role((call, known), txn, [name, path, arn]).await?;
        principals::register(txn, &role.arn, &role.id)?;
        holder::save(call, txn, &role)?;
        let trust = role.trust.clone();
        Ok(Answer::new(permit, Output { role: ShownRole::made(&role, trust) }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "role": output.role.recorded() }))
    }
}

impl CreateServiceLinkedRole {
    fn name(&self, known: Option<&Linked>) -> String {
        let name = known.map_or("AWSServiceRoleFor", |it| it.name);
        match &self.custom_suffix {
            Some(suffix) => format!("{name}_{}", suffix.as_str()),
            None => name.to_owned(),
        }
    }

    async fn role(
        &self,
        (call, known): (&Call<'_>, Linked),
        txn: &mut Txn<'_>,
        [name, path, arn]: [String; 3],
    ) -> Result<Role, Error> {
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Action":["sts:AssumeRole"],"Effect":"Allow","Principal":{{"Service":["{}"]}}}}]}}"#,
            known.service
        );
        let (trust, pins) = documents::trust(txn, Some(&Text::from(trust.as_str()))).await?;
        Ok(Role {
            name,
            path,
            id: mint::unique_id("AROA", call.entropy),
            arn,
            created: call.now,
            trust,
            pins,
            description: self.description.as_ref().map(|it| it.as_str().to_owned()),
            max_session: 3600,
            boundary: None,
            given: Given::default(),
            tags: Vec::new(),
            revoked: None,
            linked: Some(known.service.to_owned()),
        })
    }
}

fn unknown(service: &str) -> Error {
    Error::Unfit(format!("No service-linked role is known of the service {service}"))
}

fn taken(name: &str) -> Error {
    Error::Unfit(format!(
        "Service role name {name} has been taken in this account, please try a different suffix."
    ))
}
