//! ImportCrl: a revocation list of a trust anchor. Only one that is enabled counts.

use super::SOURCE;
use crate::given::not_built;
use crate::kept::{self, Kept, One};
use crate::rows::{Crl, TrustAnchor};
use crate::tags::{self, Tags};
use crate::{Error, limits, revocations};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::{Blob, Boolean, Text};

rest_input! {
    /// The list, its name, and whose it is.
    pub struct ImportCrl {
        name: Text,
        #[serde(skip_serializing)]
        crl_data: Blob,
        enabled: Boolean,
        tags: Tags,
        trust_anchor_arn: Text,
        alias_name: Text,
    }
}

impl Operation for ImportCrl {
    const NAME: &'static str = "ImportCrl";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:ImportCrl");
    const READ_ONLY: bool = false;
    type Output = One<Crl>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("name", self.name.as_ref());
        limits::name(found, self.name.as_ref());
        found.required("crlData", self.crl_data.as_ref());
        found.blob("crlData", self.crl_data.as_ref(), limits::CRL);
        limits::anchor_arn(found, "trustAnchorArn", self.trust_anchor_arn.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<One<Crl>>, Error> {
        let permit = kept::admit_new::<Crl, _>(call, self, self.tags.as_ref())?;
        not_built("aliasName", self.alias_name.as_ref())?;
        let data = self.crl_data.as_ref().map_or(&[][..], |it| it.value().expose());
        revocations(data).map_err(|it| Error::Invalid(it.to_owned()))?;
        let anchor = self.trust_anchor_arn.as_ref().map_or("", Text::as_str);
        let anchor = kept::id_in::<TrustAnchor>(call, anchor).unwrap_or_default();
        let anchor = kept::find::<TrustAnchor>(call, txn, anchor).await?;
        let missing = || Error::Invalid("Trust anchor not found".to_owned());
        let mut anchor = anchor.ok_or_else(missing)?;
        if anchor.what.crls.len() >= MOST {
            return Err(Error::Invalid(format!("A trust anchor has at most {MOST} CRLs")));
        }
        let what = Crl { data: STANDARD.encode(data), anchor_arn: anchor.arn.clone() };
        let mut made = Kept::new(call, self.name.as_ref(), what);
        tags::add(&mut made.tags, self.tags.as_ref())?;
        let made = made.switched(self.enabled.is_some_and(Boolean::get)).saved(call, txn)?;
        anchor.what.crls.push(made.id.clone());
        anchor.write(call, txn)?;
        Ok(Answer::new(permit, One(made)))
    }

    fn elements(output: &One<Crl>) -> Option<serde_json::Value> {
        kept::told(output)
    }
}

/// Source: AWS General Reference, "IAM Roles Anywhere quotas".
const MOST: usize = 2;
