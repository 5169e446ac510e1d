//! Values: from the request into a sealed version, and back.

use crate::Error;
use crate::keys::{self, Lock, Use, scope};
use crate::limits::{VERSIONS_AT_MOST, VERSIONS_KEPT};
use crate::secret::{Place, Secret};
use crate::stages::VersionId;
use crate::version::{Kind, Version, values};
use base::Sensitive;
use kms::Binding;
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
    (call, txn, permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &mut Secret,
    id: &VersionId,
    given: Given<'_>,
) -> Result<(), Error> {
    let version = seal((call, txn, permit), place, secret, id, given).await?;
    // AWS asks the key first.
    if secret.versions >= VERSIONS_AT_MOST {
        return Err(Error::VersionQuota);
    }
    txn.save(&values(), &(place, &secret.id, id), &version)?;
    secret.versions += 1;
    if secret.versions > VERSIONS_KEPT && secret.trim.is_none() {
        secret.trim = Some(call.now);
    }
    Ok(())
}

/// Seals `given` as what only `secret` opens as its `id`. Nothing is kept of it.
pub(crate) async fn seal(
    (call, txn, _permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &Secret,
    id: &VersionId,
    given: Given<'_>,
) -> Result<Version, Error> {
    let lock = keys::find((call, txn), place, secret.kms_key_id.as_deref()).await?;
    let using = Use { action: keys::GENERATE, secret_arn: &secret.arn, version_id: id.as_str() };
    keys::ask((call, txn), &lock, using).await?;
    let binding = binding(secret, id, given.kind);
    let sealed = kms::seal(txn, &scope(call, place), &lock.key, &binding, given.value).await;
    let sealed = sealed.map_err(|error| keys::cant_seal(call, error))?;
    Ok(Version { id: id.clone(), created: call.now, accessed: None, kind: given.kind, sealed })
}

/// The plaintext of `version`, by those of its keys that the caller may use.
pub(crate) async fn open(
    (call, txn, _permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &Secret,
    version: &Version,
) -> Result<Sensitive, Error> {
    let binding = binding(secret, &version.id, version.kind);
    let mut refusal = None;
    for arn in version.sealed.key_arns() {
        match may_open((call, txn), place, (secret, version), arn).await {
            Ok(()) => {
                let (scope, may) = (scope(call, place), |it: &str| it == arn);
                match kms::open_under(txn, &scope, (&version.sealed, &may), &binding).await {
                    Ok(value) => return Ok(value),
                    Err(error) => refusal = refusal.or(Some(keys::cant_open(call, error))),
                }
            }
            Err(error @ Error::Store(_)) => return Err(error),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    // A version always has a key.
    Err(refusal.unwrap_or(Error::NoSecret))
}

async fn may_open(
    (call, txn): (&Call<'_>, &mut Txn<'_>),
    place: &Place,
    (secret, version): (&Secret, &Version),
    arn: &str,
) -> Result<(), Error> {
    let lock = keys::of_version((call, txn), arn).await?;
    if lock.is_managed() && call.caller.account != place.account {
        return Err(Error::ForeignDefaultKey);
    }
    let (secret_arn, version_id) = (secret.arn.as_str(), version.id.as_str());
    let using = Use { action: keys::DECRYPT, secret_arn, version_id };
    keys::ask((call, txn), &lock, using).await
}

/// Lets the key that `secret` has now open `version`, too, if the caller may do that with both keys; if
/// not, the version stays as it is.
pub(crate) async fn rewrap(
    (call, txn, _permit): (&Call<'_>, &mut Txn<'_>, &Permit),
    place: &Place,
    secret: &Secret,
    (lock, version): (&Lock, &Version),
) -> Result<(), Error> {
    let Some(old) = version.sealed.key_arns().next().filter(|it| *it != lock.key.arn) else {
        return Ok(());
    };
    let (secret_arn, version_id) = (secret.arn.as_str(), version.id.as_str());
    let using = Use { action: keys::ENCRYPT, secret_arn, version_id };
    let asked = match may_open((call, txn), place, (secret, version), old).await {
        Ok(()) => keys::ask((call, txn), lock, using).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(()) => (),
        // It stays as it is.
        Err(Error::Denied(_) | Error::Encryption(_) | Error::Decryption(_)) => return Ok(()),
        Err(error) => return Err(error),
    }
    let binding = binding(secret, &version.id, version.kind);
    let scope = scope(call, place);
    match kms::seal_also(txn, &scope, (&version.sealed, &lock.key), &binding).await {
        Ok(sealed) => {
            let rewrapped = Version { sealed, ..Version::clone(version) };
            Ok(txn.save(&values(), &(place, &secret.id, &version.id), &rewrapped)?)
        }
        Err(kms::Error::KeyUnusable { .. } | kms::Error::KeyNotFound { .. }) => Ok(()),
        Err(error) => Err(keys::cant_open(call, error)),
    }
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

/// What a sealed value is bound to: it opens nowhere else.
fn binding<'a>(secret: &'a Secret, id: &'a VersionId, kind: Kind) -> Binding<'a> {
    let kind = match kind {
        Kind::Binary => kms::Kind::Binary,
        Kind::String => kms::Kind::String,
    };
    Binding { secret_arn: &secret.arn, version_id: id.as_str(), kind }
}
