//! RetireGrant: gives a grant up, when it has done its work.
//!
//! The grant itself says who may: its retiring principal, its grantee if it is for RetireGrant, and the root
//! user of the account that made it.

use crate::access::Question;
use crate::exception::Exception;
use crate::grant::{self, Grant};
use crate::operations::SOURCE;
use crate::reference::Reference;
use crate::shown::Nothing;
use crate::token::GrantToken;
use crate::{KmsKey, access, crypto, grant_given, limits, lookup, policies};
use policy::engine::{Attached, Door};
use service::{Action, Answer, Call, Kind, Operation, Permit, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Text};

input! {
    /// Which grant: by its token, or by its key and its id.
    pub struct RetireGrant {
        #[serde(skip_serializing)]
        grant_token: Text,
        key_id: Text,
        grant_id: Text,
        dry_run: Boolean,
    }
}

impl Operation for RetireGrant {
    const NAME: &'static str = "RetireGrant";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:RetireGrant");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        found.length("grantToken", self.grant_token.as_ref(), limits::GRANT_TOKEN);
        found.length("keyId", self.key_id.as_ref(), limits::KEY_ID);
        found.length("grantId", self.grant_id.as_ref(), limits::GRANT_ID);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        let (key_id, id) = self.named()?;
        let reference = Reference::parse(lookup::place(call), &key_id)?;
        if reference.is_alias() {
            return Err(Exception::AliasGiven);
        }
        let found = reference.find(txn).await?;
        let grant = match &found.key {
            Some(key) => grant::find(txn, key, &id).await?,
            None => None,
        };
        // Who isn't concerned isn't told whether there is such a grant.
        let refused = || access::foreign_denial(call, Self::ACTION, &found.arn);
        let (key, grant) = found.key.as_deref().zip(grant).ok_or_else(refused)?;
        if !may_retire(call, &grant) {
            return Err(refused());
        }
        let permit = self.ask(call, key, &grant)?;
        call.validate(self)?;
        crypto::dry_run(self.dry_run)?;
        grant.remove(txn, key).await?;
        Ok(Answer::new(permit, Nothing {}))
    }
}

impl RetireGrant {
    /// The key and the grant.
    fn named(&self) -> Result<(String, String), Exception> {
        let text = |it: &Option<Text>| it.as_ref().map(|it| it.as_str().to_owned());
        match (&self.grant_token, text(&self.key_id), text(&self.grant_id)) {
            (Some(token), None, None) => {
                let token = GrantToken::parse(token.as_str()).ok_or(Exception::GrantToken)?;
                Ok((token.key_arn, token.grant_id))
            }
            (None, Some(key), Some(id)) => grant_given::check_id(&id).map(|()| (key, id)),
            _ => {
                let text = "Specify either GrantToken, or KeyId and GrantId.";
                Err(Exception::Invalid(text.to_owned()))
            }
        }
    }

    /// What the grant lets, a policy can still forbid.
    fn ask(&self, call: &Call<'_>, key: &KmsKey, grant: &Grant) -> Result<Permit, Exception> {
        let owner = key.place().account().parse();
        let owner = owner.unwrap_or_else(|_| call.caller.account.clone());
        let policy = key.compiled_policy()?;
        let question = Question {
            action: Self::ACTION,
            key: Some(key),
            arn: &key.arn,
            alias: None,
            context: None,
            child: Some(&grant.terms),
            other: None,
            across: true,
            named: None,
        };
        let target = Target {
            policies: &[Attached { id: policies::DEFAULT, policy }],
            door: Door::Key { grant: true },
            keys: &question.facts(call),
            ..Target::of(&owner, Some(&key.arn))
        };
        Ok(call.permit(self, Self::ACTION, target)?)
    }
}

fn may_retire(call: &Call<'_>, grant: &Grant) -> bool {
    let Grant { terms, issuer, .. } = grant;
    let by_grantee = terms.operations.contains("RetireGrant") && terms.grantee.is(call.caller);
    by_grantee
        || terms.retiring.as_ref().is_some_and(|it| it.is(call.caller))
        || call.caller.kind == Kind::Root && call.caller.account == *issuer
}
