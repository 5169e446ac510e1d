//! CreateGrant: leave for one principal to use a key.

use crate::codec::hex;
use crate::exception::Exception;
use crate::grant::{self, Grant, Terms};
use crate::grant_given::{self, ConstraintsGiven};
use crate::lookup::{self, Sought};
use crate::operations::SOURCE;
use crate::state::Act;
use crate::token::GrantToken;
use crate::{condition, crypto, limits, party};
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, List, Structure, Text};

input! {
    /// For which key, to whom, and for what.
    pub struct CreateGrant {
        key_id: Text,
        grantee_principal: Text,
        retiring_principal: Text,
        operations: List<Text>,
        constraints: Structure<ConstraintsGiven>,
        #[serde(skip_serializing)]
        grant_tokens: List<Text>,
        name: Text,
        dry_run: Boolean,
        grantee_service_principal: Text,
        retiring_service_principal: Text,
    }
}

/// The grant, and a word that stands for it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    grant_token: String,
    grant_id: String,
}

impl Operation for CreateGrant {
    const NAME: &'static str = "CreateGrant";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:CreateGrant");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        found.length("granteePrincipal", self.grantee_principal.as_ref(), limits::PRINCIPAL);
        found.length("retiringPrincipal", self.retiring_principal.as_ref(), limits::PRINCIPAL);
        found.required("operations", self.operations.as_ref());
        grant_given::operation_constraints(found, self.operations.as_ref());
        lookup::token_constraints(found, self.grant_tokens.as_ref());
        grant_given::name_constraints(found, self.name.as_ref());
        let (to, ends) = (&self.grantee_service_principal, &self.retiring_service_principal);
        found.length("granteeServicePrincipal", to.as_ref(), limits::SERVICE_PRINCIPAL);
        found.length("retiringServicePrincipal", ends.as_ref(), limits::SERVICE_PRINCIPAL);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "grantconstraintsourcearn" => {
                condition::text(self.constraints.as_ref()?.0.source_arn.as_ref())
            }
            "grantconstrainttype" => self.constraints.as_ref()?.0.kind().map(Values::one),
            "grantisforawsresource" => Some(Values::bool(false)),
            "grantoperations" => {
                let given = self.operations.as_ref()?.as_slice();
                Some(Values::many(given.iter().map(Text::as_str)))
            }
            "granteeprincipal" => condition::text(self.grantee_principal.as_ref()),
            "granteeserviceprincipal" => condition::text(self.grantee_service_principal.as_ref()),
            "retiringprincipal" => condition::text(self.retiring_principal.as_ref()),
            "retiringserviceprincipal" => condition::text(self.retiring_service_principal.as_ref()),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let mut terms = self.terms();
        let own = Sought::own(self.key_id.as_ref());
        let sought = Sought { across: true, child: Some(&terms), ..own };
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Use)?;
        self.check_supported()?;
        crypto::check_tokens(self.grant_tokens.as_ref())?;
        terms.check()?;
        terms.grantee = party::resolve(txn, &terms.grantee.arn).await?;
        if let Some(retiring) = terms.retiring {
            terms.retiring = Some(party::resolve(txn, &retiring.arn).await?);
        }
        let name = self.name.as_ref().map(|it| it.as_str().to_owned());
        let same = |it: &Grant| name.is_some() && it.name == name && it.terms == terms;
        let existing = match &name {
            Some(_) => grant::first_to(txn, &key, terms.grantee.key(), same).await?,
            None => None,
        };
        crypto::dry_run(self.dry_run)?;
        let id = if let Some(grant) = existing {
            grant.id
        } else {
            let id = hex::encode(&call.entropy.bytes::<32>());
            let (issuer, created) = (call.caller.account.clone(), call.now);
            let grant = Grant { id, key: key.id.clone(), name, created, issuer, terms };
            grant.insert(txn, &key).await?;
            grant.id
        };
        let token = GrantToken { key_arn: key.arn.clone(), grant_id: id.clone() };
        let grant_token = token.write(call.entropy);
        Ok(Answer::new(permit, Output { grant_token, grant_id: id }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "grantId": output.grant_id }))
    }
}

impl CreateGrant {
    /// What the grant will say; its principals not yet looked up.
    fn terms(&self) -> Terms {
        let constraints = self.constraints.as_ref().map(|it| &it.0);
        let retiring = self.retiring_principal.as_ref();
        Terms {
            grantee: grant_given::party(self.grantee_principal.as_ref()),
            retiring: retiring.map(|it| grant_given::party(Some(it))),
            operations: grant_given::names(self.operations.as_ref()),
            equals: constraints.and_then(ConstraintsGiven::equals),
            subset: constraints.and_then(ConstraintsGiven::subset),
        }
    }

    fn check_supported(&self) -> Result<(), Exception> {
        let to = self.grantee_service_principal.as_ref();
        crypto::unsupported(to, "GranteeServicePrincipal")?;
        let ends = self.retiring_service_principal.as_ref();
        crypto::unsupported(ends, "RetiringServicePrincipal")?;
        let source = self.constraints.as_ref().and_then(|it| it.0.source_arn.as_ref());
        crypto::unsupported(source, "SourceArn")?;
        if self.grantee_principal.is_none() {
            return Err(Exception::Invalid("GranteePrincipal is required.".to_owned()));
        }
        Ok(())
    }
}
