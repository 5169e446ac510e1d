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
) -> Result<Option<Version>, Error> {
    Ok(txn.find(&values(), &(place, &secret.id, id)).await?)
}

/// Seals `given` into a new version of `secret` and counts it. The caller attaches labels and saves.
pub(crate) async fn add_version(
    (call, txn, _permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &mut Secret,
    id: &VersionId,
    given: Given<'_>,
) -> Result<(), Error> {
    if secret.versions >= VERSIONS_AT_MOST {
        return Err(Error::VersionQuota);
    }
    let scope = scope(call, place);
    let key = kms::managed_key(txn, &scope, keys::MANAGED).await?;
    let sealed =
        kms::seal(txn, &scope, &key, &binding(secret, id, given.kind), given.value).await?;
    let version =
        Version { id: id.clone(), created: call.now, accessed: None, kind: given.kind, sealed };
    txn.save(&values(), &(place, &secret.id, id), &version)?;
    secret.versions += 1;
    if secret.versions > VERSIONS_KEPT && secret.trim.is_none() {
        secret.trim = Some(call.now);
    }
    Ok(())
}

/// The plaintext of `version`.
pub(crate) async fn open(
    (call, txn, _permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &Secret,
    version: &Version,
) -> Result<Sensitive, Error> {
    let binding = binding(secret, &version.id, version.kind);
    Ok(kms::open(txn, &scope(call, place), &version.sealed, &binding).await?)
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
