//! The key a secret is sealed under, as the user names it.

use crate::Error;
use crate::secret::Place;
use service::Call;

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
        _ if given.starts_with("arn:") => format!("Key '{given}' does not exist"),
        _ if given.starts_with("alias/") => format!("Alias {} is not found.", arn(given)),
        _ => format!("Key '{}' does not exist", arn(&format!("key/{given}"))),
    };
    Err(Error::KeyUnusable(format!(
        "{missing} (Service: AWSKMS; Status Code: 400; Error Code: NotFoundException; Request ID: \
         {}; Proxy: null)",
        call.request_id
    )))
}
