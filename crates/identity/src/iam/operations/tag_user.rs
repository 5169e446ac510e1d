//! TagUser: adds tags to a user, or gives those that are there another value.

use crate::iam::tags::TagsGiven;
use crate::iam::{Error, SOURCE, holder, names, tags};
use crate::user::User;
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which user, and the tags.
    pub struct TagUser {
        user_name: Text,
        tags: TagsGiven,
    }
}

impl Operation for TagUser {
    const NAME: &'static str = "TagUser";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:TagUser");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 128);
        found.required("tags", self.tags.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let mut user = User::clone(&*found.existing()?);
        user.tags = tags::merged(&user.tags, self.tags.as_ref())?;
        holder::save(call, txn, &user)?;
        Ok(Answer::new(permit, ()))
    }
}
