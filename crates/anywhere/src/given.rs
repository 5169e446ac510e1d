//! Members that several operations take, and what is refused of them.

use crate::rows::CERTIFICATE_BUNDLE;
use crate::{Error, bundle, limits};
use base::{AccountId, Arn};
use policy::engine::{Context, Grammar, Policy, Values};
use serde::{Deserialize, Serialize};
use service::{Action, Call, Operation, Target};
use wire::Violations;
use wire::members::{Boolean, List, Structure, Text};

/// Where the certificates of a trust anchor come from.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_type: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source_data: Option<Structure<SourceData>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceData {
    #[serde(default, skip_serializing_if = "is_left_out")]
    x509_certificate_data: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acm_pca_arn: Option<Text>,
}

impl Source {
    /// The model's constraints.
    pub(crate) fn constraints(&self, found: &mut Violations) {
        let types = ["AWS_ACM_PCA", CERTIFICATE_BUNDLE, "SELF_SIGNED_REPOSITORY"];
        found.one_of("source.sourceType", self.source_type.as_ref(), &types);
        let data = self.source_data.as_ref().and_then(|it| it.0.x509_certificate_data.as_ref());
        found.length("source.sourceData.x509CertificateData", data, limits::BUNDLE);
    }

    /// The bundle, checked.
    pub(crate) fn bundle(&self) -> Result<String, Error> {
        let kind = self.source_type.as_ref().map(Text::as_str);
        let data = self.source_data.as_ref().map(|it| &it.0);
        if kind != Some(CERTIFICATE_BUNDLE) || data.is_some_and(|it| it.acm_pca_arn.is_some()) {
            return Err(refused("A trust anchor's source other than CERTIFICATE_BUNDLE"));
        }
        let text = data.and_then(|it| it.x509_certificate_data.as_ref()).map_or("", Text::as_str);
        bundle::authorities(text).map_err(|it| Error::Invalid(it.to_owned()))?;
        Ok(text.to_owned())
    }
}

/// Whether a record leaves it out: who sends a private key by mistake doesn't find it there.
#[expect(clippy::ref_option, reason = "serde hands members over like this")]
fn is_left_out(given: &Option<Text>) -> bool {
    given.as_ref().is_none_or(|it| bundle::has_private_key(it.as_str()))
}

/// Refuses what would be promised and not be done.
pub(crate) fn not_built<T>(what: &str, given: Option<&T>) -> Result<(), Error> {
    if given.is_some() { Err(refused(what)) } else { Ok(()) }
}

/// The same for a switch: switched off is what it is.
pub(crate) fn not_switched(what: &str, given: Option<Boolean>) -> Result<(), Error> {
    not_built(what, given.filter(|it| it.get()).as_ref())
}

fn refused(what: &str) -> Error {
    Error::Invalid(format!("{what} is not supported"))
}

/// A session policy, checked.
pub(crate) fn session_policy(given: &Text) -> Result<String, Error> {
    let text = given.as_str();
    let malformed = |_| Error::Invalid("Invalid session policy".to_owned());
    Policy::compile(text, Grammar::Session).map_err(malformed)?;
    Ok(text.to_owned())
}

/// The roles of a profile, all of which the caller may hand to the service.
pub(crate) fn roles<O: Operation>(
    call: &Call<'_>,
    operation: &O,
    given: Option<&List<Text>>,
) -> Result<Vec<String>, Error> {
    let mut roles = Vec::new();
    for arn in given.map_or(&[][..], List::as_slice).iter().map(Text::as_str) {
        let target = Target { keys: &Passed, ..Target::of(&call.caller.account, Some(arn)) };
        call.permit(operation, Action("iam:PassRole"), target)?;
        if account_of(arn).as_ref() != Some(&call.caller.account) {
            let text = "Roles of a profile must be in the profile's account";
            return Err(Error::Invalid(text.to_owned()));
        }
        roles.push(arn.to_owned());
    }
    Ok(roles)
}

fn account_of(arn: &str) -> Option<AccountId> {
    Arn::parse(arn).ok()?.account()
}

/// To whom a role is handed.
struct Passed;

impl Context for Passed {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        (key == "iam:passedtoservice").then(|| Values::one(crate::HOST))
    }
}

/// The texts of a list.
pub(crate) fn texts(given: &List<Text>) -> Vec<String> {
    given.as_slice().iter().map(|it| it.as_str().to_owned()).collect()
}
