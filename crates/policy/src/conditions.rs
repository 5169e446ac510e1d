//! Under which conditions a statement applies: the operators, and how a block is written.

use crate::Invalid;
use crate::tree::Node;

/// One line of a condition block: `"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}`.
///
/// A statement applies if all of its conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// How the request's value is compared.
    pub operator: Operator,
    /// What is compared, as written. Names of keys have no case.
    pub key: Box<str>,
    /// What it is compared with, at least one. Numbers and booleans are kept as the
    /// text that a stored policy has for them.
    pub values: Vec<Box<str>>,
}

/// A condition operator: `StringEquals`, `ForAnyValue:StringLike`, `BoolIfExists`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The comparison of two single values.
    pub comparison: Comparison,
    /// `ForAllValues:` or `ForAnyValue:`, for keys that have several values.
    pub quantifier: Option<Quantifier>,
    /// `…IfExists`: a key that the request doesn't have is a match.
    pub if_exists: bool,
}

/// How the values of a key with several of them are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// Each value of the request must match; true if there is none.
    All,
    /// One value of the request must match; false if there is none.
    Any,
}

macro_rules! comparisons {
    ($($name:ident),* $(,)?) => {
        /// The comparison that an operator makes, by its name in a policy.
        ///
        /// Source: IAM User Guide, "Condition operators".
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names are the IAM User Guide's")]
        pub enum Comparison {
            $($name),*
        }

        const COMPARISONS: &[(&str, Comparison)] =
            &[$((stringify!($name), Comparison::$name)),*];
    };
}

comparisons! {
    ArnEquals,
    ArnLike,
    ArnNotEquals,
    ArnNotLike,
    BinaryEquals,
    Bool,
    DateEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    DateLessThan,
    DateLessThanEquals,
    DateNotEquals,
    IpAddress,
    NotIpAddress,
    Null,
    NumericEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericNotEquals,
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    StringNotEquals,
    StringNotEqualsIgnoreCase,
    StringNotLike,
}

impl Operator {
    /// The operator called `name`, if there is one. `Null` takes neither prefix nor suffix.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (quantifier, rest) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(Quantifier::All), rest),
            Some(("ForAnyValue", rest)) => (Some(Quantifier::Any), rest),
            Some(_) => return None,
            None => (None, name),
        };
        let (if_exists, rest) = match rest.strip_suffix("IfExists") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (_, comparison) = COMPARISONS.iter().find(|(known, _)| *known == rest)?;
        let plain = quantifier.is_none() && !if_exists;
        (plain || *comparison != Comparison::Null).then_some(Self {
            comparison: *comparison,
            quantifier,
            if_exists,
        })
    }
}

/// Reads a `Condition` element: operators, each with keys, each with one value or several.
pub(crate) fn read(node: &Node) -> Result<Vec<Condition>, Invalid> {
    let mut conditions = Vec::new();
    for (name, keys) in node.members()? {
        let operator = Operator::parse(name)
            .ok_or_else(|| Invalid::syntax("unknown condition operator").showing(name))?;
        for (key, values) in keys.members()? {
            let values = values.one_or_more(value).map_err(|it| it.showing(key))?;
            conditions.push(Condition { operator, key: key_name(key)?, values });
        }
    }
    Ok(conditions)
}

/// A key has a prefix: `aws:SourceIp`, `secretsmanager:ResourceTag/team`.
fn key_name(key: &str) -> Result<Box<str>, Invalid> {
    match key.split_once(':') {
        Some((prefix, name)) if !prefix.is_empty() && !name.is_empty() => Ok(key.into()),
        _ => Err(Invalid::syntax("a condition key must have a prefix").showing(key)),
    }
}

fn value(node: &Node) -> Result<Box<str>, Invalid> {
    match node {
        Node::Bool(true) => Ok("true".into()),
        Node::Bool(false) => Ok("false".into()),
        Node::Number(digits) => Ok(digits.clone()),
        Node::Text(text) => Ok(text.as_str().into()),
        Node::List(_) | Node::Null | Node::Object(_) => {
            Err(Invalid::syntax("a condition value must be a string, a number or a boolean"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators() {
        for (name, valid) in [
            ("StringEquals", true),
            ("StringEqualsIfExists", true),
            ("ForAllValues:StringEquals", true),
            ("ForAnyValue:StringLikeIfExists", true),
            ("BoolIfExists", true),
            ("NotIpAddress", true),
            ("Null", true),
            ("NullIfExists", false),
            ("ForAnyValue:Null", false),
            ("", false),
            ("IfExists", false),
            ("ForAllValues:", false),
            ("StringEqualsIfExistsIfExists", false),
            ("ForAllValues:ForAnyValue:StringEquals", false),
            ("ForSomeValues:StringEquals", false),
            ("stringEquals", false),
            ("StringEqual", false),
            ("StringEquals ", false),
        ] {
            assert_eq!(Operator::parse(name).is_some(), valid, "{name}");
        }
        for (name, comparison) in COMPARISONS {
            let operator = Operator::parse(name).expect(name);
            assert_eq!(operator.comparison, *comparison);
        }
        assert_eq!(COMPARISONS.len(), 27);
    }
}
