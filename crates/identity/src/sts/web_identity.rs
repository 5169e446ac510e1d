//! Who comes with a token instead of a signature, up to the point where its issuer's keys are needed.
//!
//! Checks stand in the order in which AWS tells of them: the request, the token's shape, its issuer, its time,
//! its audience, its signature. What the role's trust policy says comes after all of them.

use super::assume_role_with_web_identity::AssumeRoleWithWebIdentity;
use super::{Error, trust};
use crate::oidc_provider::{self, OidcProvider};
use base::{AccountId, Timestamp};
use oidc::{Checked, Issuer, Keys, Presented, Rejection, Verified};
use service::{Caller, Kind};
use store::Txn;
use wire::query::{self, Parameters};

/// Somebody who has shown a token.
#[derive(Debug)]
pub struct Applicant {
    /// The account of the role that is asked for.
    account: AccountId,
    token: Presented,
}

/// Somebody whose token would be good, if an issuer that the role's account knows has signed it.
#[derive(Debug)]
pub struct Known {
    account: AccountId,
    provider: OidcProvider,
    issuer: Issuer,
    token: Checked,
}

impl Applicant {
    /// Reads the parameters `form`, without looking anything up.
    ///
    /// # Errors
    ///
    /// - [`Error::Invalid`]: the request breaks the model's constraints, or names no role.
    /// - [`Error::Token`]: the token has no shape that could be right.
    pub fn read(form: &[u8]) -> Result<Self, Error> {
        let request: AssumeRoleWithWebIdentity =
            query::decode(&Parameters::parse(form)).map_err(|it| Error::Invalid(it.to_string()))?;
        request.validate()?;
        let arn = request.role_arn();
        let account = trust::account_of(arn);
        let account = account.ok_or_else(|| Error::Invalid(format!("{arn} is invalid")))?;
        Ok(Self { account, token: Presented::parse(request.token())? })
    }

    /// Whether the role's account knows the issuer, and the token could be good at `now`. Reads one row.
    ///
    /// # Errors
    ///
    /// - [`Error::ProviderUnknown`]: also if there is no such account.
    /// - [`Error::Token`]: it is over, too old, too early, incomplete, or for somebody else.
    pub async fn recognize(self, txn: &mut Txn<'_>, now: Timestamp) -> Result<Known, Error> {
        let Self { account, token } = self;
        let unknown = |shown: &str| {
            Error::ProviderUnknown(shown.chars().filter(|it| !it.is_control()).take(255).collect())
        };
        let Ok(issuer) = Issuer::parse(token.issuer()) else {
            return Err(unknown(token.issuer()));
        };
        let found = oidc_provider::find(txn, &account, issuer.name()).await?;
        let found = found.filter(|it| it.issuer == issuer.as_str());
        let provider = found.ok_or_else(|| unknown(issuer.as_str()))?;
        let token = token.check(&issuer, &provider.audiences, now)?;
        Ok(Known { account, provider, issuer, token })
    }
}

impl Known {
    /// Whose keys are needed.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// SHA-1 of certificates that vouch for the issuer's, in lower case, where no known authority does.
    pub fn thumbprints(&self) -> &[String] {
        &self.provider.thumbprints
    }

    /// The issuer's keys, if an operator has uploaded them: then the issuer isn't asked.
    pub fn uploaded(&self) -> Option<Keys> {
        let text = self.provider.keys.as_deref()?;
        Some(Keys::parse(text.as_bytes()).unwrap_or_default())
    }

    /// The caller, and the proof that it is one, if one of `keys` has signed the token.
    ///
    /// # Errors
    ///
    /// [`Rejection::UnknownKey`]: newer keys may have it. [`Rejection::Signature`]: it was changed.
    pub fn verify(&self, keys: &Keys) -> Result<(Verified, Caller), Rejection> {
        let proof = self.token.verify(keys)?;
        let identity = proof.identity().clone();
        let provider = self.provider.arn.clone();
        let principal = format!("{provider}:{}:{}", identity.audience, identity.subject);
        let caller = Caller {
            account: self.account.clone(),
            arn: principal.clone(),
            principal_id: principal,
            user_name: identity.subject.clone(),
            access_key_id: String::new(),
            kind: Kind::WebIdentity { provider, identity: Box::new(identity) },
            session: None,
        };
        Ok((proof, caller))
    }
}
