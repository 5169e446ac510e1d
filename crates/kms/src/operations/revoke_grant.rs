//! RevokeGrant: takes a grant back.

use crate::exception::Exception;
use crate::grant;
use crate::grant_given;
use crate::lookup::{self, Sought};
use crate::operations::SOURCE;
use crate::shown::Nothing;
use crate::{condition, crypto, limits};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Text};

input! {
    /// Which grant of which key.
    pub struct RevokeGrant {
        key_id: Text,
        grant_id: Text,
        dry_run: Boolean,
    }
}

impl Operation for RevokeGrant {
    const NAME: &'static str = "RevokeGrant";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:RevokeGrant");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        found.required("grantId", self.grant_id.as_ref());
        found.length("grantId", self.grant_id.as_ref(), limits::GRANT_ID);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        let named = condition::own(key)? == "grantisforawsresource";
        named.then(|| Values::bool(false))
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        let sought = Sought { across: true, ..Sought::own(self.key_id.as_ref()) };
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        let id = self.grant_id.as_ref().map(Text::as_str).unwrap_or_default();
        grant_given::check_id(id)?;
        let grant = grant::find(txn, &key, id).await?;
        let grant = grant.ok_or_else(|| grant_given::missing(id))?;
        crypto::dry_run(self.dry_run)?;
        grant.remove(txn, &key).await?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
