//! TagRole: adds tags to a role, or gives those that are there another value.

use crate::entities::Role;
use crate::iam::tags::TagsGiven;
use crate::iam::{Error, SOURCE, holder, names, tags};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role, and the tags.
    pub struct TagRole {
        role_name: Text,
        tags: TagsGiven,
    }
}

impl Operation for TagRole {
    const NAME: &'static str = "TagRole";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:TagRole");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        found.required("tags", self.tags.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let mut role = Role::clone(&*found.existing()?);
        role.tags = tags::merged(&role.tags, self.tags.as_ref())?;
        holder::save(call, txn, &role)?;
        Ok(Answer::new(permit, ()))
    }
}
