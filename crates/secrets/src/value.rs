//! Values: from the request into a sealed version, and back.

use crate::Error;
use crate::keys;
use crate::limits::{VERSIONS_AT_MOST, VERSIONS_KEPT};
use crate::secret::{Place, Secret};
use crate::stages::VersionId;
use crate::version::{Kind, Version, values};
use base::Sensitive;
use kms::{Binding, Scope};
use service::{Call, Permit};
use std::sync::Arc;
use store::Txn;
use wire::members::{Blob, SecretText, Text};

/// A value as it was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub(crate) kind: Kind,
    pub(crate) value: &'a Sensitive,
}

/// The one value given, if any.
pub(crate) fn given<'a>(
    string: Option<&'a SecretText>,
    binary: Option<&'a Blob>,
) -> Result<Option<Given<'a>>, Error> {
    match (string, binary) {
        (Some(_), Some(_)) => Err(Error::BothValues),
        (Some(text), None) => Ok(Some(Given { kind: Kind::String, value: text.value() })),
        (None, Some(blob)) => Ok(Some(Given { kind: Kind::Binary, value: blob.value() })),
        (None, None) => Ok(None),
    }
}

/// The version id that the client's token makes.
pub(crate) fn token(given: Option<&Text>) -> Result<VersionId, Error> {
    given.map(|it| VersionId(it.as_str().to_owned())).ok_or(Error::TokenMissing)
}

/// The version `id` of `secret`, if it has a row.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    place: &Place,
    secret: &Secret,
    id: &VersionId,
) -> Result<Option<Arc<Version>>, Error> {
    Ok(txn.find_shared(&values(), &(place, &secret.id, id)).await?)
}

/// Seals `given` into a new version of `secret` and counts it. The caller attaches labels and saves.
pub(crate) async fn add_version(
    (call, txn, _permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &mut Secret,
    id: &VersionId,
    given: Given<'_>,
) -> Result<(), Error> {
    let binding = binding(secret, id, given.kind);
    let sealed = seal(txn, &scope(call, place), &binding, given.value).await;
    let sealed = sealed.map_err(|error| keys::cant_seal(call, error))?;
    // AWS asks the key first.
    if secret.versions >= VERSIONS_AT_MOST {
        return Err(Error::VersionQuota);
    }
    let version =
        Version { id: id.clone(), created: call.now, accessed: None, kind: given.kind, sealed };
    txn.save(&values(), &(place, &secret.id, id), &version)?;
    secret.versions += 1;
    if secret.versions > VERSIONS_KEPT && secret.trim.is_none() {
        secret.trim = Some(call.now);
    }
    Ok(())
}

async fn seal(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    binding: &Binding<'_>,
    value: &Sensitive,
) -> Result<kms::Sealed, kms::Error> {
    let key = kms::managed_key(txn, scope, keys::MANAGED).await?;
    kms::seal(txn, scope, &key, binding, value).await
}

/// The plaintext of `version`.
pub(crate) async fn open(
    (call, txn, _permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &Secret,
    version: &Version,
) -> Result<Sensitive, Error> {
    let binding = binding(secret, &version.id, version.kind);
    let opened = kms::open(txn, &scope(call, place), &version.sealed, &binding).await;
    opened.map_err(|error| keys::cant_open(call, error))
}

/// Whether `version` holds exactly what was `given`.
pub(crate) async fn same(
    (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &Secret,
    version: &Version,
    given: Given<'_>,
) -> Result<bool, Error> {
    if version.kind != given.kind {
        return Ok(false);
    }
    let stored = open((call, txn, permit), place, secret, version).await?;
    Ok(stored.same_as(given.value))
}

fn scope<'a>(call: &'a Call<'_>, place: &'a Place) -> Scope<'a> {
    Scope {
        keyring: call.keyring,
        entropy: call.entropy,
        now: call.now,
        account: &place.account,
        region: &place.region,
    }
}

/// What a sealed value is bound to: it opens nowhere else.
fn binding<'a>(secret: &'a Secret, id: &'a VersionId, kind: Kind) -> Binding<'a> {
    let kind = match kind {
        Kind::Binary => kms::Kind::Binary,
        Kind::String => kms::Kind::String,
    };
    Binding { secret_arn: &secret.arn, version_id: id.as_str(), kind }
}
