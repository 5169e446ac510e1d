//! UpdateCrl: gives a revocation list another name, or what it revokes now.

use super::SOURCE;
use crate::given::not_built;
use crate::kept::{self, Kept, One};
use crate::rows::Crl;
use crate::{Error, limits, revocations};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::{Blob, Text};

rest_input! {
    /// Which one, and what changes.
    pub struct UpdateCrl {
        crl_id: Text,
        name: Text,
        #[serde(skip_serializing)]
        crl_data: Blob,
        alias_name: Text,
    }
}

impl Operation for UpdateCrl {
    const NAME: &'static str = "UpdateCrl";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:UpdateCrl");
    const READ_ONLY: bool = false;
    type Output = One<Crl>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::identifier::<Crl>(found, self.crl_id.as_ref());
        limits::name(found, self.name.as_ref());
        found.blob("crlData", self.crl_data.as_ref(), limits::CRL);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<One<Crl>>, Error> {
        let (permit, mut found): (_, Kept<Crl>) =
            kept::admit(call, txn, self, self.crl_id.as_ref()).await?;
        not_built("aliasName", self.alias_name.as_ref())?;
        if let Some(data) = self.crl_data.as_ref().map(|it| it.value().expose()) {
            revocations(data).map_err(|it| Error::Invalid(it.to_owned()))?;
            found.what.data = STANDARD.encode(data);
        }
        if let Some(name) = &self.name {
            name.as_str().clone_into(&mut found.name);
        }
        Ok(Answer::new(permit, One(found.saved(call, txn)?)))
    }

    fn elements(output: &One<Crl>) -> Option<serde_json::Value> {
        kept::told(output)
    }
}
