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
    Of { service: Box<str>, name: Box<[Token]> },
}

impl Actions {
    pub(crate) fn new(pattern: &ActionPattern) -> Self {
        match pattern {
            ActionPattern::Any => Self::Any,
            ActionPattern::Of { service, name } => Self::Of {
                service: service.clone(),
                name: Template::plain(name, Wild::Yes).tokens().into(),
            },
        }
    }

    fn matches(&self, (service, name): (&str, &str)) -> bool {
        match self {
            Self::Any => true,
            Self::Of { service: of, name: like } => {
                of.eq_ignore_ascii_case(service) && glob::matches(like, name, Case::Fold)
            }
        }
    }
}

/// Whether `selection` holds the action that is asked for.
pub(crate) fn covers_action(selection: &Selection<Actions>, asked: &Asked<'_>) -> bool {
    let listed = selection.listed().iter().any(|it| it.matches(asked.action));
    matches!(selection, Selection::Of(_)) == listed
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
