//! OpenID Connect providers as operations meet them: by their ARNs.

use crate::iam::holder::Keys;
use crate::iam::{Error, documents, names};
use crate::oidc_provider::{self, MOST, OidcProvider};
use service::{Call, Operation, Permit, Target};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

/// A provider that a call is about, if it is there.
pub(crate) struct Found {
    arn: String,
    provider: Option<OidcProvider>,
}

/// The most audiences of one provider.
const AUDIENCES: usize = 100;
/// The most thumbprints of one provider.
const THUMBPRINTS: usize = 5;

/// Asks whether the caller may do `operation` to the provider `arn`, and looks whether it is there.
pub(crate) async fn admit<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    arn: Option<&Text>,
) -> Result<(Permit, Found), Error> {
    let arn = arn.map_or("", Text::as_str);
    let account = &call.caller.account;
    let parsed = oidc_provider::parse(arn);
    let provider = match parsed {
        Some((_, name)) => {
            oidc_provider::find(txn, account, name).await?.filter(|it| it.arn == arn)
        }
        None => None,
    };
    let tags = provider.as_ref().map_or(&[][..], |it| it.tags.as_slice());
    let keys = Keys { tags, boundary: None };
    let permit = call.admit(operation, Target { keys: &keys, ..Target::of(account, Some(arn)) })?;
    if parsed.is_none() {
        return Err(Error::Arn);
    }
    Ok((permit, Found { arn: arn.to_owned(), provider }))
}

/// Writes a changed provider.
pub(crate) fn save(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    provider: &OidcProvider,
) -> Result<(), store::Error> {
    oidc_provider::save(txn, &call.caller.account, provider, call.entropy)
}

/// That the account may have one more.
pub(crate) async fn within_quota(call: &Call<'_>, txn: &mut Txn<'_>) -> Result<(), Error> {
    if oidc_provider::all(txn, &call.caller.account).await?.len() < MOST {
        return Ok(());
    }
    Err(documents::exceeded("OpenIdConnectProvidersPerAccount", MOST))
}

/// The ARN of a provider that must be given.
pub(crate) fn arn(found: &mut Violations, it: Option<&Text>) {
    names::arn(found, "openIDConnectProviderArn", it);
}

/// Who a token may be for.
pub(crate) fn client_id(found: &mut Violations, it: Option<&Text>) {
    found.required("clientID", it);
    found.length("clientID", it, 1..=255);
}

/// `audiences` and those `given`, each once.
pub(crate) fn with_audiences(
    mut audiences: Vec<String>,
    given: &[Text],
) -> Result<Vec<String>, Error> {
    for audience in given.iter().map(Text::as_str) {
        if !audiences.iter().any(|it| it == audience) {
            audiences.push(audience.to_owned());
        }
    }
    if audiences.len() > AUDIENCES {
        return Err(documents::exceeded("ClientIdsPerOpenIdConnectProvider", AUDIENCES));
    }
    Ok(audiences)
}

/// The thumbprints `given`, in lower case.
pub(crate) fn thumbprints(given: Option<&List<Text>>) -> Result<Vec<String>, Error> {
    let given = given.map_or(&[][..], List::as_slice);
    if given.len() > THUMBPRINTS {
        return Err(Error::Input("A provider can have 5 thumbprints at most."));
    }
    if !given.iter().all(|it| it.as_str().bytes().all(|it| it.is_ascii_hexdigit())) {
        return Err(Error::Input("A thumbprint is 40 hexadecimal digits."));
    }
    Ok(given.iter().map(|it| it.as_str().to_ascii_lowercase()).collect())
}

impl Found {
    /// It, if it is there.
    pub(crate) fn existing(self) -> Result<OidcProvider, Error> {
        self.provider.ok_or(Error::ProviderUnknown(self.arn))
    }

    /// It, or nothing.
    pub(crate) fn if_any(self) -> Option<OidcProvider> {
        self.provider
    }
}
