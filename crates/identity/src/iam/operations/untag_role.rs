//! UntagRole: takes tags from a role.

use crate::entities::Role;
use crate::iam::{Error, SOURCE, holder, names, tags};
use policy::engine::Values;
use service::context::tag_keys;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which role, and the names of the tags.
    pub struct UntagRole {
        role_name: Text,
        tag_keys: List<Text>,
    }
}

impl Operation for UntagRole {
    const NAME: &'static str = "UntagRole";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UntagRole");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        tags::key_constraints(found, self.tag_keys.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tag_keys(self.tag_keys.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let mut role = Role::clone(&*found.existing()?);
        role.tags = tags::without(&role.tags, self.tag_keys.as_ref());
        holder::save(call, txn, &role)?;
        Ok(Answer::new(permit, ()))
    }
}
