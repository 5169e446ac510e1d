//! What an answer means for who asked.

use crate::Failure;
use bson::{RawBsonRef, RawDocument};

/// Why the server did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) code: i32,
    /// The code's name, if it was told.
    name: String,
    text: String,
}

/// There is no such user.
pub(super) const USER_NOT_FOUND: i32 = 11;
/// A right is missing.
pub(super) const UNAUTHORIZED: i32 = 13;
/// A password is wrong.
const AUTHENTICATION_FAILED: i32 = 18;
/// The mechanism isn't enabled.
pub(super) const MECHANISM_UNAVAILABLE: i32 = 334;

/// What `reply` says against what was asked; `None` if it was done.
pub(super) fn said(reply: &RawDocument) -> Option<Said> {
    if reply.get("ok").ok().flatten().and_then(number) == Some(1) {
        // It is done here, but may be forgotten if this member of a replica set fails.
        let concern = reply.get_document("writeConcernError").ok()?;
        return Some(of(concern, 64));
    }
    Some(of(reply, 0))
}

fn of(told: &RawDocument, usual: i32) -> Said {
    let text = |key: &str| told.get_str(key).map(bounded).unwrap_or_default();
    let code = told.get("code").ok().flatten().and_then(number).unwrap_or(usual);
    Said { code, name: text("codeName"), text: text("errmsg") }
}

/// What fits into a line.
fn bounded(text: &str) -> String {
    text.chars().take(300).map(|it| if it.is_control() { ' ' } else { it }).collect()
}

/// A whole number, however it was written.
pub(super) fn number(value: RawBsonRef<'_>) -> Option<i32> {
    match value {
        RawBsonRef::Int32(it) => Some(it),
        RawBsonRef::Int64(it) => i32::try_from(it).ok(),
        RawBsonRef::Boolean(it) => Some(i32::from(it)),
        #[expect(clippy::cast_possible_truncation, reason = "what isn't whole is left out")]
        RawBsonRef::Double(it) if it.fract().abs() < f64::EPSILON => Some(it as i32),
        _ => None,
    }
}

impl Said {
    /// Whether a user of this name was made meanwhile.
    pub(super) fn is_duplicate(&self) -> bool {
        matches!(self.code, 11000 | 51003) || self.text.contains("already exists")
    }

    /// Why there is no session.
    pub(super) fn of_login(&self) -> Failure {
        match self.code {
            AUTHENTICATION_FAILED | USER_NOT_FOUND => Failure::Denied(self.told()),
            _ => self.of_command(),
        }
    }

    /// Why a command has no effect.
    pub(super) fn of_command(&self) -> Failure {
        self.meaning(self.told())
    }

    /// The same of a command that holds a password: servers quote what they don't understand or permit.
    pub(super) fn of_secret(&self) -> Failure {
        let Self { code, name, .. } = self;
        self.meaning(match *code {
            USER_NOT_FOUND => self.told(),
            UNAUTHORIZED => "error 13 (Unauthorized): the right to do this is missing".to_owned(),
            _ => format!("error {code} ({name}; what it says may hold a password)"),
        })
    }

    fn meaning(&self, told: String) -> Failure {
        match self.code {
            // No way there, locks, too slow, going down, another member is the primary: it may be asked again.
            6 | 7 | 24 | 46 | 50 | 64 | 89 | 91 | 112 | 189 | 262 | 9001 | 11600 | 11602 => {
                Failure::Unreachable(told)
            }
            10058 | 10107 | 13435 | 13436 => Failure::Unreachable(format!(
                "{told}: the server is not the primary of its replica set\n\
                 hint: name the primary, or the cluster's own endpoint, as `host`"
            )),
            _ => Failure::Refused(told),
        }
    }

    fn told(&self) -> String {
        format!("error {} ({}): {}", self.code, self.name, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::rawdoc;

    #[test]
    fn only_what_is_said_of_the_password_is_a_denial() {
        type Expected = fn(String) -> Failure;
        #[rustfmt::skip]
        let cases: &[(i32, Expected)] = &[
            (18, Failure::Denied), (11, Failure::Denied),
            (13, Failure::Refused), (2, Failure::Refused), (334, Failure::Refused), (0, Failure::Refused),
            (91, Failure::Unreachable), (11600, Failure::Unreachable), (46, Failure::Unreachable),
        ];
        for (code, expected) in cases {
            let told = said(&rawdoc! { "ok": 0, "code": *code, "codeName": "N", "errmsg": "why" });
            let text = format!("error {code} (N): why");
            assert_eq!(told.expect("a refusal").of_login(), expected(text), "{code}");
        }
        let secondary = said(&rawdoc! { "ok": 0.0, "code": 10107, "errmsg": "not master" });
        let failure = secondary.expect("a refusal").of_command();
        assert!(matches!(&failure, Failure::Unreachable(told) if told.contains("hint: ")));
    }

    #[test]
    fn done_is_done_however_it_is_written() {
        for done in [rawdoc! { "ok": 1 }, rawdoc! { "ok": 1.0 }, rawdoc! { "ok": 1_i64 }] {
            assert_eq!(said(&done), None);
        }
        for not in [rawdoc! {}, rawdoc! { "ok": 1.5 }, rawdoc! { "ok": "1" }, rawdoc! { "ok": 0 }] {
            assert!(said(&not).is_some(), "{not:?}");
        }
        let concern = rawdoc! { "ok": 1, "writeConcernError": { "errmsg": "waiting" } };
        let failure = said(&concern).expect("not done everywhere").of_secret();
        assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
    }

    #[test]
    fn a_command_with_a_password_isnt_quoted() {
        for (code, shown) in [(13, false), (9, false), (0, false), (18, true)] {
            let told = rawdoc! { "ok": 0, "code": code, "errmsg": "near { pwd: \"s3cret\" }" };
            let told = said(&told).expect("a refusal");
            assert!(!told.of_secret().to_string().contains("s3cret"), "{code}");
            assert!(told.of_secret().to_string().contains(&code.to_string()));
            assert_eq!(told.of_login().to_string().contains("s3cret"), shown || code != 18);
        }
    }
}
