//! What an answer means for who asked. Source: Oracle Database error messages.

use crate::Failure;
use oracledb::{Error, ErrorKind};

/// What is said of a statement that holds a password: rules that people write may quote it.
const KEPT_BACK: &str = "(what it says may hold the password)";

/// The password was right, but its user may not begin a session.
pub(super) const NO_SESSION: usize = 1045;

/// Why there is no session.
pub(super) fn of_login(error: &Error) -> Failure {
    let Some((code, text)) = said(error) else { return lost(error) };
    of_login_code(code, text)
}

fn of_login_code(code: usize, text: String) -> Failure {
    match code {
        // Wrong, none given, locked, expired.
        1017 | 1005 | 28_000 | 28_001 => Failure::Denied(text),
        _ if passes(code) => Failure::Unreachable(text),
        _ => Failure::Refused(text),
    }
}

/// Why a statement has no effect; of one that is `secret` the server's words are kept back.
pub(super) fn of_statement(error: &Error, secret: bool) -> Failure {
    let Some((code, text)) = said(error) else { return lost(error) };
    of_statement_code(code, text, secret)
}

fn of_statement_code(code: usize, text: String, secret: bool) -> Failure {
    let text = match code {
        _ if !secret => text,
        // These texts are the server's own, with names at most.
        1031 | 1918 | 1920 | 1921 | 28_007 | 28_008 | 28_221 | 65_096 => text,
        code => format!("ORA-{code:05} {KEPT_BACK}"),
    };
    if passes(code) { Failure::Unreachable(text) } else { Failure::Refused(text) }
}

/// Whether it is about the server's state, and may be otherwise a moment later.
fn passes(code: usize) -> bool {
    matches!(
        code,
        // Sessions, locks, the archive, starting and going down, lost, and what listeners say.
        18 | 20 | 54 | 60 | 257 | 1012 | 1033 | 1034 | 1089 | 1090 | 1109 | 1219 | 2391 | 3113 | 3114
            | 3135 | 4020 | 4021 | 12_170 | 12_505 | 12_514 | 12_516 | 12_518..=12_520 | 12_526..=12_528
            | 12_537 | 12_541 | 12_543 | 12_545 | 12_547 | 12_570 | 12_571 | 16_456 | 25_408 | 30_006
    )
}

/// The connection is of no more use.
fn lost(error: &Error) -> Failure {
    Failure::Unreachable(match error.kind() {
        ErrorKind::InvalidServiceName(..) | ErrorKind::InvalidSid(..) => {
            "the listener knows no such database now (ORA-12514, ORA-12505)".to_owned()
        }
        ErrorKind::ListenerRefusedConnection(_, _, _, code) => {
            format!("the listener refuses (ORA-{code:05})")
        }
        ErrorKind::CallTimeoutExceeded => "the server hasn't answered in time".to_owned(),
        // The text of another one may hold what couldn't be understood.
        _ => "the connection was lost".to_owned(),
    })
}

/// Whether a listener knows no service of this name: it may be an instance's.
pub(super) fn is_no_service(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidServiceName(..))
}

/// The number of a server's refusal, and its words.
pub(super) fn said(error: &Error) -> Option<(usize, String)> {
    match error.kind() {
        ErrorKind::DbError(told) => Some((told.code(), told.message().trim_end().to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_of_the_password_is_a_denial() {
        type Expected = fn(String) -> Failure;
        #[rustfmt::skip]
        let cases: &[(usize, Expected)] = &[
            (1017, Failure::Denied), (28_000, Failure::Denied), (28_001, Failure::Denied),
            (1045, Failure::Refused), (28_040, Failure::Refused),
            (1034, Failure::Unreachable), (12_541, Failure::Unreachable), (12_514, Failure::Unreachable), (20, Failure::Unreachable),
        ];
        for (code, expected) in cases {
            let text = || format!("ORA-{code:05}");
            assert_eq!(of_login_code(*code, text()), expected(text()), "{code}");
        }
    }

    #[test]
    fn a_rules_words_are_kept_back() {
        for (code, secret, shown) in
            [(28_003, true, false), (28_003, false, true), (28_221, true, true), (922, true, false)]
        {
            let told = of_statement_code(code, "near s3cret".to_owned(), secret).to_string();
            assert_eq!(told.contains("s3cret"), shown, "{code}");
        }
        assert!(matches!(of_statement_code(54, String::new(), true), Failure::Unreachable(_)));
    }
}
