//! CreateRole: makes a role that those may assume whom its trust policy names.

use crate::entities::{Given, Role};
use crate::iam::shown::ShownRole;
use crate::iam::tags::TagsGiven;
use crate::iam::{Error, SOURCE, attachments, condition, documents, holder, linked, names, tags};
use crate::{entities, mint};
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input, principals};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// What the role is called, and who may assume it.
    pub struct CreateRole {
        path: Text,
        role_name: Text,
        assume_role_policy_document: Text,
        description: Text,
        max_session_duration: Integer,
        permissions_boundary: Text,
        tags: TagsGiven,
    }
}

/// The new role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    role: ShownRole,
}

impl Operation for CreateRole {
    const NAME: &'static str = "CreateRole";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreateRole");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::path(found, "path", self.path.as_ref());
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        names::document(
            found,
            "assumeRolePolicyDocument",
            self.assume_role_policy_document.as_ref(),
        );
        names::description(found, self.description.as_ref());
        found.range("maxSessionDuration", self.max_session_duration, 3600..=43_200);
        found.length("permissionsBoundary", self.permissions_boundary.as_ref(), 20..=2048);
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        condition::boundary(self.permissions_boundary.as_ref(), key)
            .or_else(|| tags::condition(self.tags.as_ref(), key))
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let new = (self.path.as_ref(), self.role_name.as_ref());
        let (permit, found) = holder::admit_new::<Role, _>(call, txn, self, new).await?;
        let account = &call.caller.account;
        let name = self.role_name.as_ref().map_or("", Text::as_str);
        let arn = holder::arn(account, "role", self.path.as_ref(), name);
        tags::permit(call, self, (Action("iam:TagRole"), &arn), self.tags.as_ref())?;
        if self.path.as_ref().is_some_and(|it| it.as_str().starts_with(linked::PATH)) {
            return Err(Error::Input(RESERVED));
        }
        found.absent()?;
        holder::within_quota::<Role>(txn, &entities::prefix(account, "role")).await?;
        let role = self.role(call, txn).await?;
        principals::register(txn, &role.arn, &role.id)?;
        holder::note_uses(txn, account, &role)?;
        holder::save(call, txn, &role)?;
        let trust = role.trust.clone();
        Ok(Answer::new(permit, Output { role: ShownRole::made(&role, trust) }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "role": output.role.recorded() }))
    }
}

const RESERVED: &str =
    "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles";

impl CreateRole {
    async fn role(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Role, Error> {
        let trust = self.assume_role_policy_document.as_ref();
        let (trust, pins) = documents::trust(txn, trust).await?;
        let boundary = attachments::boundary(call, txn, self.permissions_boundary.as_ref()).await?;
        let name = self.role_name.as_ref().map_or("", Text::as_str);
        let longest = self.max_session_duration.and_then(|it| u32::try_from(it.get()).ok());
        Ok(Role {
            name: name.to_owned(),
            path: self.path.as_ref().map_or("/", Text::as_str).to_owned(),
            id: mint::unique_id("AROA", call.entropy),
            arn: holder::arn(&call.caller.account, "role", self.path.as_ref(), name),
            created: call.now,
            trust,
            pins,
            description: self.description.as_ref().map(|it| it.as_str().to_owned()),
            max_session: longest.unwrap_or(3600),
            boundary,
            given: Given::default(),
            tags: tags::merged(&Vec::new(), self.tags.as_ref())?,
            revoked: None,
            linked: None,
        })
    }
}
