//! Whose access keys a call is about.

use crate::access_key::{self, AccessKey};
use crate::iam::Error;
use crate::iam::holder;
use crate::user::User;
use service::{Call, Kind, Operation, Permit};
use std::sync::Arc;
use store::Txn;
use wire::Violations;
use wire::members::Text;

/// Asks whether the caller may do `operation` to the user `name`, or to itself if nobody is named, and loads
/// that user.
pub(crate) async fn admit_owner<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    name: Option<&Text>,
) -> Result<(Permit, Arc<User>), Error> {
    let caller = call.caller;
    let own = (caller.kind == Kind::User).then_some(caller.user_name.as_str());
    let meant = name.map(Text::as_str).or(own);
    let (permit, found) =
        holder::admit_named::<User, _>(call, txn, operation, meant.unwrap_or_default()).await?;
    if meant.is_none() {
        return Err(Error::Invalid(NOBODY.to_owned()));
    }
    Ok((permit, found.existing()?))
}

const NOBODY: &str = "Must specify userName when calling with non-User credentials";

/// The access key `id` of `user`.
pub(crate) async fn load(
    txn: &mut Txn<'_>,
    user: &User,
    id: Option<&Text>,
) -> Result<AccessKey, Error> {
    let id = id.map_or("", Text::as_str);
    let key = access_key::find_key(txn, id).await?.filter(|it| it.principal_id == user.id);
    key.ok_or_else(|| Error::KeyUnknown(id.to_owned()))
}

/// The model's constraints for the id of an access key that must be given.
pub(crate) fn constraints(found: &mut Violations, id: Option<&Text>) {
    found.required("accessKeyId", id);
    found.length("accessKeyId", id, 16..=128);
    let holds = |it: &str| it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    found.pattern("accessKeyId", id, r"[\w]+", holds);
}

/// Where the secrets of access keys are sealed.
pub(crate) fn scope<'a>(call: &'a Call<'_>) -> kms::Scope<'a> {
    kms::Scope {
        keyring: call.keyring,
        entropy: call.entropy,
        now: call.now,
        account: &call.caller.account,
        region: call.region,
    }
}
