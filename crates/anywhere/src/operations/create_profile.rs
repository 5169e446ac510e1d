//! CreateProfile: which roles holders of certificates may assume, and how far.

use super::SOURCE;
use crate::given::{self, not_built, not_switched};
use crate::kept::{self, Kept, One};
use crate::rows::Profile;
use crate::tags::{self, Tags};
use crate::{Error, limits};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Integer, List, Text};

rest_input! {
    /// Which roles, under which name.
    pub struct CreateProfile {
        name: Text,
        require_instance_properties: Boolean,
        session_policy: Text,
        role_arns: List<Text>,
        managed_policy_arns: List<Text>,
        duration_seconds: Integer,
        enabled: Boolean,
        tags: Tags,
        accept_role_session_name: Boolean,
        alias_name: Text,
    }
}

impl Operation for CreateProfile {
    const NAME: &'static str = "CreateProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:CreateProfile");
    const READ_ONLY: bool = false;
    type Output = One<Profile>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("name", self.name.as_ref());
        limits::name(found, self.name.as_ref());
        found.required("roleArns", self.role_arns.as_ref());
        limits::role_arns(found, self.role_arns.as_ref());
        limits::managed_policy_arns(found, self.managed_policy_arns.as_ref());
        found.range("durationSeconds", self.duration_seconds, limits::DURATION);
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<One<Profile>>, Error> {
        let permit = kept::admit_new::<Profile, _>(call, self, self.tags.as_ref())?;
        let role_arns = given::roles(call, self, self.role_arns.as_ref())?;
        not_switched("requireInstanceProperties", self.require_instance_properties)?;
        not_built("aliasName", self.alias_name.as_ref())?;
        let duration = self.duration_seconds.and_then(|it| u64::try_from(it.get()).ok());
        let what = Profile {
            role_arns,
            session_policy: self.session_policy.as_ref().map(given::session_policy).transpose()?,
            managed_policy_arns: self
                .managed_policy_arns
                .as_ref()
                .map(given::texts)
                .unwrap_or_default(),
            duration: duration.unwrap_or(HOUR),
            accept_session_name: self.accept_role_session_name.is_some_and(Boolean::get),
            created_by: call.caller.account.to_string(),
        };
        let mut made = Kept::new(call, self.name.as_ref(), what);
        tags::add(&mut made.tags, self.tags.as_ref())?;
        let made = made.switched(self.enabled.is_some_and(Boolean::get)).saved(call, txn)?;
        Ok(Answer::new(permit, One(made)))
    }

    fn elements(output: &One<Profile>) -> Option<serde_json::Value> {
        kept::told(output)
    }
}

/// In seconds. Source: API Reference, CreateProfile, `durationSeconds`.
const HOUR: u64 = 3600;
