//! Principals of grants: read, looked up, kept as who they are.

use crate::exception::Exception;
use crate::grant::Party;
use policy::engine::{Pins, Resolver as _};
use policy::{Document, Principal};
use service::principals;
use store::Txn;

/// The principal called `arn`, if there is one: an account, a user, a role, or a session.
pub(crate) async fn resolve(txn: &mut Txn<'_>, arn: &str) -> Result<Party, Exception> {
    let invalid = || Exception::InvalidPrincipal(arn.to_owned());
    // Principals are read where policies are: a policy for this one says what it is.
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": { "AWS": arn },
    } });
    let document = Document::parse(&policy.to_string()).map_err(|_| invalid())?;
    let principal = document.principals().next().ok_or_else(invalid)?;
    match principal {
        Principal::Account(account) => {
            let partition = arn.split(':').nth(1).unwrap_or("aws");
            Ok(Party { arn: format!("arn:{partition}:iam::{account}:root"), id: None })
        }
        Principal::User(_) | Principal::Role(_) => {
            if !principals::exists(txn, principal).await? {
                return Err(invalid());
            }
            let known = principals::look_up(txn, &document, &Pins::default()).await?;
            Ok(Party { arn: arn.to_owned(), id: known.id(arn) })
        }
        Principal::AssumedRole(session) => {
            let id = principals::session_id(txn, session).await?.ok_or_else(invalid)?;
            Ok(Party { arn: arn.to_owned(), id: Some(id) })
        }
        Principal::FederatedUser(_) => Ok(Party { arn: arn.to_owned(), id: None }),
        _ => Err(invalid()),
    }
}
