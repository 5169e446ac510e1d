//! From a `FunctionName` to a function that the caller may touch.

use crate::Error;
use crate::function::{Kept, functions};
use crate::names::{self, LATEST, Reference};
use crate::native::{self, Native};
use crate::permissions::{FunctionPolicy, policies};
use base::{AccountId, Region};
use policy::engine::{Context, Values};
use service::context::tag;
use service::{Call, Operation, Permit, Target};
use std::sync::Arc;
use store::Txn;
use wire::members::Text;

/// What a `FunctionName` leads to, before anyone was asked whether the caller may know.
pub(crate) struct Found {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    /// Its ARN without a qualifier, or what was given if that names nothing.
    pub(crate) arn: String,
    pub(crate) name: String,
    /// What was asked for of it: `$LATEST`, a number, an alias.
    pub(crate) qualifier: Option<String>,
    kept: Option<Arc<Kept>>,
    pub(crate) policy: Option<Arc<FunctionPolicy>>,
    native: Option<Native>,
    /// Why it can't be had, whatever it is.
    astray: Option<Error>,
}

/// Lets `operation` touch the function that `given` names: looks for it, asks the policies, checks the model's
/// constraints. Whether there is one is only then asked of [`Found`].
pub(crate) async fn admit<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    (given, qualifier): (Option<&Text>, Option<&Text>),
) -> Result<(Permit, Found), Error> {
    let found = find(call, txn, given, qualifier).await?;
    let attached: Vec<_> = found.policy.iter().map(|it| it.attached()).collect();
    let resource = Some(found.arn.as_str()).filter(|it| !it.is_empty());
    let target =
        Target { policies: &attached, keys: &found, ..Target::of(&found.account, resource) };
    let permit = call.admit(operation, target)?;
    drop(attached);
    match found.astray {
        Some(error) => Err(error),
        None => Ok((permit, found)),
    }
}

async fn find(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    given: Option<&Text>,
    qualifier: Option<&Text>,
) -> Result<Found, store::Error> {
    let given = given.map_or("", Text::as_str);
    let mut found = Found {
        account: call.caller.account.clone(),
        region: call.region.clone(),
        arn: given.to_owned(),
        name: String::new(),
        qualifier: qualifier.map(|it| it.as_str().to_owned()),
        kept: None,
        policy: None,
        native: None,
        astray: None,
    };
    let Some(reference) = Reference::parse(given) else {
        found.astray = Some(missing(given));
        return Ok(found);
    };
    if let Some(of_name) = reference.qualifier {
        if found.qualifier.as_deref().is_some_and(|it| it != of_name) {
            let text = "The derived qualifier from the function name does not match the specified qualifier.";
            found.astray = Some(Error::Invalid(text.to_owned()));
        }
        found.qualifier = Some(of_name.to_owned());
    }
    if let Some(account) = reference.account {
        found.account = account;
    }
    reference.name.clone_into(&mut found.name);
    let elsewhere = reference.region.filter(|it| *it != call.region.as_str());
    if let Some(region) = elsewhere {
        found.astray = Some(Error::NotFound(format!(
            "Functions from '{region}' are not reachable in this region ('{}')",
            call.region
        )));
        return Ok(found);
    }
    found.arn = names::arn(&found.account, &found.region, &found.name);
    found.native = native::find(&found.name);
    if found.native.is_none() {
        let place = (&found.account, &found.region, found.name.as_str());
        found.kept = txn.find_shared(&functions(), &place).await?;
        found.policy = txn.find_shared(&policies(), &place).await?;
    }
    Ok(found)
}

/// That there is no function `arn`.
pub(crate) fn missing(arn: &str) -> Error {
    Error::NotFound(format!("Function not found: {arn}"))
}

impl Found {
    /// The function, native or not, if it has the version that was asked for.
    pub(crate) fn existing(&self) -> Result<Arc<Kept>, Error> {
        let qualified = || match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.arn),
            None => self.arn.clone(),
        };
        let kept = match self.native {
            Some(_) => Some(Arc::new(native::shown((&self.account, &self.region), &self.name))),
            None => self.kept.clone(),
        };
        let latest = self.qualifier.as_deref().is_none_or(|it| it == LATEST);
        kept.filter(|_| latest).ok_or_else(|| missing(&qualified()))
    }

    /// The function, if it can be changed.
    pub(crate) fn changeable(&self) -> Result<Arc<Kept>, Error> {
        if self.native.is_some() {
            return Err(Error::Conflict(format!(
                "{} is a native rotation function of this server and cannot be changed or deleted",
                self.name
            )));
        }
        self.existing()
    }

    /// The function, if it was not changed since it had `revision`.
    pub(crate) fn unchanged(&self, revision: Option<&Text>) -> Result<Kept, Error> {
        let kept = self.changeable()?;
        if revision.is_some_and(|it| it.as_str() != kept.revision) {
            return Err(Error::Revision("GetFunction"));
        }
        Ok(Kept::clone(&kept))
    }

    /// Whether it is this server itself.
    pub(crate) fn is_native(&self) -> bool {
        self.native.is_some()
    }

    /// Refuses an account other than the caller's, of what is made or changed.
    pub(crate) fn own(&self, call: &Call<'_>) -> Result<(), Error> {
        if self.account == call.caller.account { Ok(()) } else { Err(missing(&self.arn)) }
    }
}

impl Context for Found {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        let key = key.strip_prefix("aws:").filter(|it| it.starts_with("resourcetag/"))?;
        tag(&self.kept.as_ref()?.tags, key)
    }
}

/// As [`admit`], for an ARN that stands as something with tags.
pub(crate) async fn admit_tagged<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    given: Option<&Text>,
) -> Result<(Permit, Found), Error> {
    let (permit, found) = admit(call, txn, operation, (given, None)).await?;
    if found.qualifier.is_some() {
        let text = "Tags on function aliases and versions are not supported. Please specify a function ARN.";
        return Err(Error::Invalid(text.to_owned()));
    }
    Ok((permit, found))
}
