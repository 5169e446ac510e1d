//! ListGrants: who was given leave to use a key.

use crate::exception::Exception;
use crate::grant;
use crate::grant_given::GrantShown;
use crate::lookup::{self, Sought};
use crate::operations::SOURCE;
use crate::{condition, limits, listing};
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Of which key, which of them, how many, and from where.
    pub struct ListGrants {
        limit: Integer,
        marker: Text,
        key_id: Text,
        grant_id: Text,
        grantee_principal: Text,
        grantee_service_principal: Text,
    }
}

/// A page of grants.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    grants: Vec<GrantShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

impl Operation for ListGrants {
    const NAME: &'static str = "ListGrants";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:ListGrants");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        listing::constraints(found, self.limit, self.marker.as_ref());
        found.length("grantId", self.grant_id.as_ref(), limits::GRANT_ID);
        found.length("granteePrincipal", self.grantee_principal.as_ref(), limits::PRINCIPAL);
        let service = self.grantee_service_principal.as_ref();
        found.length("granteeServicePrincipal", service, limits::SERVICE_PRINCIPAL);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        let named = condition::own(key)? == "grantisforawsresource";
        named.then(|| Values::bool(false))
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = Sought { across: true, ..Sought::own(self.key_id.as_ref()) };
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        let scope = format!("grants/{}", key.id);
        let after = listing::after(&scope, self.marker.as_ref())?;
        let limit = listing::limit(self.limit, 50);
        // What is asked for is picked from the page: it may be short, or empty, and still have a marker.
        let (found, truncated) = grant::page_of_key(txn, &key, after.as_deref(), limit).await?;
        let next_marker = listing::next(&scope, found.last().map(|it| it.id.as_str()), truncated);
        let grants = found.iter().filter(|it| self.wants(it));
        let grants = grants.map(|it| GrantShown::of(&key.arn, it)).collect();
        Ok(Answer::new(permit, Output { grants, next_marker, truncated }))
    }
}

impl ListGrants {
    fn wants(&self, grant: &grant::Grant) -> bool {
        let is =
            |given: &Option<Text>, it: &str| given.as_ref().is_none_or(|one| one.as_str() == it);
        is(&self.grant_id, &grant.id)
            && is(&self.grantee_principal, &grant.terms.grantee.arn)
            && self.grantee_service_principal.is_none()
    }
}
