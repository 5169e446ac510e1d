//! UntagUser: takes tags from a user.

use crate::iam::{Error, SOURCE, holder, names, tags};
use crate::user::User;
use policy::engine::Values;
use service::context::tag_keys;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which user, and the names of the tags.
    pub struct UntagUser {
        user_name: Text,
        tag_keys: List<Text>,
    }
}

impl Operation for UntagUser {
    const NAME: &'static str = "UntagUser";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UntagUser");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 128);
        tags::key_constraints(found, self.tag_keys.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tag_keys(self.tag_keys.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let mut user = User::clone(&*found.existing()?);
        user.tags = tags::without(&user.tags, self.tag_keys.as_ref());
        holder::save(call, txn, &user)?;
        Ok(Answer::new(permit, ()))
    }
}
