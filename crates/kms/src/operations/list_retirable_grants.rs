//! ListRetirableGrants: the grants of an account that a principal may retire.

use crate::access::Asker;
use crate::exception::Exception;
use crate::grant;
use crate::grant_given::GrantShown;
use crate::operations::SOURCE;
use crate::{crypto, limits, listing, lookup, party};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Whom, how many, and from where.
    pub struct ListRetirableGrants {
        limit: Integer,
        marker: Text,
        retiring_principal: Text,
        retiring_service_principal: Text,
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

impl Operation for ListRetirableGrants {
    const NAME: &'static str = "ListRetirableGrants";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:ListRetirableGrants");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        listing::constraints(found, self.limit, self.marker.as_ref());
        found.length("retiringPrincipal", self.retiring_principal.as_ref(), limits::PRINCIPAL);
        let service = self.retiring_service_principal.as_ref();
        found.length("retiringServicePrincipal", service, limits::SERVICE_PRINCIPAL);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let permit = call.admit(self, Asker(call).target())?;
        let service = self.retiring_service_principal.as_ref();
        crypto::unsupported(service, "RetiringServicePrincipal")?;
        let missing = || Exception::Invalid("RetiringPrincipal is required.".to_owned());
        let given = self.retiring_principal.as_ref().map(Text::as_str).ok_or_else(missing)?;
        let principal = party::resolve(txn, given).await?;
        let (place, scope) = (lookup::place(call), format!("retirable/{}", principal.key()));
        let after = listing::after(&scope, self.marker.as_ref())?;
        let limit = listing::limit(self.limit, 50);
        let page =
            grant::page_of_retiring(txn, place, principal.key(), after.as_deref(), limit).await?;
        let (found, truncated) = page;
        let next_marker = listing::next(&scope, found.last().map(|it| it.0.as_str()), truncated);
        let shown = |it: &grant::Grant| GrantShown::of(&place.arn(&format!("key/{}", it.key)), it);
        let grants = found.iter().map(|(_, it)| shown(it)).collect();
        Ok(Answer::new(permit, Output { grants, next_marker, truncated }))
    }
}
