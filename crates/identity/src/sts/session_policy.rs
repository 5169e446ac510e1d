//! Policies that a call hands over, so that its session may do less than its principal.

use super::{Error, limits};
use crate::access;
use base::AccountId;
use policy::engine::{Grammar, Policy};
use serde::{Deserialize, Serialize};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

/// A managed policy as a call names it. Its one member is written in lower case, unlike all others.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct PolicyDescriptor {
    #[serde(default)]
    arn: Option<Text>,
}

/// The most managed policies of one session.
const MOST: usize = 10;

/// The model's constraints for policies.
pub(super) fn constraints(
    found: &mut Violations,
    (text, longest): (Option<&Text>, usize),
    arns: Option<&List<PolicyDescriptor>>,
) {
    found.length("policy", text, 1..=longest);
    let holds = |it: &str| it.chars().all(|it| matches!(it, '\t' | '\n' | '\r' | ' '..='\u{ff}'));
    found.pattern("policy", text, r"[\u0009\u000A\u000D\u0020-\u00FF]+", holds);
    found.count("policyArns", arns, 0..=MOST, |it| it.text().to_owned());
    for (index, policy) in arns.map_or(&[][..], List::as_slice).iter().take(MOST).enumerate() {
        let path = format!("policyArns.{}.member.arn", index + 1);
        found.required(&path, policy.arn.as_ref());
        limits::arn(found, &path, policy.arn.as_ref());
    }
}

/// The policies of a session in `account`: a document without the white space between its tokens, and ARNs
/// of managed policies that exist.
///
/// # Errors
///
/// - [`Error::Document`]: the text is no session policy.
/// - [`Error::PolicyUnknown`]: there is no such managed policy.
pub(super) async fn checked(
    txn: &mut Txn<'_>,
    account: &AccountId,
    text: Option<&Text>,
    arns: Option<&List<PolicyDescriptor>>,
) -> Result<(Option<String>, Vec<String>), Error> {
    let text = text.map(Text::as_str);
    text.map(|it| Policy::compile(it, Grammar::Session)).transpose()?;
    let arns: Vec<String> =
        arns.map_or(&[][..], List::as_slice).iter().map(|it| it.text().to_owned()).collect();
    for arn in &arns {
        match access::managed(txn, account, arn).await {
            Err(crate::Error::Store(store::Error::Corrupt { .. })) => {
                return Err(Error::PolicyUnknown(arn.clone()));
            }
            found => found.map(drop)?,
        }
    }
    Ok((text.map(dense), arns))
}

/// `text`, which is JSON, without the white space outside of its strings.
fn dense(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let is_kept = |letter: &char| {
        let kept = quoted || !letter.is_ascii_whitespace();
        quoted ^= *letter == '"' && !escaped;
        escaped = quoted && *letter == '\\' && !escaped;
        kept
    };
    text.chars().filter(is_kept).collect()
}

impl PolicyDescriptor {
    fn text(&self) -> &str {
        self.arn.as_ref().map_or("", Text::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_goes_where_it_means_nothing() {
        for (text, expected) in [
            ("{ \"a\" :\r\n\t[ 1 , \"b c\" ] }", r#"{"a":[1,"b c"]}"#),
            (r#"{"a \" b": "\\" , "c":" \\\" "}"#, r#"{"a \" b":"\\","c":" \\\" "}"#),
        ] {
            assert_eq!(dense(text), expected);
        }
    }

    proptest! {
        #[test]
        fn the_meaning_stays(texts in prop::collection::vec("[ a\"\\\\\n]{0,8}", 0..5)) {
            let value = serde_json::json!({ "x": texts, "y z": [1, null] });
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            prop_assert_eq!(dense(&pretty), value.to_string());
        }
    }
}
