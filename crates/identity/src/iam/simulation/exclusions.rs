//! Policies that a simulation leaves out, as if they weren't attached.
//!
//! Source: IAM API Reference, "PolicyIdentifier".

use super::invalid;
use crate::aws_managed;
use crate::iam::{Error, names};
use service::input;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which policies: one of the three.
    pub struct Excluded {
        policy_type: Text,
        policy_arn: Text,
        inline_policy_identifier: Inline,
    }
}

input! {
    /// An inline policy, and with whom.
    pub struct Inline {
        policy_name: Text,
        attachment_type: Text,
        attachment_name: Text,
    }
}

const TYPES: [&str; 6] =
    ["inline", "aws-managed", "user-managed", "permission-boundary", "scp", "rcp"];

/// The model's constraints.
pub(super) fn constraints(found: &mut Violations, excluded: Option<&List<Excluded>>) {
    found.count("policyExclusionList", excluded, 0..=256, |_| "PolicyIdentifier".to_owned());
    for (index, it) in excluded.map_or(&[][..], List::as_slice).iter().take(256).enumerate() {
        let path = |name: &str| format!("policyExclusionList.{}.member.{name}", index + 1);
        found.one_of(&path("policyType"), it.policy_type.as_ref(), &TYPES);
        found.length(&path("policyArn"), it.policy_arn.as_ref(), 20..=2048);
        let Some(inline) = &it.inline_policy_identifier else { continue };
        let path = |name: &str| path(&format!("inlinePolicyIdentifier.{name}"));
        names::required(found, &path("policyName"), inline.policy_name.as_ref(), 128);
        found.required(&path("attachmentType"), inline.attachment_type.as_ref());
        let kinds = ["user", "group", "role"];
        found.one_of(&path("attachmentType"), inline.attachment_type.as_ref(), &kinds);
        found.required(&path("attachmentName"), inline.attachment_name.as_ref());
        found.length(&path("attachmentName"), inline.attachment_name.as_ref(), 1..=128);
    }
}

/// That every identifier is one thing, with wildcards only where they may stand.
pub(super) fn check(excluded: &[Excluded]) -> Result<(), Error> {
    for it in excluded {
        let given = [it.policy_type.is_some(), it.policy_arn.is_some()];
        let given = given.into_iter().chain([it.inline_policy_identifier.is_some()]);
        if given.filter(|it| *it).count() != 1 {
            return Err(invalid("A policy identifier must have exactly one member."));
        }
        let text = |it: &Option<Text>| it.as_ref().map_or("", Text::as_str).to_owned();
        if let Some(arn) = &it.policy_arn {
            let arn = arn.as_str();
            let parts = arn.strip_prefix("arn:aws:iam::").and_then(|it| it.split_once(":policy/"));
            let fits = parts.is_some_and(|(account, name)| {
                !account.contains(['*', '?', ':']) && name.matches('*').count() < 2
            });
            if !fits {
                return Err(invalid(format!("Invalid policy identifier: {arn}")));
            }
        }
        let owner = it.inline_policy_identifier.as_ref().map(|it| text(&it.attachment_name));
        if let Some(owner) = owner.filter(|it| it.matches('*').count() > 1) {
            return Err(invalid(format!("Invalid policy identifier: {owner}")));
        }
    }
    Ok(())
}

impl Excluded {
    fn is_type(&self, name: &str) -> bool {
        self.policy_type.as_ref().is_some_and(|it| it.as_str() == name)
    }

    /// Whether it means the permissions boundary.
    pub(super) fn covers_boundary(&self) -> bool {
        self.is_type("permission-boundary")
    }

    /// Whether it means the managed policy `arn`.
    pub(super) fn covers_managed(&self, arn: &str) -> bool {
        let aws = arn.starts_with(aws_managed::PREFIX);
        let by_name = self.policy_arn.as_ref().is_some_and(|it| is_like(it.as_str(), arn));
        by_name || self.is_type(if aws { "aws-managed" } else { "user-managed" })
    }

    /// Whether it means the inline policy `name` of the user, group or role `owner`.
    pub(super) fn covers_inline(&self, name: &str, (kind, owner): (&str, &str)) -> bool {
        let is = |it: &Option<Text>, text: &str| it.as_ref().is_some_and(|it| it.as_str() == text);
        let named = self.inline_policy_identifier.as_ref().is_some_and(|it| {
            let whose = it.attachment_name.as_ref().is_some_and(|it| is_like(it.as_str(), owner));
            is(&it.policy_name, name) && is(&it.attachment_type, kind) && whose
        });
        named || self.is_type("inline")
    }
}

/// Whether `text` is like `pattern`, in which one `*` is any run and each `?` one character.
fn is_like(pattern: &str, text: &str) -> bool {
    let same = |pattern: &str, text: &str| {
        let mut pairs = pattern.bytes().zip(text.bytes());
        pattern.len() == text.len() && pairs.all(|(like, it)| like == b'?' || like == it)
    };
    let Some((head, tail)) = pattern.split_once('*') else { return same(pattern, text) };
    let (Some(start), Some(rest)) = (text.get(..head.len()), text.get(head.len()..)) else {
        return false;
    };
    let end = rest.len().checked_sub(tail.len()).and_then(|it| rest.get(it..));
    same(head, start) && end.is_some_and(|it| same(tail, it))
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_run_and_single_characters() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a?", "ab", true),
            ("a*", "a", true),
            ("a*c?", "abbcd", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("*b", "ab", true),
            ("ä*", "a", false),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }
}
