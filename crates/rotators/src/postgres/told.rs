//! What an error of the driver says.

use crate::{Failure, transport};
use tokio_postgres::Error;
use tokio_postgres::error::DbError;

/// What `error` means for a login.
pub(crate) fn of_login(error: &Error) -> Failure {
    match error.as_db_error() {
        // Nobody is let in from here, or in this way: the server hasn't looked at who it is.
        Some(told) if told.routine() == Some("ClientAuthentication") => {
            Failure::Refused(text(told))
        }
        Some(told) if told.code().code().starts_with("28") => Failure::Denied(text(told)),
        // After the password was found right: the database doesn't exist.
        Some(told) if told.code().code() == "3D000" => Failure::Invalid(text(told)),
        _ => of_statement(error),
    }
}

/// What `error` means for a statement.
pub(crate) fn of_statement(error: &Error) -> Failure {
    if let Some(told) = error.as_db_error() {
        let code = told.code().code();
        return if passes(code) {
            Failure::Unreachable(text(told))
        } else {
            Failure::Refused(text(told))
        };
    }
    if let Some(untrusted) = transport::untrusted(error) {
        return untrusted;
    }
    let told = chain(error);
    if told.contains("server does not support TLS") {
        let hint = "hint: turn TLS on there, or say \"ssl\": false in the secret";
        return Failure::Untrusted(format!("the server offers no TLS\n{hint}"));
    }
    Failure::Unreachable(told)
}

/// Whether it is about the server's state, and may be otherwise a moment later: connections, rollbacks that ask for
/// another try, resources, locks, an operator, the system, the server's own faults.
fn passes(code: &str) -> bool {
    let classes = ["08", "40", "53", "57", "58", "XX"];
    classes.iter().any(|it| code.starts_with(it)) || code == "55P03"
}

/// Whether somebody else changed the same thing at the same time, so that nothing was done, and may be at once.
pub(crate) fn collided(failure: &Failure) -> bool {
    let codes = ["(40001)", "(40P01)", "(XX000)"];
    matches!(failure, Failure::Unreachable(told) if codes.iter().any(|it| told.ends_with(it)))
}

/// Whether somebody else has made the same thing at the same time.
pub(crate) fn exists(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(told) if told.ends_with("(42710)") || told.ends_with("(23505)"))
}

/// Message and detail, which hold names, never a statement.
fn text(told: &DbError) -> String {
    let detail = told.detail().map(|it| format!(": {it}")).unwrap_or_default();
    format!("{}{detail} ({})", told.message(), told.code().code())
}

fn chain(error: &Error) -> String {
    let mut told = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        let more = error.to_string();
        if !told.ends_with(&more) {
            told = format!("{told}: {more}");
        }
        next = error.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::passes;

    #[test]
    fn what_passes_is_not_a_refusal() {
        for code in ["57P03", "57014", "55P03", "53300", "40001", "XX000", "08006"] {
            assert!(passes(code), "{code}");
        }
        for code in ["42501", "42704", "22023", "55006", "25006", "28P01"] {
            assert!(!passes(code), "{code}");
        }
    }
}
