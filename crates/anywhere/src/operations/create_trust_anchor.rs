//! CreateTrustAnchor: authorities whose certificates an account believes from now on.

use super::SOURCE;
use crate::given::{Source, not_built, not_switched};
use crate::kept::{self, Kept, One};
use crate::rows::TrustAnchor;
use crate::tags::{self, Tags};
use crate::{Error, limits};
use policy::engine::Values;
use serde_json::Value;
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, List, Structure, Text};

rest_input! {
    /// Which authorities, under which name.
    pub struct CreateTrustAnchor {
        name: Text,
        source: Structure<Source>,
        enabled: Boolean,
        crl_dp_revocation_enabled: Boolean,
        tags: Tags,
        notification_settings: List<Value>,
        alias_name: Text,
    }
}

impl Operation for CreateTrustAnchor {
    const NAME: &'static str = "CreateTrustAnchor";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:CreateTrustAnchor");
    const READ_ONLY: bool = false;
    type Output = One<TrustAnchor>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("name", self.name.as_ref());
        limits::name(found, self.name.as_ref());
        found.required("source", self.source.as_ref());
        if let Some(Structure(source)) = &self.source {
            source.constraints(found);
        }
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<Answer<One<TrustAnchor>>, Error> {
        let permit = kept::admit_new::<TrustAnchor, _>(call, self, self.tags.as_ref())?;
        not_switched("crlDpRevocationEnabled", self.crl_dp_revocation_enabled)?;
        not_built("notificationSettings", self.notification_settings.as_ref())?;
        not_built("aliasName", self.alias_name.as_ref())?;
        let source = self.source.as_ref().map(|it| it.0.bundle()).transpose()?;
        let what = TrustAnchor { bundle: source.unwrap_or_default(), crls: Vec::new() };
        let mut made = Kept::new(call, self.name.as_ref(), what);
        tags::add(&mut made.tags, self.tags.as_ref())?;
        let made = made.switched(self.enabled.is_some_and(Boolean::get)).saved(call, txn)?;
        Ok(Answer::new(permit, One(made)))
    }

    fn elements(output: &One<TrustAnchor>) -> Option<serde_json::Value> {
        kept::told(output)
    }
}
