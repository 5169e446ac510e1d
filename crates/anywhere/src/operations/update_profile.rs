//! UpdateProfile: changes what a profile lets holders of certificates do. Sessions that have begun go on.

use super::SOURCE;
use crate::given::{self, not_built};
use crate::kept::{self, Kept, One};
use crate::rows::Profile;
use crate::{Error, limits};
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Integer, List, Text};

rest_input! {
    /// Which one, and what changes.
    pub struct UpdateProfile {
        profile_id: Text,
        name: Text,
        session_policy: Text,
        role_arns: List<Text>,
        managed_policy_arns: List<Text>,
        duration_seconds: Integer,
        accept_role_session_name: Boolean,
        alias_name: Text,
    }
}

impl Operation for UpdateProfile {
    const NAME: &'static str = "UpdateProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:UpdateProfile");
    const READ_ONLY: bool = false;
    type Output = One<Profile>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::identifier::<Profile>(found, self.profile_id.as_ref());
        limits::name(found, self.name.as_ref());
        found.length("sessionPolicy", self.session_policy.as_ref(), 1..=100_000);
        limits::role_arns(found, self.role_arns.as_ref());
        limits::managed_policy_arns(found, self.managed_policy_arns.as_ref());
        found.range("durationSeconds", self.duration_seconds, limits::DURATION);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<One<Profile>>, Error> {
        let (permit, mut found): (_, Kept<Profile>) =
            kept::admit(call, txn, self, self.profile_id.as_ref()).await?;
        let role_arns = given::roles(call, self, self.role_arns.as_ref())?;
        not_built("aliasName", self.alias_name.as_ref())?;
        if let Some(name) = &self.name {
            name.as_str().clone_into(&mut found.name);
        }
        let profile = &mut found.what;
        if self.role_arns.is_some() {
            profile.role_arns = role_arns;
        }
        if let Some(policy) = &self.session_policy {
            profile.session_policy = Some(given::session_policy(policy)?);
        }
        if let Some(arns) = &self.managed_policy_arns {
            profile.managed_policy_arns = given::texts(arns);
        }
        if let Some(seconds) = self.duration_seconds.and_then(|it| u64::try_from(it.get()).ok()) {
            profile.duration = seconds;
        }
        if let Some(accept) = self.accept_role_session_name {
            profile.accept_session_name = accept.get();
        }
        Ok(Answer::new(permit, One(found.saved(call, txn)?)))
    }

    fn elements(output: &One<Profile>) -> Option<serde_json::Value> {
        kept::told(output)
    }
}
