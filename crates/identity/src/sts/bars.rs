//! Credentials that may not call an operation, whatever the policies say.
//!
//! Source: IAM User Guide, "Compare AWS STS credentials".

use super::Error;
use service::{Caller, Kind};

/// `GetSessionToken` and `GetFederationToken` are for long-term credentials.
pub(super) fn long_term_only(caller: &Caller, operation: &str) -> Result<(), Error> {
    if caller.session.is_some() { Err(with_session(operation)) } else { Ok(()) }
}

/// Sessions of users call nothing here but `AssumeRole` and `GetCallerIdentity`, federated users only the
/// latter.
pub(super) fn not_for_users_sessions(caller: &Caller, operation: &str) -> Result<(), Error> {
    let of_role = matches!(caller.kind, Kind::RoleSession { .. });
    if of_role { Ok(()) } else { long_term_only(caller, operation) }
}

/// Roles are assumed by users and by sessions of roles.
pub(super) fn may_assume(caller: &Caller) -> Result<(), Error> {
    match caller.kind {
        Kind::FederatedUser { .. } | Kind::WebIdentity { .. } => Err(with_session("AssumeRole")),
        Kind::Root => Err(Error::Denied("Roles may not be assumed by root accounts.".to_owned())),
        Kind::RoleSession { .. } | Kind::Service { .. } | Kind::User => Ok(()),
    }
}

/// Contexts come from providers, of which none is known. One that was left out unseen would be missed by a
/// policy that denies by it.
pub(super) fn no_context(given: bool) -> Result<(), Error> {
    let text = "ProvidedContexts are not supported: no context provider is known to this server.";
    if given { Err(Error::Invalid(text.to_owned())) } else { Ok(()) }
}

fn with_session(operation: &str) -> Error {
    Error::Denied(format!("Cannot call {operation} with session credentials"))
}
