//! CreateUser: makes a user, who may do nothing yet.

use crate::entities::Given;
use crate::iam::shown::ShownUser;
use crate::iam::tags::TagsGiven;
use crate::iam::{Error, SOURCE, attachments, condition, holder, names, tags};
use crate::user::User;
use crate::{mint, user};
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input, principals};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// What the user is called, and what is known of it from the start.
    pub struct CreateUser {
        path: Text,
        user_name: Text,
        permissions_boundary: Text,
        tags: TagsGiven,
    }
}

/// The new user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    user: ShownUser,
}

impl Operation for CreateUser {
    const NAME: &'static str = "CreateUser";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreateUser");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::path(found, "path", self.path.as_ref());
        names::required(found, "userName", self.user_name.as_ref(), 64);
        found.length("permissionsBoundary", self.permissions_boundary.as_ref(), 20..=2048);
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        condition::boundary(self.permissions_boundary.as_ref(), key)
            .or_else(|| tags::condition(self.tags.as_ref(), key))
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let new = (self.path.as_ref(), self.user_name.as_ref());
        let (permit, found) = holder::admit_new::<User, _>(call, txn, self, new).await?;
        let account = &call.caller.account;
        let name = self.user_name.as_ref().map_or("", Text::as_str);
        let arn = holder::arn(account, "user", self.path.as_ref(), name);
        tags::permit(call, self, (Action("iam:TagUser"), &arn), self.tags.as_ref())?;
        found.absent()?;
        holder::within_quota::<User>(txn, &user::prefix(account)).await?;
        let boundary = attachments::boundary(call, txn, self.permissions_boundary.as_ref()).await?;
        let user = User {
            name: name.to_owned(),
            id: mint::unique_id("AIDA", call.entropy),
            arn: holder::arn(account, "user", self.path.as_ref(), name),
            created: call.now,
            path: self.path.as_ref().map_or("/", Text::as_str).to_owned(),
            groups: Vec::new(),
            boundary,
            given: Given::default(),
            tags: tags::merged(&Vec::new(), self.tags.as_ref())?,
            devices: Vec::new(),
        };
        principals::register(txn, &user.arn, &user.id)?;
        holder::note_uses(txn, account, &user)?;
        holder::save(call, txn, &user)?;
        Ok(Answer::new(permit, Output { user: ShownUser::whole(&user) }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "user": output.user.recorded() }))
    }
}
