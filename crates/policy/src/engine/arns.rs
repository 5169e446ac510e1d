//! ARNs compared part by part.

use super::Asked;
use super::glob::{self, Case, Token};
use super::template::{Template, Wild};
use crate::Version;
use std::borrow::Cow;

/// An ARN's six parts, the last with all the colons that are left.
pub(crate) type Parts<'a> = [&'a str; 6];

/// Takes an ARN apart; `None` if it has fewer than six parts.
pub(crate) fn parts(text: &str) -> Option<Parts<'_>> {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next();
    Some([next()?, next()?, next()?, next()?, next()?, next()?])
}

/// A value of `ArnEquals` or `ArnLike`: in each of the six parts wildcards, that don't reach into
/// the next one, and variables anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArnPattern {
    /// Without variables; `None` matches nothing, being no ARN.
    Fixed(Option<Vec<Vec<Token>>>),
    /// With variables, which may hold colons.
    Open(Template),
}

impl ArnPattern {
    pub(crate) fn parse(text: &str, version: Version) -> Self {
        let template = Template::parse(text, Wild::Yes, version);
        if template.variables().next().is_some() {
            Self::Open(template)
        } else {
            Self::Fixed(split(template.tokens()))
        }
    }

    /// The values that the request must have for it.
    pub(crate) fn template(&self) -> Option<&Template> {
        match self {
            Self::Fixed(_) => None,
            Self::Open(template) => Some(template),
        }
    }

    pub(crate) fn matches(&self, text: &str, asked: &Asked<'_>) -> bool {
        let pattern = match self {
            Self::Fixed(pattern) => pattern.as_ref().map(Cow::Borrowed),
            Self::Open(template) => template.fill(asked).and_then(|it| split(&it)).map(Cow::Owned),
        };
        let (Some(pattern), Some(parts)) = (pattern, parts(text)) else { return false };
        let mut pairs = pattern.iter().zip(parts);
        pairs.all(|(pattern, part)| glob::matches(pattern, part, Case::Exact))
    }
}

/// Cuts a pattern at its first five colons. One that ends early in a `*` stands for all that could
/// follow; one that ends early otherwise is none.
fn split(tokens: &[Token]) -> Option<Vec<Vec<Token>>> {
    let mut parts: Vec<Vec<Token>> = vec![vec![]];
    for token in tokens {
        let Token::Text(text) = token else {
            parts.last_mut()?.push(token.clone());
            continue;
        };
        let room = 7_usize.saturating_sub(parts.len());
        for (index, piece) in text.splitn(room, ':').enumerate() {
            if index > 0 {
                parts.push(vec![]);
            }
            if !piece.is_empty() {
                parts.last_mut()?.push(Token::Text(piece.into()));
            }
        }
    }
    let open_end = parts.last()?.last() == Some(&Token::Run);
    if open_end {
        parts.resize(6, vec![Token::Run]);
    }
    (parts.len() == 6).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::Question;

    #[test]
    fn part_by_part() {
        let topic = "arn:aws:sns:us-east-1:111122223333:t/a";
        for (pattern, text, expected) in [
            (topic, topic, true),
            ("arn:aws:sns:*:111122223333:t/*", topic, true),
            ("arn:aws:sns:*:111122223333:t/*", "arn:aws:sns:us:x:111122223333:t/a", false),
            ("arn:aws:sns:*:t/*", topic, false),
            ("arn:aws:sns:*", topic, true),
            ("arn:aws:sns", topic, false),
            ("*", topic, true),
            ("*", "no arn", false),
            ("arn:aws:s3:::a:b:*", "arn:aws:s3:::a:b:c:d", true),
            ("arn:aws:s3:::*", "arn:aws:s3:::a:b", true),
            ("arn:aws:s3:::", "arn:aws:s3:::", true),
            ("arn:aws:s3:::${aws:username}", "arn:aws:s3:::alice", true),
            ("${aws:PrincipalArn}", "arn:aws:iam::111122223333:user/alice", true),
            ("arn:aws:s3:::${aws:PrincipalTag/none}", "arn:aws:s3:::", false),
            ("", "", false),
        ] {
            let question = Question::default();
            let found = question
                .ask(|asked| ArnPattern::parse(pattern, Version::V2012).matches(text, asked));
            assert_eq!(found, expected, "{pattern} {text}");
        }
    }
}
