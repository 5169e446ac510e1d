//! UntagInstanceProfile: takes tags from an instance profile.

use crate::iam::{Error, SOURCE, names, profiles, tags};
use policy::engine::Values;
use service::context::tag_keys;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which profile, and the names of the tags.
    pub struct UntagInstanceProfile {
        instance_profile_name: Text,
        tag_keys: List<Text>,
    }
}

impl Operation for UntagInstanceProfile {
    const NAME: &'static str = "UntagInstanceProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UntagInstanceProfile");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "instanceProfileName", self.instance_profile_name.as_ref(), 128);
        tags::key_constraints(found, self.tag_keys.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tag_keys(self.tag_keys.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, mut profile) =
            profiles::admit(call, txn, self, self.instance_profile_name.as_ref()).await?;
        profile.tags = tags::without(&profile.tags, self.tag_keys.as_ref());
        profiles::save(txn, &call.caller.account, &profile)?;
        Ok(Answer::new(permit, ()))
    }
}
