//! A policy, ready to be asked.

use super::Asked;
use super::actions::{Actions, Resources, covers_action, covers_resource, has_some_of};
use super::check::Check;
use super::grammar::Grammar;
use super::template::Template;
use super::who::{self, Reach, Who};
use crate::{Effect, Selection, Version};
use std::collections::BTreeSet;

/// A policy, ready to be asked. Made by [`Policy::compile`] and [`Policy::compile_pinned`] only.
///
/// Holds all that is needed to decide, to explain and to show where in the text a statement
/// stands. May be shared between threads.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(super) grammar: Grammar,
    pub(super) version: Version,
    pub(super) size: usize,
    pub(super) statements: Vec<Statement>,
}

/// One rule of a policy.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(super) sid: Option<Box<str>>,
    pub(super) effect: Effect,
    pub(super) span: Span,
    pub(super) text: Box<str>,
    pub(super) principals: Option<Selection<Who>>,
    pub(super) actions: Selection<Actions>,
    /// `None` is any resource.
    pub(super) resources: Option<Selection<Resources>>,
    pub(super) checks: Vec<Check>,
    /// Whether it allows everyone whose own ARN is in a condition, and so each of them directly;
    /// see [`Check::names_caller`].
    pub(super) names_caller: bool,
    /// Whether the statement can't apply: one of a key policy without `Resource`.
    pub(super) is_dead: bool,
}

/// Where a statement stands in the text of its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Span {
    /// Its first character.
    pub start: Position,
    /// The place behind its last character.
    pub end: Position,
    /// Offset of the first byte and of the one behind the last.
    pub bytes: (usize, usize),
}

/// A place in a text; both are counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Policy {
    /// The kind of policy that the text was read as.
    pub fn grammar(&self) -> Grammar {
        self.grammar
    }

    /// The edition of the language.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Length of the text in characters without white space, as IAM's quotas count it.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The rules, in their order; at least one.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Whether it allows an action of `service`, whatever the resource and the conditions.
    pub fn allows_of(&self, service: &str) -> bool {
        let mut allowing = self.statements.iter().filter(|it| it.effect == Effect::Allow);
        allowing.any(|it| !it.is_dead && has_some_of(&it.actions, service))
    }

    /// The policy as it would be without the statement at `index`.
    #[must_use]
    pub fn without(&self, index: usize) -> Self {
        let mut rest = self.clone();
        if index < rest.statements.len() {
            rest.statements.remove(index);
        }
        rest
    }

    /// The names of all keys that a request may have to tell, in conditions and variables, as
    /// written in the first condition that has them; in lower case where only a variable has them.
    pub fn context_keys(&self) -> BTreeSet<&str> {
        let mut known = BTreeSet::new();
        let mut keys = BTreeSet::new();
        let checks = || self.statements.iter().flat_map(|it| &it.checks);
        for check in checks() {
            if known.insert(check.key()) {
                keys.insert(&*check.written.key);
            }
        }
        let resources = self.statements.iter().filter_map(|it| it.resources.as_ref());
        let templates = resources.flat_map(Selection::listed).filter_map(Resources::template);
        let variables = templates.flat_map(Template::variables);
        for variable in variables.chain(checks().flat_map(Check::variables)) {
            if known.insert(&variable.key) {
                keys.insert(&variable.key);
            }
        }
        keys
    }
}

impl Statement {
    /// Its name.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// What it does when it applies.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Where it stands in the text.
    pub fn span(&self) -> Span {
        self.span
    }

    /// What it says, as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How it reaches the caller if it applies to the request, [`Reach::Nothing`] if it doesn't.
    /// What is cheap to find out is asked first.
    pub(super) fn reach(&self, asked: &Asked<'_>) -> Reach {
        if self.is_dead || !covers_action(&self.actions, asked) {
            return Reach::Nothing;
        }
        let reach = self.reach_of_principal(asked);
        let applies = reach > Reach::Nothing
            && self.covers_resource(asked)
            && !(asked.open && self.effect == Effect::Deny && self.has_open_resource(asked))
            && self.checks.iter().all(|it| it.holds(asked, self.effect));
        if applies { reach } else { Reach::Nothing }
    }

    /// A policy without principals is its holder's and speaks about it directly.
    pub(super) fn reach_of_principal(&self, asked: &Asked<'_>) -> Reach {
        let Some(principals) = &self.principals else { return Reach::Caller };
        let caller = &asked.request.caller;
        match who::reach(principals, self.effect, caller, asked.bounded) {
            Reach::Role if self.names_caller => Reach::Caller,
            reach => reach,
        }
    }

    /// Whether nobody can tell yet which resources it is about.
    pub(super) fn has_open_resource(&self, asked: &Asked<'_>) -> bool {
        let listed = self.resources.iter().flat_map(Selection::listed);
        let variables = listed.filter_map(Resources::template).flat_map(Template::variables);
        variables.into_iter().any(|it| asked.is_open(&it.key))
    }

    pub(super) fn covers_resource(&self, asked: &Asked<'_>) -> bool {
        self.resources.as_ref().is_none_or(|it| covers_resource(it, asked))
    }
}
