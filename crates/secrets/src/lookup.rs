//! From a `SecretId` to a secret.

use crate::Error;
use crate::limits;
use crate::policies::StoredPolicy;
use crate::secret::{Place, Secret, names, policies, secrets};
use base::{Arn, Partition};
use policy::engine::{Attached, Context, Values};
use service::{Call, Operation, Permit, Target};
use std::sync::Arc;
use store::Txn;
use wire::Violations;
use wire::members::Text;

/// What a `SecretId` leads to, before anyone was asked whether the caller may know.
pub(crate) struct Found {
    /// Where it would be.
    pub(crate) place: Place,
    /// What a denial names: the secret's ARN, or what was given if it leads nowhere.
    resource: Option<String>,
    valid: bool,
    secret: Option<Arc<Secret>>,
    policy: Option<Arc<StoredPolicy>>,
    /// The ARN of the key that the secret is to get, if the call names one.
    pub(crate) new_key: Option<String>,
}

/// The model's constraints on the `SecretId` of an operation that needs one.
pub(crate) fn constraints(found: &mut Violations, given: Option<&Text>) {
    found.required("secretId", given);
    found.length("secretId", given, limits::SECRET_ID);
}

/// Lets `operation` touch the secret that `given` names. Looks for it, asks the policies, checks the
/// model's constraints, and then the characters of the name: in this order, and before anything else.
///
/// Whether there is a secret, and in which state, is only then asked of [`Found`], at the place that
/// the operation's own order has for it.
pub(crate) async fn admit<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    given: Option<&Text>,
) -> Result<(Permit, Found), Error> {
    let found = find(call, txn, given).await?;
    let permit = call.admit(operation, found.target(found.attached().as_slice()))?;
    found.check_name()?;
    Ok((permit, found))
}

/// Looks for the secret that `given` names: a name, an ARN, or an ARN without its last characters.
///
/// A partial ARN whose name itself ends in a hyphen and six characters is read as a complete one.
/// Source: API Reference, `SecretId`.
pub(crate) async fn find(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    given: Option<&Text>,
) -> Result<Found, store::Error> {
    let own = Place { account: call.caller.account.clone(), region: call.region.clone() };
    let Some(given) = given.map(Text::as_str) else {
        return Ok(Found {
            place: own,
            resource: None,
            valid: true,
            secret: None,
            policy: None,
            new_key: None,
        });
    };
    let reference = Reference::of(given, &own);
    let known = given.len() <= *limits::SECRET_ID.end() && reference.here(call);
    let secret = match reference.name() {
        Some(name) if known => by_name(txn, &reference.place, name).await?,
        _ => None,
    };
    let secret = secret.filter(|it| reference.complete.is_none_or(|arn| it.arn == arn));
    // A denial names the whole ARN, but to a stranger only what the stranger has said: the last six
    // characters would tell that the secret exists.
    let policy = match &secret {
        Some(secret) if secret.has_policy => {
            txn.find_shared(&policies(), &(&reference.place, &secret.id)).await?
        }
        _ => None,
    };
    let named = secret.as_ref().filter(|_| reference.place == own).map_or(given, |it| &it.arn);
    Ok(Found {
        resource: Some(named.to_owned()),
        valid: reference.valid(),
        place: reference.place,
        secret,
        policy,
        new_key: None,
    })
}

/// The secret called `name`, deleted or not.
pub(crate) async fn by_name(
    txn: &mut Txn<'_>,
    place: &Place,
    name: &str,
) -> Result<Option<Arc<Secret>>, store::Error> {
    match txn.find_shared(&names(), &(place, name)).await? {
        Some(pointer) => txn.find_shared(&secrets(), &(place, &pointer.0)).await,
        None => Ok(None),
    }
}

impl Found {
    /// The secret's own policy, for [`Found::target`].
    pub(crate) fn attached(&self) -> Option<Attached<'_>> {
        self.policy.as_ref().map(|it| it.attached())
    }

    /// What the policies are asked about, the secret's own among them.
    pub(crate) fn target<'a>(&'a self, own: &'a [Attached<'a>]) -> Target<'a> {
        let asked = self.secret.as_ref().map(|it| it.arn.as_str());
        let given = self.resource.as_deref();
        Target {
            resource: asked.or(given),
            named: given,
            policies: own,
            keys: self,
            ..Target::of(&self.place.account, None)
        }
    }

    /// Whether the name, or what stands in its place in an ARN, has only characters of names.
    pub(crate) fn check_name(&self) -> Result<(), Error> {
        if self.valid { Ok(()) } else { Err(Error::InvalidName) }
    }

    /// The secret, scheduled for deletion or not.
    pub(crate) fn existing(self) -> Result<(Place, Arc<Secret>), Error> {
        Ok((self.place, self.secret.ok_or(Error::NoSecret)?))
    }

    /// The secret, if it is not scheduled for deletion.
    pub(crate) fn live(self) -> Result<(Place, Arc<Secret>), Error> {
        let (place, secret) = self.existing()?;
        secret.require_live()?;
        Ok((place, secret))
    }
}

impl Context for Found {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        match key {
            "secretsmanager:kmskeyarn" => self.new_key.as_deref().map(Values::one),
            "secretsmanager:secretprimaryregion" => Some(Values::one(self.place.region.as_str())),
            _ => self.secret.as_ref()?.condition(key),
        }
    }
}

struct Reference<'a> {
    place: Place,
    /// The name, or what stands in its place in an ARN.
    tail: &'a str,
    /// The whole ARN, if it ends in a suffix.
    complete: Option<&'a str>,
    secret: bool,
}

impl<'a> Reference<'a> {
    fn of(given: &'a str, own: &Place) -> Self {
        let named = Self { place: own.clone(), tail: given, complete: None, secret: true };
        let Ok(arn) = Arn::parse(given) else { return named };
        let tail = arn.resource.strip_prefix("secret:").filter(|_| arn.service == "secretsmanager");
        let place = Place {
            account: arn.account().unwrap_or_else(|| own.account.clone()),
            region: arn.region.parse().unwrap_or_else(|_| own.region.clone()),
        };
        let complete = tail.and_then(suffixed).map(|_| given);
        let secret = tail.is_some()
            && arn.account().is_some()
            && arn.region == place.region.as_str()
            && arn.partition == Partition::of(&place.region).as_str();
        Self { place, tail: tail.unwrap_or_default(), complete, secret }
    }

    fn here(&self, call: &Call<'_>) -> bool {
        self.secret && self.place.region == *call.region
    }

    fn name(&self) -> Option<&'a str> {
        if self.complete.is_some() { suffixed(self.tail) } else { Some(self.tail) }
    }

    fn valid(&self) -> bool {
        valid_name(self.tail)
    }
}

/// The place and the name of the secret that `given` means to somebody at `own`, and its ARN if that is given
/// whole; `None` if it means something else.
pub(crate) fn named<'a>(given: &'a str, own: &Place) -> Option<(Place, &'a str, Option<&'a str>)> {
    let reference = Reference::of(given, own);
    let name = reference.name().filter(|_| reference.secret)?;
    Some((reference.place.clone(), name, reference.complete))
}

/// `name` of `name-AbCdEf`.
fn suffixed(tail: &str) -> Option<&str> {
    let (name, suffix) = tail.rsplit_once('-')?;
    let shaped = suffix.len() == 6 && suffix.bytes().all(|it| it.is_ascii_alphanumeric());
    shaped.then_some(name)
}

/// Whether `name` holds only letters, digits and `-/_+=.@!`.
pub(crate) fn valid_name(name: &str) -> bool {
    name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-/_+=.@!".contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_are_told_apart() {
        let own = Place {
            account: "111122223333".parse().expect("valid"),
            region: "us-east-1".parse().expect("valid"),
        };
        let arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:";
        #[rustfmt::skip]
        let cases = [
            // given                      name looked up     complete valid
            ("t/one".to_owned(),          Some("t/one"),     false,   true),
            ("t/one-AbCdEf".to_owned(),   Some("t/one-AbCdEf"), false, true),
            (format!("{arn}t/one-AbCdEf"), Some("t/one"),    true,    true),
            (format!("{arn}t/one"),       Some("t/one"),     false,   true),
            (format!("{arn}x-abcdef"),    Some("x"),         true,    true),
            (format!("{arn}a-AbCdEf:key::"), Some("a-AbCdEf:key::"), false, false),
            ("bad name".to_owned(),       Some("bad name"),  false,   false),
            ("arn:aws:s3:::bucket".to_owned(), Some(""),     false,   true),
        ];
        for (given, name, complete, valid) in cases {
            let reference = Reference::of(&given, &own);
            assert_eq!(reference.name(), name, "{given}");
            assert_eq!(reference.complete.is_some(), complete, "{given}");
            assert_eq!(reference.valid(), valid, "{given}");
        }
        assert!(!Reference::of("arn:aws:s3:::bucket", &own).secret);
        assert!(Reference::of(&format!("{arn}t/one"), &own).secret);
        let china = format!("{arn}t/one").replace("arn:aws:", "arn:aws-cn:");
        assert!(!Reference::of(&china, &own).secret, "no partition but the Region's");
        let elsewhere = "arn:aws:secretsmanager:eu-west-1:444455556666:secret:a";
        assert_eq!(Reference::of(elsewhere, &own).place.account.as_str(), "444455556666");
    }
}
