//! Whether a principal that a policy names exists.
//!
//! `identity` writes the rows; services only ask for their presence, so that a policy for nobody is
//! refused when it is put.

use policy::Principal;
use store::Txn;
use store::path::Path;

/// Whether `principal` can be meant by a policy: users and roles must exist. Accounts, services and
/// federated identities are taken as they are.
pub async fn exists(txn: &mut Txn<'_>, principal: &Principal) -> Result<bool, store::Error> {
    let (kind, entity) = match principal {
        Principal::User(entity) => ("user", entity),
        Principal::Role(entity) | Principal::AssumedRole(entity) => ("role", entity),
        _ => return Ok(true),
    };
    // IAM's names are unique without their path; a session's first part is the role's name.
    let name = match principal {
        Principal::AssumedRole(_) => entity.name.split('/').next(),
        _ => entity.name.rsplit('/').next(),
    };
    let key = Path::new("a").with(&entity.account).with(kind).with(name.unwrap_or_default()).key();
    txn.exists(&key).await
}
