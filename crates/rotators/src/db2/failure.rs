//! What a server's refusals mean. Source: DRDA volume 3, `SECCHKCD`; Db2's manual, "SQL messages".

use super::ddm;
use super::reply::Outcome;
use crate::Failure;

/// What the code of a security check says of a login of `user`.
pub(super) fn of_seccheck(code: u8, user: &str) -> Result<(), Failure> {
    let told = |why: &str| format!("{why} (`{user}`, security check {code:#04x})");
    Err(match code {
        0x00 => return Ok(()),
        0x0E => Failure::Denied(told("the password has expired")),
        0x0F => Failure::Denied(told("the password is wrong")),
        0x13 => Failure::Denied(told("there is no such user")),
        0x14 => Failure::Denied(told("the user may not log in")),
        // It may work later.
        0x03 | 0x06 | 0x09 => Failure::Unreachable(told("logins can't be checked at the moment")),
        _ => Failure::Refused(told("the server refuses this way of logging in")),
    })
}

/// What a refusal means: a statement's end, or a message of this code point.
pub(super) fn of_reply(refusal: Result<Outcome, u16>) -> Failure {
    match refusal {
        Ok(outcome) => of_statement(&outcome),
        Err(ddm::RDBATHRM) => {
            Failure::Denied("the user may not connect to the database".to_owned())
        }
        Err(ddm::RDBNFNRM) => {
            Failure::Refused("the server has no such database\nhint: look at `dbname`".to_owned())
        }
        // Out of something, or about to end.
        Err(code @ (0x1232 | 0x1233 | 0x221A)) => {
            Failure::Unreachable(format!("the server can't now ({code:#06x})"))
        }
        Err(code) => Failure::Refused(format!("the server refuses what it is asked ({code:#06x})")),
    }
}

fn of_statement(it: &Outcome) -> Failure {
    let told = format!("SQL{} ({}): {}", it.code, it.state, it.message);
    let state = it.state.as_str();
    match it.code {
        // Name or password; no right to connect.
        -1403 | -30082 | -1060 => Failure::Denied(told),
        // Deadlocks, restarts, connections that are too many or were ended.
        -911 | -913 | -1015 | -1032 | -1035 | -1040 | -1224 | -1226 | -30080 | -30081 => {
            Failure::Unreachable(told)
        }
        // The same by class: connections, rollbacks, what is not available.
        _ if ["08", "40", "57"].iter().any(|it| state.starts_with(it)) => {
            Failure::Unreachable(told)
        }
        _ => Failure::Refused(told),
    }
}

/// The same before there is a session.
pub(super) fn of_login(failure: Failure) -> Failure {
    match failure {
        // Class 28: who that is isn't accepted.
        Failure::Refused(told) if told.contains(" (28") => Failure::Denied(told),
        failure => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_of_a_password_is_denied() {
        let kind = |failure: Failure| match failure {
            Failure::Denied(_) => "denied",
            Failure::Refused(_) => "refused",
            Failure::Unreachable(_) => "later",
            Failure::Invalid(_) | Failure::Untrusted(_) => "other",
        };
        for (code, expected) in [
            (0x0E, "denied"),
            (0x0F, "denied"),
            (0x13, "denied"),
            (0x14, "denied"),
            (0x01, "refused"),
            (0x09, "later"),
            (0x15, "refused"),
            (0xFF, "refused"),
        ] {
            assert_eq!(
                kind(of_seccheck(code, "app").expect_err("an error")),
                expected,
                "{code:#x}"
            );
        }
        assert_eq!(of_seccheck(0, "app"), Ok(()));
        let ended = |code| Ok(Outcome { code, state: "42501".to_owned(), message: String::new() });
        for (refusal, expected) in [
            (ended(-1403), "denied"),
            (ended(-30082), "denied"),
            (ended(-1060), "denied"),
            (ended(-551), "refused"),
            (ended(-911), "later"),
            (ended(-1224), "later"),
            (ended(-30081), "later"),
            (Err(ddm::RDBATHRM), "denied"),
            (Err(ddm::RDBNFNRM), "refused"),
            (Err(0x124C), "refused"),
            (Err(0x1233), "later"),
        ] {
            assert_eq!(kind(of_reply(refusal.clone())), expected, "{refusal:?}");
        }
        let rolled = Outcome { code: -20_001, state: "40001".to_owned(), message: String::new() };
        assert_eq!(kind(of_reply(Ok(rolled))), "later");
        let told = |it: &str| kind(of_login(Failure::Refused(it.to_owned())));
        assert_eq!((told("SQL-1 (28000): x"), told("SQL-1 (42501): x")), ("denied", "refused"));
    }
}
