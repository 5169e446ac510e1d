//! What an answer means for who asked.

use crate::Failure;
use tiberius::error::Error;

/// What is said of a statement that holds a password: servers quote what they don't understand.
const KEPT_BACK: &str = "(what it says may hold the statement, and so the password)";

/// Why there is no session. Source: SQL Server's manual, "Database Engine events and errors", and Azure SQL's
/// "Troubleshoot transient connection errors".
pub(super) fn of_login(error: &Error) -> Failure {
    let Error::Server(told) = error else { return lost(error) };
    let text = format!("error {}: {}", told.code(), told.message());
    match told.code() {
        // Wrong or unknown, disabled, locked, expired, to be changed.
        18456 | 18470 | 18486 | 18487 | 18488 => Failure::Denied(text),
        // After the password was found right: that database isn't there, or isn't this user's.
        4060 | 4064 | 18461 | 40532 => Failure::Refused(text),
        code if passes(code) => Failure::Unreachable(text),
        _ => Failure::Refused(text),
    }
}

/// Whether a login was refused only for the database that it wanted.
pub(super) fn is_about_database(told: &str) -> bool {
    told.starts_with("error 4060:") || told.starts_with("error 4064:")
}

/// Why a statement has no effect; of one that is `secret` the server's words are kept back.
pub(super) fn of_statement(error: &Error, secret: bool) -> Failure {
    let Error::Server(told) = error else { return lost(error) };
    let code = told.code();
    let text = match code {
        // These texts are the server's own, with names at most.
        _ if !secret => format!("error {code}: {}", told.message()),
        15_023 | 15_025 | 15_113..=15_118 | 15_151 | 15_211 | 15_247 | 33_033 => {
            format!("error {code}: {}", told.message())
        }
        code => format!("error {code} {KEPT_BACK}"),
    };
    if passes(code) { Failure::Unreachable(text) } else { Failure::Refused(text) }
}

/// Whether it is about the server's state, and may be otherwise a moment later.
fn passes(code: u32) -> bool {
    matches!(
        code,
        // Locks, memory, going down, being restored or upgraded; not the primary of its group.
        701 | 905 | 921 | 922 | 924 | 926 | 927 | 945 | 976 | 978 | 979 | 982 | 983 | 1204 | 1205
            | 1222 | 3960 | 6005 | 6107 | 8645 | 17142 | 17187..=17191 | 17197 | 17809 | 17810 | 17830
            | 18401 | 18451 | 18458..=18460
            // Azure: moved, paused, out of what was paid for.
            | 4221 | 10053 | 10054 | 10060 | 10928 | 10929 | 40143 | 40166 | 40197 | 40501 | 40540
            | 40544 | 40549 | 40550 | 40551 | 40552 | 40553 | 40613 | 42108 | 42109 | 49918..=49920
    )
}

/// The connection is of no more use.
fn lost(error: &Error) -> Failure {
    Failure::Unreachable(match error {
        // The text of another one may hold what couldn't be understood.
        Error::Io { kind, .. } => format!("the connection was lost: {kind}"),
        Error::Routing { host, port } => {
            format!("the server sends to `{host}:{port}`, name that as `host` and `port`")
        }
        _ => "the connection was lost: the answer can't be understood".to_owned(),
    })
}

/// The number of a server's refusal.
pub(super) fn code(error: &Error) -> Option<u32> {
    match error {
        Error::Server(told) => Some(told.code()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_no_denial() {
        for code in [1205, 1222, 40613, 49918, 18401, 983] {
            assert!(passes(code), "{code}");
        }
        for code in [18456, 18488, 4060, 15151, 102, 229] {
            assert!(!passes(code), "{code}");
        }
    }
}
