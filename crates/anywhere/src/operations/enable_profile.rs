//! EnableProfile: switches a profile on.

use super::SOURCE;
use crate::kept::{self, One};
use crate::rows::Profile;
use crate::{Error, limits};
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

rest_input! {
    /// Which one.
    pub struct EnableProfile {
        profile_id: Text,
    }
}

impl Operation for EnableProfile {
    const NAME: &'static str = "EnableProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:EnableProfile");
    const READ_ONLY: bool = false;
    type Output = One<Profile>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::identifier::<Profile>(found, self.profile_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<One<Profile>>, Error> {
        let (permit, found) = kept::admit(call, txn, self, self.profile_id.as_ref()).await?;
        let changed = found.switched(true).saved(call, txn)?;
        Ok(Answer::new(permit, One(changed)))
    }

    fn elements(output: &One<Profile>) -> Option<serde_json::Value> {
        kept::told(output)
    }
}
