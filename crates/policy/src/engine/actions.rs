//! Which actions and resources a statement is about.

use super::Asked;
use super::glob::{self, Case, Token};
use super::template::{Template, Wild};
use crate::{ActionPattern, Selection, Version};

/// An entry of `Action` or `NotAction`, ready to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Actions {
    /// `*`.
    Any,
    /// One service's actions of such names.
    Of {
        service: Box<str>,
        name: Box<[Token]>,
        /// How both begin.
        starts: (Start, Start),
    },
}

/// An action that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action<'a> {
    /// `secretsmanager`.
    pub(crate) service: &'a str,
    /// `GetSecretValue`.
    pub(crate) name: &'a str,
    starts: (Start, Start),
}

impl<'a> Action<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let (service, name) = text.split_once(':').unwrap_or((text, ""));
        Self { service, name, starts: (Start::of(service), Start::of(name)) }
    }
}

/// The first letters of a text without their case, and zeros where it is shorter. Most actions of a policy
/// differ from the one that is asked for in these, and are passed over at the cost of comparing numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    letters: u128,
    /// Which bits of them count.
    mask: u128,
}

impl Start {
    const LETTERS: usize = 16;

    /// How `text` begins, its end included.
    fn of(text: &str) -> Self {
        Self::masked(text, u8::MAX)
    }

    /// How every text begins that `tokens` match.
    fn of_pattern(tokens: &[Token]) -> Self {
        match tokens {
            [Token::Text(whole)] => Self::of(whole),
            [Token::Text(start), ..] => Self::masked(start, 0),
            _ => Self::masked("", 0),
        }
    }

    /// `rest` masks what is behind the end of `text`.
    fn masked(text: &str, rest: u8) -> Self {
        let (mut letters, mut mask) = ([0; Self::LETTERS], [rest; Self::LETTERS]);
        for ((letter, mask), byte) in letters.iter_mut().zip(&mut mask).zip(text.bytes()) {
            (*letter, *mask) = (byte.to_ascii_lowercase(), u8::MAX);
        }
        Self { letters: u128::from_be_bytes(letters), mask: u128::from_be_bytes(mask) }
    }

    /// Whether a text that begins as `other` may begin as this does.
    fn fits(self, other: Self) -> bool {
        (self.letters ^ other.letters) & self.mask == 0
    }
}

/// Whether two texts that begin alike are the same, but for their case.
fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && (one.len() <= Start::LETTERS || one.eq_ignore_ascii_case(other))
}

impl Actions {
    pub(crate) fn new(pattern: &ActionPattern) -> Self {
        match pattern {
            ActionPattern::Any => Self::Any,
            ActionPattern::Of { service, name } => {
                let name: Box<[Token]> = Template::plain(name, Wild::Yes).tokens().into();
                let starts = (Start::of(service), Start::of_pattern(&name));
                Self::Of { service: service.clone(), name, starts }
            }
        }
    }

    fn matches(&self, asked: &Action<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Of { service, name, starts } => {
                starts.0.fits(asked.starts.0)
                    && starts.1.fits(asked.starts.1)
                    && is_same(service, asked.service)
                    && glob::matches(name, asked.name, Case::Fold)
            }
        }
    }
}

/// Whether `selection` holds the action that is asked for.
pub(crate) fn covers_action(selection: &Selection<Actions>, asked: &Asked<'_>) -> bool {
    let listed = selection.listed().iter().any(|it| it.matches(&asked.action));
    matches!(selection, Selection::Of(_)) == listed
}

/// Whether `selection` holds an action of `service`.
pub(crate) fn has_some_of(selection: &Selection<Actions>, service: &str) -> bool {
    let is_of = |it: &Actions| match it {
        Actions::Any => true,
        Actions::Of { service: own, .. } => own.eq_ignore_ascii_case(service),
    };
    let is_all_of = |it: &Actions| match it {
        Actions::Any => true,
        Actions::Of { name, .. } => is_of(it) && **name == [Token::Run],
    };
    match selection {
        Selection::Of(listed) => listed.iter().any(is_of),
        Selection::AllBut(listed) => !listed.iter().any(is_all_of),
    }
}

/// An entry of `Resource` or `NotResource`, ready to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resources {
    /// `*`: any resource, and none.
    Any,
    /// Such ARNs. Only the resource part may hold variables.
    Of { head: [Box<[Token]>; 5], resource: Template },
}

impl Resources {
    /// Reads `text`, which is `*` or starts with `arn:`. Parts that are missing may be anything.
    pub(crate) fn new(text: &str, version: Version) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().unwrap_or("*");
        let head = [next(), next(), next(), next(), next()];
        Self::Of {
            head: head.map(|it| Template::plain(it, Wild::Yes).tokens().into()),
            resource: Template::parse(next(), Wild::Yes, version),
        }
    }

    /// The variables in it.
    pub(crate) fn template(&self) -> Option<&Template> {
        match self {
            Self::Any => None,
            Self::Of { resource, .. } => Some(resource),
        }
    }

    /// Whether it is about the resource that is asked for; `None` if a variable has no value, which
    /// spoils `NotResource` whatever is asked for.
    fn matches(&self, asked: &Asked<'_>) -> Option<bool> {
        let Self::Of { head, resource } = self else { return Some(true) };
        let Some([arn, partition, service, region, account, last]) = asked.resource else {
            return resource.fill(asked).map(|_| false);
        };
        // Names differ more often than Regions and accounts do.
        if resource.matches(last, Case::Exact, asked)? {
            let own = [arn, partition, service, region, account];
            let mut pairs = head.iter().zip(own);
            Some(pairs.all(|(like, it)| glob::matches(like, it, Case::Exact)))
        } else {
            Some(false)
        }
    }
}

/// Whether `selection` holds the resource that is asked for.
///
/// An action without resource, and a name that leads to none, is held by `*` only. A `NotResource`
/// with a variable that has no value is about nothing.
///
/// Source: IAM User Guide, "IAM policy elements: Variables and tags".
pub(crate) fn covers_resource(selection: &Selection<Resources>, asked: &Asked<'_>) -> bool {
    match selection {
        Selection::Of(listed) => listed.iter().any(|it| it.matches(asked) == Some(true)),
        Selection::AllBut(listed) => listed.iter().all(|it| it.matches(asked) == Some(false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// How texts begin only ever saves a closer look.
        #[test]
        fn like_a_closer_look(
            service in "[a-bA-B]{1,2}|[aA]{14,18}", name in "[a-cA-Cé]{0,3}[*?]{0,1}[a-cA-C]{0,2}|[bB]{14,18}[*]{0,1}",
            asked in "([a-bA-B]{1,2}|[aA]{14,18}):([a-cA-Cé]{0,6}|[bB]{14,18})",
        ) {
            let pattern = ActionPattern::Of { service: service.as_str().into(), name: name.as_str().into() };
            let (of, what) = asked.split_once(':').expect("both");
            let tokens = Template::plain(&name, Wild::Yes);
            let expected = service.eq_ignore_ascii_case(of) && glob::matches(tokens.tokens(), what, Case::Fold);
            prop_assert_eq!(Actions::new(&pattern).matches(&Action::new(&asked)), expected);
        }
    }
}
