//! The model's constraints that several operations share.

use super::Error;
use super::second_factor::Shown;
use service::{Caller, Kind};
use std::ops::RangeInclusive;
use wire::Violations;
use wire::members::{Integer, Text};

/// How long a session of a role may last, in seconds.
pub(super) const OF_ROLE: RangeInclusive<i64> = 900..=43_200;
/// How long a session of a user may last, in seconds.
pub(super) const OF_USER: RangeInclusive<i64> = 900..=129_600;
/// What a session of a user lasts unless said otherwise, in seconds.
pub(super) const OF_USER_BY_DEFAULT: u64 = 43_200;
/// How long a session of the root user, or one begun by a session, may last, in seconds.
pub(super) const HOUR: u64 = 3600;

/// An ARN.
pub(super) fn arn(found: &mut Violations, path: &str, it: Option<&Text>) {
    found.length(path, it, 20..=2048);
    found.pattern(path, it, ARN, |it| it.chars().all(is_of_arn));
}

/// The name of a session, a federated user or whoever is behind one.
pub(super) fn name(found: &mut Violations, path: &str, it: Option<&Text>, longest: usize) {
    found.length(path, it, 2..=longest);
    found.pattern(path, it, r"[\w+=,.@-]*", |it| is_made_of(it, b"+=,.@-"));
}

/// What a caller was told to say, so that nobody else uses it as a deputy.
pub(super) fn external_id(found: &mut Violations, it: Option<&Text>) {
    found.length("externalId", it, 2..=1224);
    found.pattern("externalId", it, r"[\w+=,.@:\/-]*", |it| is_made_of(it, b"+=,.@:/-"));
}

/// A second factor. Its code is never printed.
pub(super) fn second_factor(found: &mut Violations, shown: Shown<'_>) {
    let Shown { serial, code } = shown;
    found.length("serialNumber", serial, 9..=256);
    let holds = |it: &str| is_made_of(it, b"+=/:,.@-");
    found.pattern("serialNumber", serial, r"[\w+=/:,.@-]*", holds);
    found.secret("tokenCode", code, 6..=6);
    found.secret_pattern("tokenCode", code, r"[\d]*", |it| it.iter().all(u8::is_ascii_digit));
}

/// The least length of a token.
pub(super) fn token_size(found: &mut Violations, it: Option<Integer>) {
    found.range("minimumSessionTokenSize", it, 0..=4096);
}

/// How long a session that `caller` begins for itself, or for a federated user, lasts, in seconds. Those of
/// the root user are cut to an hour.
pub(super) fn lifetime_of_user(caller: &Caller, asked: Option<Integer>) -> u64 {
    let asked = number(asked).unwrap_or(OF_USER_BY_DEFAULT);
    if caller.kind == Kind::Root { asked.min(HOUR) } else { asked }
}

/// How long a session of a role lasts, in seconds, if the role lets it.
///
/// # Errors
///
/// It may not last so long.
pub(super) fn lifetime_of_role(
    longest: u32,
    chained: bool,
    asked: Option<Integer>,
) -> Result<u64, Error> {
    let asked = number(asked).unwrap_or(HOUR);
    if chained && asked > HOUR {
        return Err(Error::Invalid(CHAINED.to_owned()));
    }
    if asked > u64::from(longest) {
        return Err(Error::Invalid(LONGEST.to_owned()));
    }
    Ok(asked)
}

const CHAINED: &str = "The requested DurationSeconds exceeds the 1 hour session limit for roles \
                       assumed by role chaining.";
const LONGEST: &str =
    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";

/// A number that keeps to a range from 0 on, which the constraints have checked.
pub(super) fn number(it: Option<Integer>) -> Option<u64> {
    it.and_then(|it| u64::try_from(it.get()).ok())
}

/// Whether `text` holds only letters, digits, `_` and `others`.
pub(super) fn is_made_of(text: &str, others: &[u8]) -> bool {
    text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_' || others.contains(&it))
}

const ARN: &str =
    r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+";

fn is_of_arn(it: char) -> bool {
    matches!(it, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}
