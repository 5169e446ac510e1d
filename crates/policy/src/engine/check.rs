//! A condition, ready to be held against a request.

use super::Asked;
use super::arns::ArnPattern;
use super::context::Values;
use super::glob::Case;
use super::quantity::{Instant, Number, base64};
use super::template::{Template, Variable, Wild};
use crate::network::Cidr;
use crate::{Comparison, Condition, Effect, Quantifier, Version};
use std::borrow::Cow;
use std::cmp::Ordering;

/// One condition of a statement.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// As written.
    pub(crate) written: Condition,
    /// The key in lower case.
    key: Box<str>,
    test: Test,
    /// Whether a match is what must not be: `…Not…`.
    negated: bool,
}

/// What is compared with a value of the request. What can't be read as what it should be matches
/// nothing.
#[derive(Clone, Debug)]
enum Test {
    Arn(Vec<ArnPattern>),
    Binary(Vec<Option<Box<str>>>),
    Bool(Vec<Template>),
    Date(fn(Ordering) -> bool, Vec<Option<Instant>>),
    Network(Vec<Option<Cidr>>),
    Null(Vec<bool>),
    Number(fn(Ordering) -> bool, Vec<Option<Number>>),
    Text(Case, Vec<Template>),
}

impl Check {
    pub(crate) fn new(written: Condition, version: Version) -> Self {
        let key = written.key.to_ascii_lowercase().into();
        let (negated, test) = Test::new(written.operator.comparison, &written.values, version);
        Self { written, key, test, negated }
    }

    /// The key in lower case.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The variables in its values.
    pub(crate) fn variables(&self) -> Vec<&Variable> {
        match &self.test {
            Test::Arn(values) => values
                .iter()
                .filter_map(ArnPattern::template)
                .flat_map(Template::variables)
                .collect(),
            Test::Bool(values) | Test::Text(_, values) => {
                values.iter().flat_map(Template::variables).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether the caller's own ARN must be one of the values: such a statement means the caller
    /// itself even where its principal is everyone.
    pub(crate) fn names_caller(&self) -> bool {
        let operator = self.written.operator;
        let lenient = operator.if_exists || operator.quantifier == Some(Quantifier::All);
        let by_name = matches!(self.test, Test::Arn(_) | Test::Text(..));
        &*self.key == "aws:principalarn" && by_name && !self.negated && !lenient
    }

    /// Whether it holds for the request, in a statement of this effect.
    pub(crate) fn holds(&self, asked: &Asked<'_>, effect: Effect) -> bool {
        if asked.open && self.is_open(asked) {
            return effect == Effect::Allow;
        }
        self.holds_with(asked.value(&self.key).as_ref(), asked, effect)
    }

    /// Whether nobody can tell yet if it holds.
    pub(crate) fn is_open(&self, asked: &Asked<'_>) -> bool {
        asked.is_open(&self.key) || self.variables().iter().any(|it| asked.is_open(&it.key))
    }

    /// Whether it holds where the key has these values, in a statement of this effect.
    pub(crate) fn holds_with(
        &self,
        values: Option<&Values<'_>>,
        asked: &Asked<'_>,
        effect: Effect,
    ) -> bool {
        let Some(Values::Unclear(values)) = values else { return self.holds_for(values, asked) };
        let holds = |it: &Cow<'_, str>| self.holds_for(Some(&Values::One(it.clone())), asked);
        if effect == Effect::Deny { values.iter().any(holds) } else { values.iter().all(holds) }
    }

    /// Whether it holds where the key has these values.
    ///
    /// Source: IAM User Guide, "Condition operators" and "Multivalued context keys".
    fn holds_for(&self, values: Option<&Values<'_>>, asked: &Asked<'_>) -> bool {
        let operator = self.written.operator;
        let list = values.map(Values::list).unwrap_or_default();
        if let Test::Null(absent) = &self.test {
            return absent.contains(&list.is_empty());
        }
        if list.is_empty() {
            return match operator.quantifier {
                _ if operator.if_exists => true,
                Some(Quantifier::All) => true,
                Some(Quantifier::Any) => false,
                None => self.negated,
            };
        }
        match (operator.quantifier, values) {
            (Some(Quantifier::All), _) => list.iter().all(|it| self.passes(it, asked)),
            (Some(Quantifier::Any), _) => list.iter().any(|it| self.passes(it, asked)),
            (None, Some(Values::One(value))) => self.passes(value, asked),
            // Several values and no word on how to take them: nothing can be said.
            (None, _) => false,
        }
    }

    fn passes(&self, value: &str, asked: &Asked<'_>) -> bool {
        self.test.matches(value, asked).is_some_and(|it| it != self.negated)
    }
}

impl Test {
    fn new(comparison: Comparison, values: &[Box<str>], version: Version) -> (bool, Self) {
        use Comparison as Is;
        let text = |case, wild| {
            Self::Text(case, values.iter().map(|it| Template::parse(it, wild, version)).collect())
        };
        let arn = || Self::Arn(values.iter().map(|it| ArnPattern::parse(it, version)).collect());
        let date = |order| Self::Date(order, values.iter().map(|it| Instant::parse(it)).collect());
        let number =
            |order| Self::Number(order, values.iter().map(|it| Number::parse(it)).collect());
        let network = || Self::Network(values.iter().map(|it| Cidr::parse(it)).collect());
        match comparison {
            Is::ArnEquals | Is::ArnLike => (false, arn()),
            Is::ArnNotEquals | Is::ArnNotLike => (true, arn()),
            Is::BinaryEquals => {
                (false, Self::Binary(values.iter().map(|it| base64(it).map(Box::from)).collect()))
            }
            Is::Bool => {
                let values = values.iter().map(|it| Template::parse(it, Wild::No, version));
                (false, Self::Bool(values.collect()))
            }
            Is::DateEquals => (false, date(Ordering::is_eq)),
            Is::DateGreaterThan => (false, date(Ordering::is_gt)),
            Is::DateGreaterThanEquals => (false, date(Ordering::is_ge)),
            Is::DateLessThan => (false, date(Ordering::is_lt)),
            Is::DateLessThanEquals => (false, date(Ordering::is_le)),
            Is::DateNotEquals => (true, date(Ordering::is_eq)),
            Is::IpAddress => (false, network()),
            Is::NotIpAddress => (true, network()),
            Is::Null => (false, Self::Null(values.iter().filter_map(|it| truth(it)).collect())),
            Is::NumericEquals => (false, number(Ordering::is_eq)),
            Is::NumericGreaterThan => (false, number(Ordering::is_gt)),
            Is::NumericGreaterThanEquals => (false, number(Ordering::is_ge)),
            Is::NumericLessThan => (false, number(Ordering::is_lt)),
            Is::NumericLessThanEquals => (false, number(Ordering::is_le)),
            Is::NumericNotEquals => (true, number(Ordering::is_eq)),
            Is::StringEquals => (false, text(Case::Exact, Wild::No)),
            Is::StringEqualsIgnoreCase => (false, text(Case::Ignore, Wild::No)),
            Is::StringLike => (false, text(Case::Exact, Wild::Yes)),
            Is::StringNotEquals => (true, text(Case::Exact, Wild::No)),
            Is::StringNotEqualsIgnoreCase => (true, text(Case::Ignore, Wild::No)),
            Is::StringNotLike => (true, text(Case::Exact, Wild::Yes)),
        }
    }

    /// Whether one of the policy's values matches. `None` if `value` can't be compared at all:
    /// then neither the operator nor its negation holds.
    fn matches(&self, value: &str, asked: &Asked<'_>) -> Option<bool> {
        match self {
            Self::Arn(patterns) => Some(patterns.iter().any(|it| it.matches(value, asked))),
            Self::Binary(values) => {
                let bare = base64(value)?;
                Some(values.iter().flatten().any(|it| **it == *bare))
            }
            Self::Bool(values) => {
                truth(value)?;
                let equal = |it: &Template| it.matches(value, Case::Fold, asked) == Some(true);
                Some(values.iter().any(equal))
            }
            Self::Date(holds, values) => {
                let actual = Instant::parse(value)?;
                Some(values.iter().flatten().any(|it| holds(actual.cmp(it))))
            }
            Self::Network(ranges) => {
                let Some(actual) = Cidr::parse(value) else { return Some(false) };
                Some(ranges.iter().flatten().any(|it| it.contains(actual)))
            }
            Self::Null(_) => None,
            Self::Number(holds, values) => {
                let actual = Number::parse(value)?;
                Some(values.iter().flatten().any(|it| actual.compare(*it).is_some_and(holds)))
            }
            Self::Text(case, values) => {
                Some(values.iter().any(|it| it.matches(value, *case, asked) == Some(true)))
            }
        }
    }
}

/// Whether `text` is a value that `comparison` can compare: a number, an instant, an address.
pub fn is_comparable(comparison: Comparison, text: &str) -> bool {
    match Test::new(comparison, &[], Version::default()).1 {
        Test::Arn(_) | Test::Null(_) | Test::Text(..) => true,
        Test::Binary(_) => base64(text).is_some(),
        Test::Bool(_) => truth(text).is_some(),
        Test::Date(..) => Instant::parse(text).is_some(),
        Test::Network(_) => Cidr::parse(text).is_some(),
        Test::Number(..) => Number::parse(text).is_some(),
    }
}

/// `true` or `false`, in any case.
fn truth(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    is("true").then_some(true).or_else(|| is("false").then_some(false))
}
