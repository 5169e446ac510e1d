//! DeleteCrl: removes a revocation list. What it had revoked is believed again.

use super::SOURCE;
use crate::kept::{self, Kept, One};
use crate::rows::{Crl, TrustAnchor};
use crate::{Error, limits};
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

rest_input! {
    /// Which one.
    pub struct DeleteCrl {
        crl_id: Text,
    }
}

impl Operation for DeleteCrl {
    const NAME: &'static str = "DeleteCrl";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:DeleteCrl");
    const READ_ONLY: bool = false;
    type Output = One<Crl>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::identifier::<Crl>(found, self.crl_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<One<Crl>>, Error> {
        let (permit, found): (_, Kept<Crl>) =
            kept::admit(call, txn, self, self.crl_id.as_ref()).await?;
        let anchor = kept::id_in::<TrustAnchor>(call, &found.what.anchor_arn).unwrap_or_default();
        if let Some(mut anchor) = kept::find::<TrustAnchor>(call, txn, anchor).await? {
            anchor.what.crls.retain(|it| *it != found.id);
            anchor.write(call, txn)?;
        }
        found.remove(call, txn);
        Ok(Answer::new(permit, One(found)))
    }

    fn elements(output: &One<Crl>) -> Option<serde_json::Value> {
        kept::told(output)
    }
}
