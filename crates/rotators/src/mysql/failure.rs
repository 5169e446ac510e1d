//! What an answer means for who asked.

use crate::Failure;
use mysql_async::{DriverError, Error, IoError, ServerError, TlsError};

/// What is said of a statement that holds a password: servers quote what they don't understand.
const KEPT_BACK: &str = "(what it says may hold the statement, and so the password)";

/// Why there is no session.
pub(super) fn of_login(error: &Error) -> Failure {
    match error {
        Error::Server(it) => match it.code {
            // Wrong, locked, expired, blocked after too many wrong ones.
            1045 | 1698 | 1862 | 3118 | 3955 | 4151 => Failure::Denied(told(it)),
            // Too many connections, of all or of this user; going down.
            1040 | 1053 | 1129 | 1203 | 1226 => Failure::Unreachable(told(it)),
            3159 => Failure::Untrusted(told(it)),
            _ => Failure::Refused(told(it)),
        },
        Error::Io(IoError::Tls(TlsError::Tls(it))) => untrusted(it),
        Error::Io(IoError::Io(it)) => match it.get_ref().and_then(|it| it.downcast_ref()) {
            Some(it) => untrusted(it),
            None => Failure::Unreachable(format!("no connection: {it}")),
        },
        Error::Io(IoError::Tls(it)) => Failure::Untrusted(format!("no TLS: {it}")),
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            Failure::Untrusted("the server offers no TLS".to_owned())
        }
        // A server has nobody of this name pretend to use some plugin, this one among them.
        Error::Driver(DriverError::UnknownAuthPlugin { name }) if name == "sha256_password" => {
            let told =
                "there is no such user, or it logs in by `sha256_password`, which isn't known here";
            Failure::Denied(told.to_owned())
        }
        Error::Driver(DriverError::UnknownAuthPlugin { name }) => {
            Failure::Refused(format!("the user logs in by `{name}`, which isn't known here"))
        }
        Error::Driver(
            it @ (DriverError::MysqlOldPasswordDisabled | DriverError::CleartextPluginDisabled),
        ) => Failure::Refused(it.to_string()),
        _ => Failure::Unreachable("the server speaks another protocol".to_owned()),
    }
}

fn untrusted(error: &rustls::Error) -> Failure {
    match error {
        rustls::Error::InvalidCertificate(it) => {
            Failure::Untrusted(format!("the server's certificate isn't believed: {it}"))
        }
        it => Failure::Untrusted(format!("no TLS: {it}")),
    }
}

/// Why a statement has no effect; of one that is `secret` the server's words are kept back.
pub(super) fn of_statement(error: &Error, secret: bool) -> Failure {
    let Error::Server(it) = error else {
        return Failure::Unreachable("the connection was lost".to_owned());
    };
    let text = match it.code {
        // These texts are the server's own, with names at most.
        _ if !secret => told(it),
        1044 | 1045 | 1133 | 1142 | 1227 | 1290 | 1396 | 1410 | 1819 | 3638 | 3891 | 3892
        | 3894 | 3895 => told(it),
        code => format!("error {code} ({}) {KEPT_BACK}", it.state),
    };
    match it.code {
        // Lost races, locks, going down: what was asked may be asked again.
        1053 | 1205 | 1213 | 1317 | 1836 | 1927 | 3024 | 3169 | 4031 => Failure::Unreachable(text),
        _ => Failure::Refused(text),
    }
}

fn told(error: &ServerError) -> String {
    format!("error {} ({}): {}", error.code, error.state, error.message)
}

/// The number of a server's refusal.
pub(super) fn code(error: &Error) -> Option<u16> {
    match error {
        Error::Server(it) => Some(it.code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16) -> Error {
        let message = "near 's3cret'".to_owned();
        Error::Server(ServerError { code, message, state: "42000".to_owned() })
    }

    #[test]
    fn only_what_is_said_of_the_password_is_a_denial() {
        type Expected = fn(String) -> Failure;
        #[rustfmt::skip]
        let cases: &[(u16, Expected)] = &[
            (1045, Failure::Denied), (3118, Failure::Denied), (1862, Failure::Denied),
            (1040, Failure::Unreachable), (1129, Failure::Unreachable),
            (1044, Failure::Refused), (1049, Failure::Refused), (1130, Failure::Refused),
            (3159, Failure::Untrusted),
        ];
        for (code, expected) in cases {
            let text = format!("error {code} (42000): near 's3cret'");
            assert_eq!(of_login(&server(*code)), expected(text), "{code}");
        }
    }

    #[test]
    fn a_statement_with_a_password_isnt_quoted() {
        for (code, secret, shown) in
            [(1064, true, false), (1064, false, true), (1105, true, false), (1227, true, true)]
        {
            let told = of_statement(&server(code), secret).to_string();
            assert_eq!(told.contains("s3cret"), shown, "{code}");
            assert!(told.contains(&code.to_string()));
        }
        assert!(matches!(of_statement(&server(1205), true), Failure::Unreachable(_)));
    }
}
