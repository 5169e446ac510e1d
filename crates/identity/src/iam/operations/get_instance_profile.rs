//! GetInstanceProfile: an instance profile with its role.

use crate::iam::shown::ShownProfile;
use crate::iam::{Error, SOURCE, names, profiles};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which profile.
    pub struct GetInstanceProfile {
        instance_profile_name: Text,
    }
}

/// The instance profile.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    instance_profile: ShownProfile,
}

impl Operation for GetInstanceProfile {
    const NAME: &'static str = "GetInstanceProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetInstanceProfile");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "instanceProfileName", self.instance_profile_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, profile) =
            profiles::admit(call, txn, self, self.instance_profile_name.as_ref()).await?;
        let tags = profile.tags.clone();
        let shown = profiles::shown_one(txn, &call.caller.account, profile).await?;
        Ok(Answer::new(permit, Output { instance_profile: shown.with_tags(&tags) }))
    }
}
