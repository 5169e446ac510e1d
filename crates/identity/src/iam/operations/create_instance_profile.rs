//! CreateInstanceProfile: makes an instance profile without a role.

use crate::iam::profiles::{self, Profile};
use crate::iam::shown::ShownProfile;
use crate::iam::tags::TagsGiven;
use crate::iam::{Error, SOURCE, documents, holder, names, tags};
use crate::mint;
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// What it is called, and its tags.
    pub struct CreateInstanceProfile {
        instance_profile_name: Text,
        path: Text,
        tags: TagsGiven,
    }
}

/// The instance profile.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    instance_profile: ShownProfile,
}

impl Operation for CreateInstanceProfile {
    const NAME: &'static str = "CreateInstanceProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreateInstanceProfile");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "instanceProfileName", self.instance_profile_name.as_ref(), 128);
        names::path(found, "path", self.path.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let account = &call.caller.account;
        let name = self.instance_profile_name.as_ref().map_or("", Text::as_str);
        let arn = holder::arn(account, "instance-profile", self.path.as_ref(), name);
        let permit = call.admit(self, Target::of(account, Some(&arn)))?;
        tags::permit(call, self, (TAG, &arn), self.tags.as_ref())?;
        if profiles::find(txn, account, name).await?.is_some() {
            return Err(Error::Taken(format!("Instance Profile {name} already exists.")));
        }
        if profiles::count(txn, account).await? >= profiles::MOST {
            return Err(documents::exceeded("InstanceProfilesPerAccount", profiles::MOST));
        }
        let profile = Profile {
            name: name.to_owned(),
            path: self.path.as_ref().map_or("/", Text::as_str).to_owned(),
            id: mint::unique_id("AIPA", call.entropy),
            arn,
            created: call.now,
            role: None,
            tags: tags::merged(&Vec::new(), self.tags.as_ref())?,
        };
        profiles::save(txn, account, &profile)?;
        let instance_profile = ShownProfile::listed(profile.clone(), None).with_tags(&profile.tags);
        Ok(Answer::new(permit, Output { instance_profile }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "instanceProfile": output.instance_profile.recorded() }))
    }
}

const TAG: Action = Action("iam:TagInstanceProfile");
