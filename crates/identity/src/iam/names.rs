//! The model's constraints for names, paths and documents.
//!
//! Source: IAM API Reference, version 2010-05-08.

use wire::Violations;
use wire::members::{List, SecretText, Text};

/// A name that must be given, of at most `longest` characters.
pub(crate) fn required(found: &mut Violations, path: &str, it: Option<&Text>, longest: usize) {
    found.required(path, it);
    optional(found, path, it, longest);
}

/// A name that may be left out.
pub(crate) fn optional(found: &mut Violations, path: &str, it: Option<&Text>, longest: usize) {
    found.length(path, it, 1..=longest);
    found.pattern(path, it, r"[\w+=,.@-]+", |it| it.bytes().all(is_of_name));
}

/// The serial number of a device that must be given.
pub(crate) fn serial(found: &mut Violations, it: Option<&Text>) {
    found.required("serialNumber", it);
    found.length("serialNumber", it, 9..=256);
    let fits = |it: u8| is_of_name(it) || matches!(it, b'/' | b':');
    found.pattern("serialNumber", it, r"[\w+=/:,.@-]+", |it| it.bytes().all(fits));
}

/// A code of a device that must be given. It is never printed.
pub(crate) fn code(found: &mut Violations, path: &str, it: Option<&SecretText>) {
    found.required(path, it);
    found.secret(path, it, 6..=6);
    found.secret_pattern(path, it, r"[\d]+", |it| it.iter().all(u8::is_ascii_digit));
}

/// A password. It is never printed.
pub(crate) fn password(found: &mut Violations, path: &str, it: Option<&SecretText>) {
    found.secret(path, it, 1..=128);
    let holds = |it: &[u8]| str::from_utf8(it).is_ok_and(|it| it.chars().all(is_of_password));
    found.secret_pattern(path, it, r"[\u0009\u000A\u000D\u0020-\u00FF]+", holds);
}

/// The path of a user, a group or a role: `/` or `/a/`.
pub(crate) fn path(found: &mut Violations, path: &str, it: Option<&Text>) {
    found.length(path, it, 1..=512);
    let holds = |it: &str| {
        let whole = it.starts_with('/') && it.ends_with('/') && it != "//";
        whole && it.bytes().all(|it| it.is_ascii_graphic())
    };
    found.pattern(path, it, r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", holds);
}

/// What the paths of a list begin with.
pub(crate) fn prefix(found: &mut Violations, it: Option<&Text>) {
    found.length("pathPrefix", it, 1..=512);
    let holds = |it: &str| it.starts_with('/') && it.bytes().all(|it| matches!(it, 0x21..=0x7f));
    found.pattern("pathPrefix", it, r"\u002F[\u0021-\u007F]*", holds);
}

/// The path of a managed policy, or what such paths begin with.
pub(crate) fn policy_path(found: &mut Violations, path: &str, it: Option<&Text>) {
    found.length(path, it, 1..=512);
    let fits = |it: u8| it.is_ascii_alphanumeric() || b".,+@=_-/".contains(&it);
    let holds = |it: &str| {
        let whole = it.starts_with('/') && it.ends_with('/') && !it.contains("//");
        whole && it.bytes().all(fits)
    };
    found.pattern(path, it, r"((/[A-Za-z0-9\.,\+@=_-]+)*)/", holds);
}

/// An ARN that must be given.
pub(crate) fn arn(found: &mut Violations, path: &str, it: Option<&Text>) {
    found.required(path, it);
    found.length(path, it, 20..=2048);
}

/// Names of services that must be given: `secretsmanager`.
pub(crate) fn namespaces(found: &mut Violations, it: Option<&List<Text>>) {
    found.required("serviceNamespaces", it);
    found.count("serviceNamespaces", it, 1..=200, |it| it.as_str().to_owned());
    found.each("serviceNamespaces", it, 1..=64);
    for one in it.map_or(&[][..], List::as_slice) {
        namespace(found, Some(one));
    }
}

/// The id of a report that must be given.
pub(crate) fn job(found: &mut Violations, it: Option<&Text>) {
    found.required("jobId", it);
    found.length("jobId", it, 36..=36);
}

/// The name of a service.
pub(crate) fn namespace(found: &mut Violations, it: Option<&Text>) {
    let fits = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-');
    found.pattern("serviceNamespace", it, r"[\w-]*", |it| it.bytes().all(fits));
}

/// A policy document that must be given.
pub(crate) fn document(found: &mut Violations, path: &str, it: Option<&Text>) {
    found.required(path, it);
    found.length(path, it, 1..=131_072);
    found.pattern(path, it, &format!("{LATIN}+"), |it| it.chars().all(is_latin));
}

/// What a role is for.
pub(crate) fn description(found: &mut Violations, it: Option<&Text>) {
    found.length("description", it, 0..=1000);
    found.pattern("description", it, &format!("{LATIN}*"), |it| it.chars().all(is_latin));
}

/// The number of a policy's version that must be given: `v1`.
pub(crate) fn version(found: &mut Violations, it: Option<&Text>) {
    found.required("versionId", it);
    let holds = |it: &str| {
        let Some(number) = it.strip_prefix('v') else { return false };
        let (number, rest) = number.split_once('.').unwrap_or((number, ""));
        let digits = number.bytes().all(|it| it.is_ascii_digit());
        let rest = rest.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        digits && rest && !number.is_empty() && !number.starts_with('0')
    };
    found.pattern("versionId", it, r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?", holds);
}

/// Whether `name` can be the name of anything.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(is_of_name)
}

const LATIN: &str = r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]";

fn is_latin(it: char) -> bool {
    matches!(it, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}')
}

fn is_of_password(it: char) -> bool {
    matches!(it, '\t' | '\n' | '\r' | ' '..='\u{ff}')
}

fn is_of_name(it: u8) -> bool {
    it.is_ascii_alphanumeric() || b"_+=,.@-".contains(&it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(check: impl Fn(&mut Violations, Option<&Text>), text: &str) -> bool {
        let mut found = Violations::default();
        check(&mut found, Some(&Text::from(text)));
        found.message().is_none()
    }

    #[test]
    fn what_fits_the_models_patterns() {
        for (text, is_path, is_prefix, is_policy_path) in [
            ("/", true, true, true),
            ("/a/b/", true, true, true),
            ("/a!/", true, true, false),
            ("//", false, true, false),
            ("/a", false, true, false),
            ("a/", false, false, false),
            ("/ä/", false, false, false),
            ("", false, false, false),
        ] {
            assert_eq!(fits(|found, it| path(found, "path", it), text), is_path, "{text}");
            assert_eq!(fits(prefix, text), is_prefix, "{text}");
            let policy = fits(|found, it| policy_path(found, "path", it), text);
            assert_eq!(policy, is_policy_path, "{text}");
        }
        for (text, expected) in
            [("v1", true), ("v10.a-", true), ("v0", false), ("v", false), ("1", false)]
        {
            assert_eq!(fits(version, text), expected, "{text}");
        }
    }
}
