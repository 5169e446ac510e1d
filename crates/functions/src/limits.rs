//! The model's limits, and how members of several operations are held to them.
//!
//! Source: Lambda API Reference; Developer Guide, "Lambda quotas".

use crate::names::{LATEST, is_letter};
use wire::Violations;
use wire::members::{Integer, List, Text};

/// Bytes of a package, as it is uploaded. Source: "Lambda quotas".
pub(crate) const PACKAGE: usize = 50 << 20;
/// Bytes of a request with such a package, as AWS has it.
pub(crate) const PACKAGE_BODY: usize = 70_167_211;
/// Bytes of an invocation's payload.
pub(crate) const PAYLOAD: usize = 6 << 20;
/// Bytes of an event's payload.
pub(crate) const EVENT: usize = 1 << 20;
/// Bytes of all environment variables.
pub(crate) const ENVIRONMENT: usize = 4096;
/// Bytes of a function's policy.
pub(crate) const POLICY: usize = 20_480;

const FUNCTION_NAME: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";

/// The name of a function, which must be given.
pub(crate) fn function(found: &mut Violations, given: Option<&Text>) {
    found.required("functionName", given);
    found.length("functionName", given, 1..=140);
    let of_name = |it: u8| is_letter(it) || b":$".contains(&it);
    found.pattern("functionName", given, FUNCTION_NAME, |it| it.bytes().all(of_name));
}

/// A version or alias.
pub(crate) fn qualifier(found: &mut Violations, given: Option<&Text>) {
    found.length("qualifier", given, 1..=128);
    let pattern = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+";
    let holds = |it: &str| it == LATEST || it.bytes().all(|it| is_letter(it) || it == b'$');
    found.pattern("qualifier", given, pattern, holds);
}

/// A role's ARN.
pub(crate) fn role(found: &mut Violations, given: Option<&Text>) {
    let pattern = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";
    found.pattern("role", given, pattern, |it| it.starts_with("arn:") && it.contains(":role"));
}

/// Handler, description, timeout and memory, where they are given.
pub(crate) fn settings(
    found: &mut Violations,
    (handler, description): (Option<&Text>, Option<&Text>),
    (timeout, memory): (Option<Integer>, Option<Integer>),
) {
    found.length("handler", handler, 0..=128);
    let unspaced = |it: &str| !it.contains(char::is_whitespace);
    found.pattern("handler", handler, r"[^\s]+", |it| !it.is_empty() && unspaced(it));
    found.length("description", description, 0..=256);
    found.range("timeout", timeout, 1..=900);
    found.range("memorySize", memory, 128..=10_240);
}

/// The one processor that a function is for.
pub(crate) fn architectures(found: &mut Violations, given: Option<&List<Text>>) {
    found.count("architectures", given, 1..=1, |it| it.as_str().to_owned());
    let first = given.and_then(|it| it.as_slice().first());
    found.one_of("architectures.1.member", first, &["x86_64", "arm64"]);
}

/// How many, of a list.
pub(crate) fn page(found: &mut Violations, items: Option<Integer>) {
    found.range("maxItems", items, 1..=10_000);
}

/// The ARN of something that has tags.
pub(crate) fn resource(found: &mut Violations, given: Option<&Text>) {
    found.required("resource", given);
    found.length("resource", given, 1..=10_000);
    let pattern = r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|(capacity-provider|network-connector):[a-zA-Z0-9-_]{1,64})";
    found.pattern("resource", given, pattern, |it| it.starts_with("arn:aws"));
}
