//! From a `KeyId` to a key.
//!
//! Source: KMS API Reference, `KeyId` of DescribeKey; Developer Guide, "Key identifiers".

use crate::exception::Exception;
use crate::rows::{aliases, keys};
use crate::{KmsKey, Place};
use base::Arn;
use std::sync::Arc;
use store::Txn;

/// A `KeyId`, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    pub(crate) place: Place<'a>,
    named: Named<'a>,
}

/// What the last part of a `KeyId` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named<'a> {
    /// The name of an alias, without `alias/`.
    Alias(&'a str),
    /// The id of a key.
    Key(&'a str),
}

/// What a `KeyId` leads to.
#[derive(Debug)]
pub(crate) struct Found {
    /// The ARN of the key; if it doesn't exist, that of what was asked for.
    pub(crate) arn: String,
    /// The key.
    pub(crate) key: Option<Arc<KmsKey>>,
    /// The alias that led to it, with `alias/`.
    pub(crate) alias: Option<String>,
}

/// The key that `given` names for somebody at `place`, in whatever state, and the alias that was used,
/// as `alias/name`.
///
/// `given` is a key id, a key ARN, the name of an alias with `alias/`, or the ARN of an alias. Keys of
/// another account are found by ARN only, keys of another Region never.
///
/// # Errors
///
/// - [`Exception::NotFound`]: no such key or alias, or no text that could name one. Callers of another
///   account must not be told: see [`crate::foreign_denial`].
pub async fn resolve(
    txn: &mut Txn<'_>,
    place: Place<'_>,
    given: &str,
) -> Result<(Arc<KmsKey>, Option<String>), Exception> {
    let found = Reference::parse(place, given)?.find(txn).await?;
    match found.key {
        Some(key) => Ok((key, found.alias)),
        None => Err(found.missing()),
    }
}

impl<'a> Reference<'a> {
    /// Takes `given` apart for somebody at `place`.
    pub(crate) fn parse(place: Place<'a>, given: &'a str) -> Result<Self, Exception> {
        if !given.starts_with("arn:") {
            return Self::local(place, given).ok_or_else(|| invalid(given));
        }
        let arn = Arn::parse(given).map_err(|_| invalid(given))?;
        if arn.service != "kms" || arn.account().is_none() {
            return Err(invalid(given));
        }
        let own = place.arn("");
        if !own.starts_with(&format!("arn:{}:", arn.partition)) {
            return Err(Exception::NotFound(format!("Invalid arn {}", arn.partition)));
        }
        if arn.region != place.region() {
            return Err(Exception::NotFound(format!("Invalid arn {}", arn.region)));
        }
        let named = match arn.resource.split_once('/') {
            Some(("key", id)) if is_key_id(id) => Named::Key(id),
            Some(("alias", name)) if !name.is_empty() => Named::Alias(name),
            _ => return Err(invalid(given)),
        };
        Ok(Self { place: Place::named(arn.account, arn.region), named })
    }

    fn local(place: Place<'a>, given: &'a str) -> Option<Self> {
        let named = match given.strip_prefix("alias/") {
            Some(name) => Named::Alias(name),
            None => Named::Key(given).filter_key()?,
        };
        Some(Self { place, named })
    }

    /// Whether it is an alias.
    pub(crate) fn is_alias(&self) -> bool {
        matches!(self.named, Named::Alias(_))
    }

    /// Looks for what it names.
    pub(crate) async fn find(self, txn: &mut Txn<'_>) -> Result<Found, store::Error> {
        let Self { place, named } = self;
        let name = match named {
            Named::Key(id) => {
                let key = txn.find_shared(&keys(), &(place, id)).await?;
                let arn = arn_of(key.as_deref(), || place.arn(&format!("key/{id}")));
                return Ok(Found { arn, key, alias: None });
            }
            Named::Alias(name) => name,
        };
        let alias = format!("alias/{name}");
        let key = match txn.find_shared(&aliases(), &(place, name)).await? {
            Some(row) => txn.find_shared(&keys(), &(place, row.key_id.as_str())).await?,
            None => None,
        };
        let arn = arn_of(key.as_deref(), || place.arn(&alias));
        Ok(Found { arn, key, alias: Some(alias) })
    }
}

impl Named<'_> {
    fn filter_key(self) -> Option<Self> {
        Some(self).filter(|it| matches!(it, Self::Key(id) if is_key_id(id)))
    }
}

impl Found {
    /// That there is no such key, or no such alias.
    pub(crate) fn missing(&self) -> Exception {
        match &self.alias {
            Some(_) => Exception::NotFound(format!("Alias {} is not found.", self.arn)),
            None => Exception::no_key(&self.arn),
        }
    }
}

/// Whether `text` has the form of a key id: a UUID, or `mrk-` and 32 hexadecimal digits.
pub(crate) fn is_key_id(text: &str) -> bool {
    let hex = |it: &str| it.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it));
    if let Some(digits) = text.strip_prefix("mrk-") {
        return digits.len() == 32 && hex(digits);
    }
    let mut parts = text.split('-');
    let mut fits = |length| parts.next().is_some_and(|it| it.len() == length && hex(it));
    [8, 4, 4, 4, 12].into_iter().all(&mut fits) && parts.next().is_none()
}

/// The ARN of `key`, or else the one it would have.
fn arn_of(key: Option<&KmsKey>, otherwise: impl FnOnce() -> String) -> String {
    key.map_or_else(otherwise, |it| it.arn.clone())
}

fn invalid(given: &str) -> Exception {
    Exception::NotFound(format!("Invalid keyId '{given}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_forms_and_nothing_else() {
        let place = Place::named("111122223333", "us-east-1");
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let base = "arn:aws:kms:us-east-1:111122223333";
        let key = Ok((place, Named::Key(id)));
        let alias = Ok((place, Named::Alias("app/db")));
        let abroad = Ok((Place::named("444455556666", "us-east-1"), Named::Key(id)));
        let invalid = |it: &str| Err(format!("Invalid keyId '{it}'"));
        #[rustfmt::skip]
        let cases = [
            (id.to_owned(), key.clone()),
            (format!("{base}:key/{id}"), key),
            ("alias/app/db".to_owned(), alias.clone()),
            (format!("{base}:alias/app/db"), alias),
            (format!("arn:aws:kms:us-east-1:444455556666:key/{id}"), abroad),
            (format!("arn:aws:kms:eu-west-1:111122223333:key/{id}"), Err("Invalid arn eu-west-1".to_owned())),
            (format!("arn:aws-cn:kms:us-east-1:111122223333:key/{id}"), Err("Invalid arn aws-cn".to_owned())),
            ("foo".to_owned(), invalid("foo")),
            (String::new(), invalid("")),
            (format!("key/{id}"), invalid(&format!("key/{id}"))),
            (format!("{base}:key/foo"), invalid(&format!("{base}:key/foo"))),
            ("arn:aws:s3:::bucket".to_owned(), invalid("arn:aws:s3:::bucket")),
        ];
        for (given, expected) in cases {
            let parsed = Reference::parse(place, &given);
            let parsed = parsed.map(|it| (it.place, it.named)).map_err(|it| it.to_string());
            assert_eq!(parsed, expected, "{given}");
        }
    }
}
