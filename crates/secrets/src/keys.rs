//! The key a secret is sealed under: as the user names it, and what is told when it can't be used.

use crate::Error;
use crate::secret::{Place, Secret};
use base::Arn;
use kms::{Exception, KeyState, KmsKey, Manager, Scope};
use serde_json::json;
use service::audit::Resource;
use service::{Action, Call, Denial, Event, Fault};
use std::sync::Arc;
use store::Txn;
use wire::members::Text;

/// Who asks KMS for the caller.
const SERVICE: &str = "secretsmanager.amazonaws.com";
/// Who is asked.
const KMS: &str = "kms.amazonaws.com";

/// The AWS managed key of Secrets Manager in each account and Region.
pub(crate) const MANAGED: &str = "aws/secretsmanager";

/// A KMS key, and the alias that led to it.
pub(crate) struct Lock {
    pub(crate) key: Arc<KmsKey>,
    alias: Option<String>,
}

/// The key that new values in `place` are sealed under: the one the user named, or else the AWS managed one,
/// which the first use makes.
pub(crate) async fn find(
    (call, txn): (&Call<'_>, &mut Txn<'_>),
    place: &Place,
    given: Option<&str>,
) -> Result<Lock, Error> {
    let named = given.filter(|it| !is_managed(place, it));
    let Some(named) = named else {
        let key = kms::managed_key(txn, &scope(call, place), MANAGED).await;
        let key = key.map_err(|error| cant_seal(call, error))?;
        return Ok(Lock { key, alias: None });
    };
    let own = kms::Place::in_region(&place.account, &place.region);
    let (key, alias) = kms::resolve(txn, own, named).await.map_err(|it| match it {
        // Which keys another account has is not told.
        Exception::NotFound(_) if is_foreign(place, named) => denied(),
        it => refused(call, it, Error::Encryption),
    })?;
    Ok(Lock { key, alias })
}

/// The ARN of the key that `given` names, for policies; what was given, if it leads nowhere.
pub(crate) async fn arn_of(
    txn: &mut Txn<'_>,
    place: &Place,
    given: Option<&Text>,
) -> Result<Option<String>, Error> {
    let Some(given) = given.map(Text::as_str).filter(|it| !it.is_empty()) else { return Ok(None) };
    let own = kms::Place::in_region(&place.account, &place.region);
    match kms::resolve(txn, own, given).await {
        Ok((key, _)) => Ok(Some(key.arn.clone())),
        Err(Exception::Store(error)) => Err(Error::Store(error)),
        Err(_) => Ok(Some(given.to_owned())),
    }
}

fn is_foreign(place: &Place, given: &str) -> bool {
    Arn::parse(given).ok().and_then(|it| it.account()).is_some_and(|it| it != place.account)
}

fn denied() -> Error {
    Error::Denied("Access to KMS is not allowed".to_owned())
}

fn is_managed(place: &Place, given: &str) -> bool {
    let Place { account, region } = place;
    let partition = base::Partition::of(region);
    let alias =
        given.strip_prefix(&format!("arn:{partition}:kms:{region}:{account}:")).unwrap_or(given);
    alias.strip_prefix("alias/") == Some(MANAGED)
}

/// The key called `arn`, under which a version is sealed.
pub(crate) async fn of_version(
    (call, txn): (&Call<'_>, &mut Txn<'_>),
    arn: &str,
) -> Result<Lock, Error> {
    let found = kms::find_key(txn, arn).await.map_err(|error| cant_open(call, error))?;
    let gone = || Error::Decryption(as_told(call, &no_key(arn), NOT_FOUND));
    Ok(Lock { key: found.ok_or_else(gone)?, alias: None })
}

impl Lock {
    /// The record that the use of a customer's key leaves beside the call's own.
    ///
    /// Source: KMS Developer Guide, "Logging AWS KMS API calls"; Secrets Manager User Guide, "Monitor".
    fn used(&self, using: Use<'_>, refused: Option<&Exception>, denial: Option<Denial>) -> Event {
        let context = json!({
            "SecretARN": using.secret_arn, "SecretVersionId": using.version_id,
        });
        let parameters = if using.action == GENERATE {
            json!({ "encryptionContext": context, "keyId": self.key.arn, "keySpec": "AES_256" })
        } else {
            json!({ "encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT" })
        };
        let owner = Arn::parse(&self.key.arn).ok().and_then(|it| it.account());
        let resource =
            |account| Resource { arn: self.key.arn.clone(), account, kind: "AWS::KMS::Key" };
        Event::OnBehalf {
            source: KMS,
            name: using.name(),
            parameters,
            resources: owner.map(resource).into_iter().collect(),
            error: refused.map(|it| (it.code().recorded, it.to_string())),
            denial,
        }
    }

    /// Whether AWS manages the key.
    pub(crate) fn is_managed(&self) -> bool {
        self.key.manager == Manager::Aws
    }
}

/// What is done with a key, for a value of a secret.
#[derive(Clone, Copy)]
pub(crate) struct Use<'a> {
    pub(crate) action: Action,
    pub(crate) secret_arn: &'a str,
    pub(crate) version_id: &'a str,
}

impl Use<'_> {
    /// The operation of KMS.
    fn name(&self) -> &'static str {
        self.action.0.trim_start_matches("kms:")
    }
}

pub(crate) const DECRYPT: Action = Action("kms:Decrypt");
pub(crate) const ENCRYPT: Action = Action("kms:Encrypt");
pub(crate) const GENERATE: Action = Action("kms:GenerateDataKey");

/// Stands for the version where only access to a key is tried.
const VALIDATION: &str = "RequestToValidateKeyAccess";

/// Asks whether the caller may use the key, through this service: the second lock.
pub(crate) async fn ask(
    (call, txn): (&Call<'_>, &mut Txn<'_>),
    lock: &Lock,
    using: Use<'_>,
) -> Result<(), Error> {
    let Use { action, secret_arn, version_id } = using;
    let context = [("SecretARN", secret_arn), ("SecretVersionId", version_id)];
    let forwarded = call.forwarded(SERVICE);
    let key = (&*lock.key, lock.alias.as_deref());
    let asked = kms::authorize(&forwarded, txn, key, action, &context).await;
    let denial = asked.as_ref().err().and_then(|_| forwarded.take_denial());
    if lock.is_managed() {
        if denial.is_some() {
            call.keep_denial(denial);
        }
    } else {
        if denial.is_some() {
            call.keep_denial(Some(Denial::elsewhere(KMS, using.name())));
        }
        call.note(lock.used(using, asked.as_ref().err(), denial));
    }
    asked.map(drop).map_err(|it| refused(call, it, Error::Decryption))
}

/// Tries the key that `secret` is to have: whoever names a key must be able to seal under it and to open.
pub(crate) async fn try_out(
    (call, txn): (&Call<'_>, &mut Txn<'_>),
    place: &Place,
    secret: &Secret,
) -> Result<(), Error> {
    let lock = find((call, txn), place, secret.kms_key_id.as_deref()).await?;
    for action in [GENERATE, DECRYPT] {
        let using = Use { action, secret_arn: &secret.arn, version_id: VALIDATION };
        ask((call, txn), &lock, using).await?;
    }
    let context = [("SecretARN", secret.arn.as_str()), ("SecretVersionId", VALIDATION)];
    let tried = kms::generate_data_key(txn, &scope(call, place), &lock.key, &context).await;
    tried.map(drop).map_err(|error| cant_seal(call, error))
}

/// What key operations of `call` for a secret in `place` bring along.
pub(crate) fn scope<'a>(call: &'a Call<'_>, place: &'a Place) -> Scope<'a> {
    Scope {
        keyring: call.keyring,
        entropy: call.entropy,
        now: call.now,
        account: &place.account,
        region: &place.region,
    }
}

/// Why a value couldn't be sealed, for the caller.
pub(crate) fn cant_seal(call: &Call<'_>, error: kms::Error) -> Error {
    refusal(call, error).map_or_else(|error| error, Error::Encryption)
}

/// Why a value couldn't be opened, for the caller.
pub(crate) fn cant_open(call: &Call<'_>, error: kms::Error) -> Error {
    refusal(call, error).map_or_else(|error| error, Error::Decryption)
}

/// What KMS refused, for the caller. Of policies nothing is told.
fn refused(call: &Call<'_>, exception: Exception, frame: fn(String) -> Error) -> Error {
    match exception {
        Exception::Denied(_) => denied(),
        Exception::Keys(error) => refusal(call, error).map_or_else(|error| error, frame),
        Exception::Store(error) => Error::Store(error),
        told => frame(as_told(call, &told.to_string(), told.code().name)),
    }
}

/// What KMS says about a key that can't be used. Everything else is damage: an internal failure.
fn refusal(call: &Call<'_>, error: kms::Error) -> Result<String, Error> {
    match error {
        kms::Error::KeyNotFound { arn } => Ok(as_told(call, &no_key(&arn), NOT_FOUND)),
        kms::Error::KeyUnusable { arn, state } => {
            Ok(as_told(call, &format!("{arn} is {state}."), code_of(state)))
        }
        kms::Error::Store(error) => Err(Error::Store(error)),
        error => Err(Error::Sealing(error)),
    }
}

const NOT_FOUND: &str = "NotFoundException";

fn code_of(state: KeyState) -> &'static str {
    if state == KeyState::Disabled { "DisabledException" } else { "KMSInvalidStateException" }
}

fn no_key(arn: &str) -> String {
    format!("Key '{arn}' does not exist")
}

/// KMS's answer in the frame that clients know. No request of its own was made: the id is the call's.
fn as_told(call: &Call<'_>, text: &str, code: &str) -> String {
    format!(
        "{text} (Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: {}; Proxy: null)",
        call.request_id
    )
}
