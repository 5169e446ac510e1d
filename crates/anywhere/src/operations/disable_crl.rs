//! DisableCrl: switches a revocation list off.

use super::SOURCE;
use crate::kept::{self, One};
use crate::rows::Crl;
use crate::{Error, limits};
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

rest_input! {
    /// Which one.
    pub struct DisableCrl {
        crl_id: Text,
    }
}

impl Operation for DisableCrl {
    const NAME: &'static str = "DisableCrl";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:DisableCrl");
    const READ_ONLY: bool = false;
    type Output = One<Crl>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::identifier::<Crl>(found, self.crl_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<One<Crl>>, Error> {
        let (permit, found) = kept::admit(call, txn, self, self.crl_id.as_ref()).await?;
        let changed = found.switched(false).saved(call, txn)?;
        Ok(Answer::new(permit, One(changed)))
    }

    fn elements(output: &One<Crl>) -> Option<serde_json::Value> {
        kept::told(output)
    }
}
