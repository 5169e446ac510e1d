//! The model's constraints that several operations share.

use crate::kept::is_id;
use crate::rows::{Crl, Profile, Subject, TrustAnchor};
use std::ops::RangeInclusive;
use wire::Violations;
use wire::members::{List, Text};

/// How long a session may last, in seconds.
pub(crate) const DURATION: RangeInclusive<i64> = 900..=43_200;
/// The bytes of a revocation list.
pub(crate) const CRL: RangeInclusive<usize> = 1..=300_000;
/// The characters of a bundle.
pub(crate) const BUNDLE: RangeInclusive<usize> = 1..=204_800;

/// A kind of resource that operations name by id or ARN.
pub(crate) trait Identified {
    /// The member that names it.
    const ID: &'static str;
    /// What an ARN says before the id.
    const INFIX: &'static str;
    /// The model's pattern.
    const PATTERN: &'static str;
}

impl Identified for TrustAnchor {
    const ID: &'static str = "trustAnchorId";
    const INFIX: &'static str = ":trust-anchor/";
    const PATTERN: &'static str = r"([a-f0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}|arn:aws(-[^:]+)?:rolesanywhere(:.*){2}:(trust-anchor|alias/trust-anchor)/.*)";
}

impl Identified for Profile {
    const ID: &'static str = "profileId";
    const INFIX: &'static str = ":profile/";
    const PATTERN: &'static str = r"([a-f0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}|arn:aws(-[^:]+)?:rolesanywhere(:.*){2}:(profile|alias/profile)/.*)";
}

impl Identified for Crl {
    const ID: &'static str = "crlId";
    const INFIX: &'static str = ":crl/";
    const PATTERN: &'static str = r"([a-f0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}|arn:aws(-[^:]+)?:rolesanywhere(:.*){2}:(crl|alias/crl)/.*)";
}

impl Identified for Subject {
    const ID: &'static str = "subjectId";
    const INFIX: &'static str = ":subject/";
    const PATTERN: &'static str = ".*[a-f0-9]{8}-([a-z0-9]{4}-){3}[a-z0-9]{12}.*";
}

/// What names a resource.
pub(crate) fn identifier<T: Identified>(found: &mut Violations, given: Option<&Text>) {
    found.required(T::ID, given);
    found.length(T::ID, given, 1..=1011);
    let holds = |it: &str| is_id(it) || is_arn(it, T::INFIX);
    found.pattern(T::ID, given, T::PATTERN, holds);
}

/// The ARN of a trust anchor, under the name `path`.
pub(crate) fn anchor_arn(found: &mut Violations, path: &str, given: Option<&Text>) {
    found.required(path, given);
    found.length(path, given, 1..=1011);
    let pattern = "arn:aws(-[^:]+)?:rolesanywhere(:.*){2}(:trust-anchor.*|:alias/trust-anchor/.*)";
    found.pattern(path, given, pattern, |it| is_arn(it, ":trust-anchor"));
}

/// The name of a resource, if it is given.
pub(crate) fn name(found: &mut Violations, given: Option<&Text>) {
    found.length("name", given, 1..=255);
    let holds = |it: u8| it.is_ascii_alphanumeric() || b" -_".contains(&it);
    found.pattern("name", given, "[ a-zA-Z0-9-_]*", |it| it.bytes().all(holds));
}

/// ARNs of roles.
pub(crate) fn role_arns(found: &mut Violations, given: Option<&List<Text>>) {
    found.count("roleArns", given, 0..=250, |it| it.as_str().to_owned());
    found.each("roleArns", given, 1..=1011);
    for (index, arn) in given.map_or(&[][..], List::as_slice).iter().take(250).enumerate() {
        let path = format!("roleArns.{}.member", index + 1);
        let pattern = "arn:aws(-[^:]+)?:iam(:.*){2}(:role.*)";
        let holds = |it: &str| it.starts_with("arn:aws") && it.contains(":role");
        found.pattern(&path, Some(arn), pattern, holds);
    }
}

/// ARNs of managed policies.
pub(crate) fn managed_policy_arns(found: &mut Violations, given: Option<&List<Text>>) {
    found.count("managedPolicyArns", given, 0..=50, |it| it.as_str().to_owned());
    found.each("managedPolicyArns", given, 1..=200);
}

/// What asks for a page.
pub(crate) fn page(found: &mut Violations, token: Option<&Text>) {
    found.length("nextToken", token, 1..=10_000);
}

/// The ARN of something that has tags.
pub(crate) fn resource_arn(found: &mut Violations, given: Option<&Text>) {
    found.required("resourceArn", given);
    found.length("resourceArn", given, 1..=1011);
}

fn is_arn(text: &str, infix: &str) -> bool {
    text.starts_with("arn:aws") && text.contains(":rolesanywhere:") && text.contains(infix)
}
