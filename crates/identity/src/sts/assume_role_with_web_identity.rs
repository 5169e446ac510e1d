//! AssumeRoleWithWebIdentity: temporary credentials of a role, for whom an issuer vouches that it trusts.

use super::answer::{AssumedRoleUser, TemporaryCredentials};
use super::tags;
use super::trust::Trusted;
use super::{Error, PolicyDescriptor, begin, limits, session_policy};
use crate::entities::Role;
use crate::session::{Claims, Principal};
use base::AccountId;
use oidc::{Claim, Identity};
use policy::engine::{Context, Values};
use serde::{Deserialize, Serialize};
use service::context::request_tags;
use service::{Action, Answer, Call, Kind, Operation, Refusal, Target};
use std::borrow::Cow;
use store::Txn;
use wire::Violations;
use wire::members::{Integer, List, SecretText, Text};

/// Which role, under which name, for how long, and the token.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct AssumeRoleWithWebIdentity {
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_session_name: Option<Text>,
    #[serde(skip_serializing)]
    web_identity_token: Option<SecretText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_id: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_arns: Option<List<PolicyDescriptor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<Integer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_session_token_size: Option<Integer>,
}

/// The credentials, whose they are, and who vouched for whom.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct WebIdentitySession {
    credentials: TemporaryCredentials,
    subject_from_web_identity_token: String,
    assumed_role_user: AssumedRoleUser,
    packed_policy_size: Option<usize>,
    provider: String,
    audience: String,
    source_identity: Option<String>,
    session_token_utilization: usize,
    session_token_size: usize,
}

impl Operation for AssumeRoleWithWebIdentity {
    const NAME: &'static str = "AssumeRoleWithWebIdentity";
    const SOURCE: &'static str = super::SOURCE;
    const ACTION: Action = Action("sts:AssumeRoleWithWebIdentity");
    const READ_ONLY: bool = true;
    type Output = WebIdentitySession;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("roleArn", self.role_arn.as_ref());
        limits::arn(found, "roleArn", self.role_arn.as_ref());
        found.required("roleSessionName", self.role_session_name.as_ref());
        limits::name(found, "roleSessionName", self.role_session_name.as_ref(), 64);
        found.required("webIdentityToken", self.web_identity_token.as_ref());
        let token = self.web_identity_token.as_ref();
        found.secret("webIdentityToken", token, 4..=oidc::Presented::MAX_LEN);
        found.length("providerId", self.provider_id.as_ref(), 4..=2048);
        let policy = (self.policy.as_ref(), 2048);
        session_policy::constraints(found, policy, self.policy_arns.as_ref());
        found.range("durationSeconds", self.duration_seconds, limits::OF_ROLE);
        limits::token_size(found, self.minimum_session_token_size);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        let name = self.role_session_name.as_ref().filter(|_| key == "sts:rolesessionname")?;
        Some(Values::one(name.as_str()))
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Self::Output>, Error> {
        let Kind::WebIdentity { provider, identity } = &call.caller.kind else {
            return Err(denied(Self::ACTION)(Refusal::Denied(String::new())));
        };
        let Some(trusted) = Trusted::find(txn, self.role_arn()).await? else {
            return Err(Error::Invalid(format!("{} is invalid", self.role_arn())));
        };
        let attached = trusted.policies();
        let keys = Keys { identity, role: &trusted };
        let target = Target { keys: &keys, ..trusted.target(&attached) };
        let permit = call.admit(self, target).map_err(denied(Self::ACTION))?;
        for (is_needed, action) in [
            (!identity.tags.is_empty(), tags::ACTION),
            (identity.source_identity.is_some(), SET_SOURCE_IDENTITY),
        ] {
            if is_needed {
                call.permit(self, action, target).map_err(denied(action))?;
            }
        }
        let claims = self.claims(call, txn, (&trusted.account, trusted.role()?)).await?;
        let claims = claims_of_token(claims, provider, identity)?;
        let least = self.minimum_session_token_size;
        let (credentials, packed) = begin::issue(call, txn, &claims, least).await?;
        let output = WebIdentitySession::new(claims, (credentials, packed), (provider, identity));
        Ok(Answer::new(permit, output))
    }

    fn elements(output: &WebIdentitySession) -> Option<serde_json::Value> {
        Some(serde_json::json!({
            "credentials": output.credentials.elements(),
            "subjectFromWebIdentityToken": output.subject_from_web_identity_token,
            "assumedRoleUser": {
                "assumedRoleId": output.assumed_role_user.assumed_role_id,
                "arn": output.assumed_role_user.arn,
            },
            "sourceIdentity": output.source_identity,
            "packedPolicySize": output.packed_policy_size,
            "provider": output.provider,
            "audience": output.audience,
        }))
    }
}

impl AssumeRoleWithWebIdentity {
    /// That it keeps to the model's constraints.
    pub(super) fn validate(&self) -> Result<(), Error> {
        let mut found = Violations::default();
        self.constraints(&mut found);
        found.message().map_or(Ok(()), |message| Err(Error::Invalid(message)))
    }

    pub(super) fn role_arn(&self) -> &str {
        self.role_arn.as_ref().map_or("", Text::as_str)
    }

    /// The token, which is text if it can be one at all.
    pub(super) fn token(&self) -> &str {
        let token = self.web_identity_token.as_ref();
        token.and_then(|it| str::from_utf8(it.value().expose()).ok()).unwrap_or_default()
    }

    /// What the session will be, as far as the request tells.
    async fn claims(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
        (account, role): (&AccountId, &Role),
    ) -> Result<Claims, Error> {
        let lifetime = limits::lifetime_of_role(role.max_session, false, self.duration_seconds)?;
        let principal = Principal::Role {
            arn: role.arn.clone(),
            id: role.id.clone(),
            session: self.role_session_name.as_ref().map_or("", Text::as_str).to_owned(),
        };
        let (text, arns) = (self.policy.as_ref(), self.policy_arns.as_ref());
        let (policy, policy_arns) = session_policy::checked(txn, account, text, arns).await?;
        Ok(Claims { policy, policy_arns, ..begin::claims(call, account, principal, lifetime) })
    }
}

impl WebIdentitySession {
    fn new(
        claims: Claims,
        (credentials, packed): (TemporaryCredentials, Option<usize>),
        (provider, identity): (&str, &Identity),
    ) -> Self {
        let size = credentials.size();
        Self {
            credentials,
            subject_from_web_identity_token: identity.subject.clone(),
            assumed_role_user: AssumedRoleUser {
                assumed_role_id: claims.principal_id(),
                arn: claims.arn(),
            },
            packed_policy_size: packed,
            provider: provider.to_owned(),
            audience: identity.audience.clone(),
            source_identity: claims.source_identity,
            session_token_utilization: size.utilization,
            session_token_size: size.characters,
        }
    }
}

/// What the token adds to a session.
fn claims_of_token(claims: Claims, provider: &str, identity: &Identity) -> Result<Claims, Error> {
    let tags = tags::of_token(identity)?;
    Ok(Claims {
        provider: Some(provider.to_owned()),
        source_identity: identity.source_identity.clone(),
        tags: tags.tags,
        transitive: tags.transitive,
        ..claims
    })
}

/// The condition keys that the token and the role have values for.
struct Keys<'a> {
    identity: &'a Identity,
    role: &'a Trusted<'a>,
}

impl Context for Keys<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        let Identity { source_identity, tags, transitive, issuer, .. } = self.identity;
        match key {
            "sts:sourceidentity" => return source_identity.as_deref().map(Values::one),
            "sts:transitivetagkeys" if !transitive.is_empty() => {
                return Some(Values::many(transitive.iter().map(String::as_str)));
            }
            _ => (),
        }
        let pairs = tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let of_tags = || request_tags((!tags.is_empty()).then_some(pairs), key);
        let of_token = || {
            let name = key.strip_prefix(&*issuer.to_ascii_lowercase())?.strip_prefix(':')?;
            of_claims(&self.identity.claims(name))
        };
        of_tags().or_else(of_token).or_else(|| self.role.find(key))
    }
}

/// The one claim, or that it is one of several.
fn of_claims<'a>(claims: &[&'a Claim]) -> Option<Values<'a>> {
    match claims {
        [] => None,
        [Claim::One(text)] => Some(Values::one(text)),
        [Claim::Many(texts)] => Some(Values::many(texts.iter().map(String::as_str))),
        several => {
            let texts = several.iter().flat_map(|it| match it {
                Claim::One(text) => std::slice::from_ref(text),
                Claim::Many(texts) => texts,
            });
            Some(Values::Unclear(texts.map(|it| Cow::Borrowed(it.as_str())).collect()))
        }
    }
}

/// A stranger is told only that it is one.
fn denied(action: Action) -> impl Fn(Refusal) -> Error {
    move |refusal| match refusal {
        Refusal::Denied(_) => Error::Denied(format!("Not authorized to perform {}", action.0)),
        Refusal::Invalid(text) => Error::Invalid(text),
    }
}

const SET_SOURCE_IDENTITY: Action = Action("sts:SetSourceIdentity");
