//! One authenticated request, and the question whether it may.

use crate::{Action, Operation};
use base::{AccountId, Entropy, Region, Timestamp, Uuid};
use envelope::Keyring;
use policy::{Decision, Request};
use sigv4::Verified;
use wire::Violations;

/// Who asks, when, from where, and what may be used to answer.
///
/// Made once per request, after the signature was checked; everything an operation learns about the
/// outside world is in here.
pub struct Call<'a> {
    /// When the request arrived. The only clock an operation sees.
    pub now: Timestamp,
    /// The id in `x-amzn-RequestId` and in the audit record.
    pub request_id: Uuid,
    /// Who signed.
    pub caller: &'a Caller,
    /// The Region the request was signed for.
    pub region: &'a Region,
    /// Where it came from.
    pub source: &'a Source,
    /// The only randomness an operation sees.
    pub entropy: &'a dyn Entropy,
    /// What seals and opens values.
    pub keyring: &'a Keyring,
    /// What an account may store at most.
    pub quotas: Quotas,
    /// Proof that the signature is right.
    _signed: Verified,
}

/// What an account may store in one Region at most; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Secrets, those scheduled for deletion included.
    pub secrets: Option<u64>,
}

/// A principal, as the policies and the audit record know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account it belongs to.
    pub account: AccountId,
    /// `arn:aws:iam::111122223333:user/ada`.
    pub arn: String,
    /// The unique id, `AIDA…`.
    pub principal_id: String,
    /// The user's name.
    pub user_name: String,
    /// The access key that signed, `AKIA…`.
    pub access_key_id: String,
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The peer's address, without a port; `AWS Internal`-like names for forwarded calls.
    pub address: String,
    /// The `User-Agent` header as it came, cut to 1 KB.
    pub user_agent: String,
    /// How the connection was protected, if it was.
    pub tls: Option<TlsDetails>,
}

/// The `tlsDetails` of an audit record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsDetails {
    /// `TLSv1.3`.
    pub tls_version: String,
    /// `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: String,
    /// The `Host` header, without a port.
    pub client_provided_host_header: String,
}

/// What a request wants to touch.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The account that owns it.
    pub account: &'a AccountId,
    /// Its ARN, or the raw name where the name leads nowhere; `None` for actions without resource.
    pub resource: Option<&'a str>,
}

/// Proof that the policies said yes and the model's constraints hold.
#[derive(Debug)]
pub struct Permit(());

/// Why a request was turned away at the authorization stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A policy forbids it, or none permits it. The text names the kind of policy only.
    #[error("{0}")]
    Denied(String),
    /// A member breaks the model's constraints. The text lists all that do.
    #[error("{0}")]
    Invalid(String),
}

impl<'a> Call<'a> {
    /// A call by `caller`, whose signature `signed` proves.
    pub fn new(
        signed: Verified,
        (caller, region, source): (&'a Caller, &'a Region, &'a Source),
        (now, request_id): (Timestamp, Uuid),
        entropy: &'a dyn Entropy,
        keyring: &'a Keyring,
    ) -> Self {
        let quotas = Quotas::default();
        Self { now, request_id, caller, region, source, entropy, keyring, quotas, _signed: signed }
    }

    /// The same call under `quotas`.
    pub fn under(self, quotas: Quotas) -> Self {
        Self { quotas, ..self }
    }

    /// Lets `operation` touch `target`: asks the policies, then checks the model's constraints.
    ///
    /// In this order, so that a stranger with a malformed request learns only that it is a stranger.
    pub fn admit<O: Operation>(
        &self,
        operation: &O,
        target: Target<'_>,
    ) -> Result<Permit, Refusal> {
        let permit = self.authorize(O::ACTION, target)?;
        let mut found = Violations::default();
        operation.constraints(&mut found);
        match found.message() {
            Some(message) => Err(Refusal::Invalid(message)),
            None => Ok(permit),
        }
    }

    /// Asks the policies alone: for actions an operation needs besides its own.
    pub fn authorize(&self, action: Action, target: Target<'_>) -> Result<Permit, Refusal> {
        let request = Request {
            caller_account: &self.caller.account,
            caller_arn: &self.caller.arn,
            action: action.0,
            resource_account: target.account,
            resource: target.resource,
        };
        match policy::decide(&request) {
            Decision::Allow => Ok(Permit(())),
            Decision::Forbid(reason) | Decision::Withhold(reason) => {
                let Request { caller_arn, action, resource, .. } = request;
                Err(Refusal::Denied(policy::denial_text(caller_arn, action, resource, reason)))
            }
        }
    }

    /// The target of an action that has no resource: the caller's own account.
    pub fn own_account(&self) -> Target<'_> {
        Target { account: &self.caller.account, resource: None }
    }
}
