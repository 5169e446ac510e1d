//! DeleteInstanceProfile: removes an instance profile that has no role any more.

use crate::iam::{Error, SOURCE, names, profiles};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which profile.
    pub struct DeleteInstanceProfile {
        instance_profile_name: Text,
    }
}

impl Operation for DeleteInstanceProfile {
    const NAME: &'static str = "DeleteInstanceProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteInstanceProfile");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "instanceProfileName", self.instance_profile_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, profile) =
            profiles::admit(call, txn, self, self.instance_profile_name.as_ref()).await?;
        if profile.role.is_some() {
            return Err(Error::Hangs(profiles::IN_USE));
        }
        profiles::remove(txn, &call.caller.account, &profile);
        Ok(Answer::new(permit, ()))
    }
}
