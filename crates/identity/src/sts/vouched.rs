//! A session of a role that a service begins, for somebody whom it has checked in its own way.

use super::trust::Trusted;
use super::{Error, begin, tags};
use crate::session::{self, Claims, Credentials, Principal};
use policy::engine::{Context, Values};
use service::{Action, Call, Operation, Permit, Target};
use std::collections::BTreeMap;
use store::Txn;

/// What a service wants for whom it vouches.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The ARN of the role.
    pub role_arn: &'a str,
    /// The name of the session.
    pub session_name: &'a str,
    /// Who is behind it.
    pub source_identity: Option<&'a str>,
    /// The session's tags.
    pub tags: &'a BTreeMap<String, String>,
    /// How long it lasts, in seconds; the role's own limit cuts it.
    pub lifetime: u64,
    /// A session policy, checked.
    pub policy: Option<&'a str>,
    /// Managed policies that narrow the session.
    pub policy_arns: &'a [String],
    /// What else the trust policy may ask for: `aws:SourceArn` and the like.
    pub keys: &'a (dyn Context + Sync),
}

/// A session that has begun.
#[derive(Debug)]
pub struct Begun {
    /// That the role's trust policy said yes.
    pub permit: Permit,
    /// What the session is.
    pub claims: Claims,
    /// What it signs with.
    pub credentials: Credentials,
}

/// Begins a session of a role for `call`'s service: the trust policy must let it assume the role, tag the
/// session and set its source identity, as far as it does.
///
/// The role must be of the account that the service acts for: a trust policy that names a service names it
/// for whatever account it speaks of.
///
/// # Errors
///
/// - [`Error::Denied`]: there is no such role in the account, or it doesn't trust the service with this.
/// - [`Error::PackedTooLarge`]: policies and tags don't fit into a token.
pub async fn begin<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    wanted: Wanted<'_>,
) -> Result<Begun, Error> {
    let denied = || Error::Denied(format!("{} cannot be assumed", wanted.role_arn));
    let trusted = Trusted::find(txn, wanted.role_arn).await?.ok_or_else(denied)?;
    if trusted.account != call.caller.account {
        return Err(denied());
    }
    let permit = ask(call, operation, wanted, &trusted)?;
    let role = trusted.role()?;
    let principal = Principal::Role {
        arn: role.arn.clone(),
        id: role.id.clone(),
        session: wanted.session_name.to_owned(),
    };
    let lifetime = wanted.lifetime.min(u64::from(role.max_session));
    let claims = Claims {
        source_identity: wanted.source_identity.map(str::to_owned),
        tags: wanted.tags.clone(),
        policy: wanted.policy.map(str::to_owned),
        policy_arns: wanted.policy_arns.to_vec(),
        ..begin::claims(call, &trusted.account, principal, lifetime)
    };
    let Call { keyring, entropy, now, region, .. } = *call;
    let scope = kms::Scope { keyring, entropy, now, account: &claims.account, region };
    let credentials = session::issue(txn, &scope, &claims, 0).await?;
    Ok(Begun { permit, claims, credentials })
}

/// Asks the role's trust policy for all that is wanted.
fn ask<O: Operation>(
    call: &Call<'_>,
    operation: &O,
    wanted: Wanted<'_>,
    trusted: &Trusted<'_>,
) -> Result<Permit, Error> {
    let (attached, keys) = (trusted.policies(), Both(wanted.keys, trusted));
    let target = Target { keys: &keys, ..trusted.target(&attached) };
    let permit = call.permit(operation, ASSUME, target)?;
    if !wanted.tags.is_empty() {
        call.permit(operation, tags::ACTION, target)?;
    }
    if wanted.source_identity.is_some() {
        call.permit(operation, SET_SOURCE_IDENTITY, target)?;
    }
    Ok(permit)
}

/// What the service knows, then what the role says of itself.
struct Both<'a>(&'a dyn Context, &'a dyn Context);

impl Context for Both<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        self.0.find(key).or_else(|| self.1.find(key))
    }
}

impl std::fmt::Debug for Wanted<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Wanted").field("role_arn", &self.role_arn).finish_non_exhaustive()
    }
}

const ASSUME: Action = Action("sts:AssumeRole");
const SET_SOURCE_IDENTITY: Action = Action("sts:SetSourceIdentity");
