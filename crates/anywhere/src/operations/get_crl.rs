//! GetCrl: a revocation list as it is.

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
    pub struct GetCrl {
        crl_id: Text,
    }
}

impl Operation for GetCrl {
    const NAME: &'static str = "GetCrl";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:GetCrl");
    const READ_ONLY: bool = true;
    type Output = One<Crl>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::identifier::<Crl>(found, self.crl_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<One<Crl>>, Error> {
        let (permit, found) = kept::admit(call, txn, self, self.crl_id.as_ref()).await?;
        Ok(Answer::new(permit, One(found)))
    }
}
