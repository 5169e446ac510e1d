//! UpdateTrustAnchor: gives a trust anchor another name or other authorities.

use super::SOURCE;
use crate::given::{Source, not_built, not_switched};
use crate::kept::{self, Kept, One};
use crate::rows::TrustAnchor;
use crate::{Error, limits};
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Structure, Text};

rest_input! {
    /// Which one, and what changes.
    pub struct UpdateTrustAnchor {
        trust_anchor_id: Text,
        name: Text,
        source: Structure<Source>,
        crl_dp_revocation_enabled: Boolean,
        alias_name: Text,
    }
}

impl Operation for UpdateTrustAnchor {
    const NAME: &'static str = "UpdateTrustAnchor";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:UpdateTrustAnchor");
    const READ_ONLY: bool = false;
    type Output = One<TrustAnchor>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::identifier::<TrustAnchor>(found, self.trust_anchor_id.as_ref());
        limits::name(found, self.name.as_ref());
        if let Some(Structure(source)) = &self.source {
            source.constraints(found);
        }
    }

    async fn run(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<Answer<One<TrustAnchor>>, Error> {
        let (permit, mut found): (_, Kept<TrustAnchor>) =
            kept::admit(call, txn, self, self.trust_anchor_id.as_ref()).await?;
        not_switched("crlDpRevocationEnabled", self.crl_dp_revocation_enabled)?;
        not_built("aliasName", self.alias_name.as_ref())?;
        if let Some(Structure(source)) = &self.source {
            found.what.bundle = source.bundle()?;
        }
        if let Some(name) = &self.name {
            name.as_str().clone_into(&mut found.name);
        }
        Ok(Answer::new(permit, One(found.saved(call, txn)?)))
    }

    fn elements(output: &One<TrustAnchor>) -> Option<serde_json::Value> {
        kept::told(output)
    }
}
