//! The key a secret is sealed under: as the user names it, and what is told when it can't be used.

use crate::Error;
use crate::secret::Place;
use kms::KeyState;
use service::Call;
use wire::members::Text;

/// The AWS managed key of Secrets Manager in each account and Region.
pub(crate) const MANAGED: &str = "aws/secretsmanager";

/// Whether the key named `given` can seal values in `place`: only the AWS managed key, so far.
pub(crate) fn check(call: &Call<'_>, place: &Place, given: Option<&str>) -> Result<(), Error> {
    let Some(given) = given else { return Ok(()) };
    let partition = base::Partition::of(&place.region);
    let Place { account, region } = place;
    let arn = |resource: &str| format!("arn:{partition}:kms:{region}:{account}:{resource}");
    let alias = format!("alias/{MANAGED}");
    if given == alias || given == arn(&alias) {
        return Ok(());
    }
    let missing = match given {
        _ if given.starts_with("arn:") => no_key(given),
        _ if given.starts_with("alias/") => format!("Alias {} is not found.", arn(given)),
        _ => no_key(&arn(&format!("key/{given}"))),
    };
    Err(Error::Encryption(as_told(call, &missing, NOT_FOUND)))
}

/// Whether the user named the key by its ARN.
pub(crate) fn is_arn(given: &Text) -> bool {
    given.as_str().starts_with("arn:") && given.as_str().contains(":key/")
}

/// Why a value couldn't be sealed, for the caller.
pub(crate) fn cant_seal(call: &Call<'_>, error: kms::Error) -> Error {
    refusal(call, error).map_or_else(|error| error, Error::Encryption)
}

/// Why a value couldn't be opened, for the caller.
pub(crate) fn cant_open(call: &Call<'_>, error: kms::Error) -> Error {
    refusal(call, error).map_or_else(|error| error, Error::Decryption)
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
