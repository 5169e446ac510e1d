//! GetTrustAnchor: a trust anchor as it is.

use super::SOURCE;
use crate::kept::{self, One};
use crate::rows::TrustAnchor;
use crate::{Error, limits};
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

rest_input! {
    /// Which one.
    pub struct GetTrustAnchor {
        trust_anchor_id: Text,
    }
}

impl Operation for GetTrustAnchor {
    const NAME: &'static str = "GetTrustAnchor";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:GetTrustAnchor");
    const READ_ONLY: bool = true;
    type Output = One<TrustAnchor>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::identifier::<TrustAnchor>(found, self.trust_anchor_id.as_ref());
    }

    async fn run(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<Answer<One<TrustAnchor>>, Error> {
        let (permit, found) = kept::admit(call, txn, self, self.trust_anchor_id.as_ref()).await?;
        Ok(Answer::new(permit, One(found)))
    }
}
