//! DeleteTrustAnchor: removes a trust anchor. Sessions that have begun go on.

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
    pub struct DeleteTrustAnchor {
        trust_anchor_id: Text,
    }
}

impl Operation for DeleteTrustAnchor {
    const NAME: &'static str = "DeleteTrustAnchor";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:DeleteTrustAnchor");
    const READ_ONLY: bool = false;
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
        found.remove(call, txn);
        Ok(Answer::new(permit, One(found)))
    }

    fn elements(output: &One<TrustAnchor>) -> Option<serde_json::Value> {
        kept::told(output)
    }
}
