//! GetProfile: a profile as it is.

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
    pub struct GetProfile {
        profile_id: Text,
    }
}

impl Operation for GetProfile {
    const NAME: &'static str = "GetProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:GetProfile");
    const READ_ONLY: bool = true;
    type Output = One<Profile>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::identifier::<Profile>(found, self.profile_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<One<Profile>>, Error> {
        let (permit, found) = kept::admit(call, txn, self, self.profile_id.as_ref()).await?;
        Ok(Answer::new(permit, One(found)))
    }
}
