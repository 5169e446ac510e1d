//! UpdateRole: changes what a role is for, and how long its sessions may be.

use crate::entities::Role;
use crate::iam::operations::Nothing;
use crate::iam::{Error, SOURCE, holder, linked, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which role, and what changes.
    pub struct UpdateRole {
        role_name: Text,
        description: Text,
        max_session_duration: Integer,
    }
}

impl Operation for UpdateRole {
    const NAME: &'static str = "UpdateRole";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UpdateRole");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        names::description(found, self.description.as_ref());
        found.range("maxSessionDuration", self.max_session_duration, 3600..=43_200);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let mut role = Role::clone(&*found.existing()?);
        if self.max_session_duration.is_some() {
            linked::unprotected(&role)?;
        }
        if let Some(description) = &self.description {
            role.description = Some(description.as_str().to_owned());
        }
        if let Some(longest) = self.max_session_duration {
            role.max_session = u32::try_from(longest.get()).unwrap_or(role.max_session);
        }
        holder::save(call, txn, &role)?;
        Ok(Answer::new(permit, Nothing))
    }
}
