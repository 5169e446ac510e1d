//! AssumeRole: temporary credentials of a role, for whom it trusts.

use super::answer::{AssumedRoleUser, TemporaryCredentials};
use super::second_factor::Shown;
use super::tags::{self, Tag};
use super::trust::Trusted;
use super::{Error, PolicyDescriptor, bars, begin, limits, session_policy};
use crate::entities::Role;
use crate::session::{Claims, Principal};
use base::AccountId;
use policy::engine::Values;
use serde::{Deserialize, Serialize};
use service::{Action, Answer, Call, Caller, Kind, Operation};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, List, SecretText, Text};

/// Which role, under which name, for how long, and with what handed over.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct AssumeRole {
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_session_name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_arns: Option<List<PolicyDescriptor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<Integer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<List<Tag>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transitive_tag_keys: Option<List<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<Text>,
    #[serde(skip_serializing)]
    token_code: Option<SecretText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_session_token_size: Option<Integer>,
    #[serde(skip_serializing)]
    provided_contexts: Option<List<ProvidedContext>>,
}

/// A context that somebody vouches for. No provider of such is known, so that none is looked at.
#[derive(Debug, Default, Deserialize)]
pub struct ProvidedContext {}

/// The credentials, and whose they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleSession {
    credentials: TemporaryCredentials,
    assumed_role_user: AssumedRoleUser,
    packed_policy_size: Option<usize>,
    source_identity: Option<String>,
    session_token_utilization: usize,
    session_token_size: usize,
}

impl Operation for AssumeRole {
    const NAME: &'static str = "AssumeRole";
    const SOURCE: &'static str = super::SOURCE;
    const ACTION: Action = Action("sts:AssumeRole");
    const READ_ONLY: bool = true;
    type Output = RoleSession;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("roleArn", self.role_arn.as_ref());
        limits::arn(found, "roleArn", self.role_arn.as_ref());
        found.required("roleSessionName", self.role_session_name.as_ref());
        limits::name(found, "roleSessionName", self.role_session_name.as_ref(), 64);
        let policy = (self.policy.as_ref(), usize::MAX);
        session_policy::constraints(found, policy, self.policy_arns.as_ref());
        found.range("durationSeconds", self.duration_seconds, limits::OF_ROLE);
        tags::constraints(found, self.tags.as_ref());
        tags::key_constraints(found, self.transitive_tag_keys.as_ref());
        limits::external_id(found, self.external_id.as_ref());
        limits::second_factor(found, self.second_factor());
        limits::name(found, "sourceIdentity", self.source_identity.as_ref(), 64);
        limits::token_size(found, self.minimum_session_token_size);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match key {
            "sts:externalid" => text(self.external_id.as_ref()),
            "sts:rolesessionname" => text(self.role_session_name.as_ref()),
            "sts:sourceidentity" => text(self.source_identity.as_ref()),
            "sts:transitivetagkeys" => {
                let keys = self.transitive_tag_keys.as_ref()?.as_slice();
                Some(Values::many(keys.iter().map(Text::as_str)))
            }
            _ => {
                let shown = self.second_factor().condition(key);
                shown.or_else(|| tags::condition(self.tags.as_ref(), key))
            }
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<RoleSession>, Error> {
        bars::may_assume(call.caller)?;
        let arn = self.role_arn.as_ref().map_or("", Text::as_str);
        let Some(trusted) = Trusted::find(txn, arn).await? else {
            // Without an account there is nobody who could be asked.
            call.validate(self)?;
            return Err(Error::Invalid(format!("{arn} is invalid")));
        };
        let attached = trusted.policies();
        let target = trusted.target(&attached);
        let permit = call.admit(self, target)?;
        if tags::has_any(call.caller, self.tags.as_ref()) {
            call.permit(self, tags::ACTION, target)?;
        }
        if self.behind(call.caller)?.is_some() {
            call.permit(self, SET_SOURCE_IDENTITY, target)?;
        }
        let claims = self.claims(call, txn, (&trusted.account, trusted.role()?)).await?;
        let least = self.minimum_session_token_size;
        let (credentials, packed) = begin::issue(call, txn, &claims, least).await?;
        Ok(Answer::new(permit, RoleSession::new(claims, credentials, packed)))
    }

    /// A code that isn't noted could be used again.
    fn only_marks(&self) -> bool {
        self.serial_number.is_none()
    }

    fn elements(output: &RoleSession) -> Option<serde_json::Value> {
        Some(serde_json::json!({
            "credentials": output.credentials.elements(),
            "assumedRoleUser": {
                "assumedRoleId": output.assumed_role_user.assumed_role_id,
                "arn": output.assumed_role_user.arn,
            },
            "sourceIdentity": output.source_identity,
            "packedPolicySize": output.packed_policy_size,
        }))
    }
}

impl AssumeRole {
    fn second_factor(&self) -> Shown<'_> {
        Shown { serial: self.serial_number.as_ref(), code: self.token_code.as_ref() }
    }

    /// Everything that the session will be, once the policies have said yes.
    async fn claims(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
        (account, role): (&AccountId, &Role),
    ) -> Result<Claims, Error> {
        bars::no_context(
            self.provided_contexts.as_ref().is_some_and(|it| !it.as_slice().is_empty()),
        )?;
        let chained = matches!(call.caller.kind, Kind::RoleSession { .. });
        let lifetime = limits::lifetime_of_role(role.max_session, chained, self.duration_seconds)?;
        let transitive = self.transitive_tag_keys.as_ref();
        let tags = tags::of_session(call.caller, self.tags.as_ref(), transitive)?;
        let (text, arns) = (self.policy.as_ref(), self.policy_arns.as_ref());
        let principal = Principal::Role {
            arn: role.arn.clone(),
            id: role.id.clone(),
            session: self.role_session_name.as_ref().map_or("", Text::as_str).to_owned(),
        };
        let (policy, policy_arns) = session_policy::checked(txn, account, text, arns).await?;
        let source_identity = self.behind(call.caller)?;
        // Last, so that a right code isn't told apart by a call that fails anyway, and stays good.
        let mfa = self.second_factor().take(call, txn).await?;
        Ok(Claims {
            mfa,
            source_identity,
            tags: tags.tags,
            transitive: tags.transitive,
            chained,
            policy,
            policy_arns,
            ..begin::claims(call, account, principal, lifetime)
        })
    }

    /// Who is behind the session: once somebody is, it stays that one.
    fn behind(&self, caller: &Caller) -> Result<Option<String>, Error> {
        let given = self.source_identity.as_ref().map(Text::as_str);
        let known = caller.session.as_ref().and_then(|it| it.source_identity.as_deref());
        match (known, given) {
            (Some(known), Some(given)) if known != given => {
                Err(Error::Denied("The source identity of a session cannot be changed.".to_owned()))
            }
            _ => Ok(known.or(given).map(str::to_owned)),
        }
    }
}

impl RoleSession {
    fn new(claims: Claims, credentials: TemporaryCredentials, packed: Option<usize>) -> Self {
        let size = credentials.size();
        Self {
            credentials,
            assumed_role_user: AssumedRoleUser {
                assumed_role_id: claims.principal_id(),
                arn: claims.arn(),
            },
            packed_policy_size: packed,
            source_identity: claims.source_identity,
            session_token_utilization: size.utilization,
            session_token_size: size.characters,
        }
    }
}

fn text(member: Option<&Text>) -> Option<Values<'_>> {
    member.map(|it| Values::one(it.as_str()))
}

const SET_SOURCE_IDENTITY: Action = Action("sts:SetSourceIdentity");
