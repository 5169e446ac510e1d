//! TagInstanceProfile: adds tags to an instance profile, or gives those that are there another value.

use crate::iam::tags::TagsGiven;
use crate::iam::{Error, SOURCE, names, profiles, tags};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which profile, and the tags.
    pub struct TagInstanceProfile {
        instance_profile_name: Text,
        tags: TagsGiven,
    }
}

impl Operation for TagInstanceProfile {
    const NAME: &'static str = "TagInstanceProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:TagInstanceProfile");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "instanceProfileName", self.instance_profile_name.as_ref(), 128);
        found.required("tags", self.tags.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, mut profile) =
            profiles::admit(call, txn, self, self.instance_profile_name.as_ref()).await?;
        profile.tags = tags::merged(&profile.tags, self.tags.as_ref())?;
        profiles::save(txn, &call.caller.account, &profile)?;
        Ok(Answer::new(permit, ()))
    }
}
