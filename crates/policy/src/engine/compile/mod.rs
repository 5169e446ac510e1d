//! From a text to a policy that can be asked.

use super::actions::{Actions, Resources};
use super::check::Check;
use super::grammar::{Grammar, Need};
use super::malformed::{Malformed, Problem, excerpt};
use super::pin::Pins;
use super::policy::{Policy, Position, Span, Statement};
use super::who::Who;
use crate::tree::{self, Node};
use crate::{ActionPattern, Effect, Invalid, Principal, Selection, Version, conditions};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

impl Policy {
    /// Reads a policy of the kind `grammar`. Users and roles are known by the ARNs in the text.
    ///
    /// What [`Document::parse`](crate::Document::parse) takes, `Grammar::Resource` takes too.
    ///
    /// # Errors
    ///
    /// [`Malformed`] says what is wrong in IAM's words. Neither the length of the text nor the
    /// existence of those it names is looked at.
    ///
    /// Source: IAM User Guide, "Grammar of the IAM JSON policy language".
    pub fn compile(text: &str, grammar: Grammar) -> Result<Self, Malformed> {
        Self::compile_pinned(text, grammar, &Pins::default())
    }

    /// Like [`Policy::compile`], but users and roles that `pins` has are known by the unique id
    /// they had when the policy was saved.
    pub fn compile_pinned(text: &str, grammar: Grammar, pins: &Pins) -> Result<Self, Malformed> {
        let root = tree(text)?;
        if grammar.is_strict() && !text.chars().all(is_allowed) {
            return Err(Malformed::new(Problem::Syntax, "a character is not allowed".into()));
        }
        let reader = Reader { grammar, pins, version: version(&root)? };
        let statements = reader.document(&root, text)?;
        let size = text.chars().filter(|it| !it.is_whitespace()).count();
        Ok(Self { grammar, version: reader.version, size, statements })
    }

    /// Refuses the edition of 2008, which IAM doesn't take for managed policies.
    pub fn require_current_version(&self) -> Result<(), Malformed> {
        match self.version {
            Version::V2008 => Err(fault(Problem::OldVersion, "Version")),
            Version::V2012 => Ok(()),
        }
    }
}

fn tree(text: &str) -> Result<Node, Malformed> {
    let json: Result<&RawValue, _> = serde_json::from_str(text);
    tree::parse(text).map_err(|invalid| {
        let problem = if json.is_err() { Problem::Json } else { Problem::Syntax };
        Malformed::new(problem, invalid.detail())
    })
}

/// Tab, line ends and Latin-1 from the space on.
fn is_allowed(it: char) -> bool {
    matches!(it, '\t' | '\n' | '\r' | ' '..='\u{ff}')
}

fn fault(problem: Problem, place: &str) -> Malformed {
    let detail = format!("{place}: {problem}");
    Malformed::new(problem, detail)
}

/// A fault of the structure: where it is says more than the one message there is for all of them.
fn syntax(invalid: &Invalid) -> Malformed {
    Malformed::new(Problem::Syntax, invalid.detail())
}

fn version(root: &Node) -> Result<Version, Malformed> {
    let members = root.members().map_err(|it| syntax(&it))?;
    match members.iter().find(|(name, _)| name == "Version") {
        Some((_, node)) => Version::read(node).map_err(|it| syntax(&it)),
        None => Ok(Version::default()),
    }
}

struct Reader<'a> {
    grammar: Grammar,
    version: Version,
    pins: &'a Pins,
}

impl Reader<'_> {
    fn document(&self, root: &Node, text: &str) -> Result<Vec<Statement>, Malformed> {
        let mut statements = None;
        for (name, node) in root.members().map_err(|it| syntax(&it))? {
            match name.as_str() {
                "Id" if self.grammar.has_id() => drop(node.text().map_err(|it| syntax(&it))?),
                "Statement" => statements = Some(node),
                "Version" => {}
                _ => return Err(fault(Problem::Syntax, &excerpt(name))),
            }
        }
        let node = statements.ok_or_else(|| fault(Problem::Syntax, "Statement"))?;
        self.statements(node, text)
    }

    fn statements(&self, node: &Node, text: &str) -> Result<Vec<Statement>, Malformed> {
        let nodes = match node {
            Node::List(nodes) if !nodes.is_empty() => nodes.as_slice(),
            Node::Object(_) => std::slice::from_ref(node),
            _ => return Err(fault(Problem::Syntax, "Statement")),
        };
        let mut sids = BTreeSet::new();
        let mut statements = Vec::with_capacity(nodes.len());
        let mut walk = Walk { text, offset: 0, at: Position { line: 1, column: 1 } };
        for (node, piece) in nodes.iter().zip(tree::pieces(text, "Statement")) {
            let mut statement = self.statement(node, walk.span(piece))?;
            statement.text = piece.into();
            let sid = statement.sid.clone().filter(|it| !it.is_empty());
            if sid.is_some_and(|it| !sids.insert(it)) {
                return Err(fault(Problem::SidTwice, "Statement"));
            }
            statements.push(statement);
        }
        Ok(statements)
    }

    fn statement(&self, node: &Node, span: Span) -> Result<Statement, Malformed> {
        let mut draft = Draft::default();
        for (name, node) in node.members().map_err(|it| syntax(&it))? {
            self.element(&mut draft, name, node)?;
        }
        let effect = draft.effect.ok_or_else(|| fault(Problem::Syntax, "Effect"))?;
        let actions = draft.actions.ok_or_else(|| fault(Problem::NoAction, "Action"))?;
        if draft.principals.is_none() && self.grammar.principal() == Need::Required {
            return Err(fault(Problem::MissingPrincipal, "Principal"));
        }
        if draft.resources.is_none() && self.grammar.resource() == Need::Required {
            return Err(fault(Problem::NoResource, "Resource"));
        }
        let whole = self.grammar.check_whole(effect, draft.principals.as_ref(), &actions);
        whole.map_err(|it| fault(it, "Statement"))?;
        let everyone = matches!(&draft.principals,
            Some(Selection::Of(listed)) if listed.contains(&Principal::Everyone));
        // At an endpoint everyone passes, with whatever credentials; elsewhere it takes an identity.
        let principals =
            draft.principals.filter(|_| !(everyone && self.grammar == Grammar::Endpoint));
        Ok(Statement {
            sid: draft.sid,
            effect,
            span,
            text: Box::default(),
            principals: principals.map(|it| map(&it, |it| Who::new(it, self.pins.ids()))),
            actions: map(&actions, Actions::new),
            is_dead: draft.resources.is_none() && self.grammar == Grammar::Key,
            resources: draft.resources,
            names_caller: everyone && draft.checks.iter().any(Check::names_caller),
            checks: draft.checks,
        })
    }

    fn element(&self, draft: &mut Draft, name: &str, node: &Node) -> Result<(), Malformed> {
        use Selection::{AllBut, Of};
        match name {
            "Action" => once(&mut draft.actions, Of(self.actions(node)?), "Action"),
            "NotAction" => once(&mut draft.actions, AllBut(self.actions(node)?), "NotAction"),
            "Principal" => once(&mut draft.principals, Of(self.principals(node)?), "Principal"),
            "NotPrincipal" => {
                once(&mut draft.principals, AllBut(self.principals(node)?), "NotPrincipal")
            }
            "Resource" => once(&mut draft.resources, Of(self.resources(node, "Resource")?), name),
            "NotResource" => {
                once(&mut draft.resources, AllBut(self.resources(node, "NotResource")?), name)
            }
            "Condition" => {
                draft.checks = self.conditions(node)?;
                Ok(())
            }
            "Effect" => {
                once(&mut draft.effect, Effect::read(node).map_err(|it| syntax(&it))?, name)
            }
            "Sid" => once(&mut draft.sid, self.sid(node)?, name),
            _ => Err(fault(Problem::Syntax, &excerpt(name))),
        }
    }

    fn sid(&self, node: &Node) -> Result<Box<str>, Malformed> {
        let sid = node.text().map_err(|it| syntax(&it))?;
        if self.grammar.is_strict() && !sid.bytes().all(|it| it.is_ascii_alphanumeric()) {
            return Err(fault(Problem::SidForm, "Sid"));
        }
        Ok(sid.into())
    }

    fn actions(&self, node: &Node) -> Result<Vec<ActionPattern>, Malformed> {
        let read = |text: &str| self.grammar.action(text);
        let found = texts(node, "Action", read)?;
        if found.is_empty() { Err(fault(Problem::NoAction, "Action")) } else { Ok(found) }
    }

    fn resources(&self, node: &Node, name: &'static str) -> Result<Vec<Resources>, Malformed> {
        if self.grammar.resource() == Need::Forbidden {
            return Err(fault(Problem::Prohibited(name), name));
        }
        let read = |text: &str| {
            self.grammar.check_resource(text).map(|()| Resources::new(text, self.version))
        };
        let found = texts(node, name, read)?;
        if found.is_empty() { Err(fault(Problem::NoResource, name)) } else { Ok(found) }
    }

    fn principals(&self, node: &Node) -> Result<Vec<Principal>, Malformed> {
        if self.grammar.principal() == Need::Forbidden {
            return Err(fault(Problem::SpecifiesPrincipal, "Principal"));
        }
        let invalid = |kind: &str, text: &str| Problem::Principal(excerpt(kind), excerpt(text));
        if let Node::Text(text) = node {
            let everyone = (text == "*").then(|| vec![Principal::Everyone]);
            return everyone.ok_or_else(|| fault(invalid("AWS", text), "Principal"));
        }
        let mut principals = Vec::new();
        for (kind, values) in node.members().map_err(|it| syntax(&it))? {
            let read = |text: &str| match Principal::parse(kind, text) {
                Ok(principal) => Ok(principal),
                Err(Invalid::Principal(_)) => Err(invalid(kind, text)),
                Err(Invalid::Syntax(_)) => Err(Problem::Syntax),
            };
            let found = texts(values, "Principal", read)?;
            if found.is_empty() {
                return Err(fault(Problem::Syntax, "Principal"));
            }
            principals.extend(found);
        }
        let nobody = || fault(Problem::Syntax, "Principal");
        if principals.is_empty() { Err(nobody()) } else { Ok(principals) }
    }

    fn conditions(&self, node: &Node) -> Result<Vec<Check>, Malformed> {
        let keys = node.members().map_err(|it| syntax(&it))?.iter();
        let mut names = keys.filter_map(|(_, keys)| keys.members().ok()).flatten();
        if names.any(|(key, _)| !key.contains(':')) {
            return Err(fault(Problem::NoVendor, "Condition"));
        }
        let conditions = conditions::read(node).map_err(|it| syntax(&it.within("Condition")))?;
        Ok(conditions.into_iter().map(|it| Check::new(it, self.version)).collect())
    }
}

/// A statement of which some elements have been read.
#[derive(Default)]
struct Draft {
    sid: Option<Box<str>>,
    effect: Option<Effect>,
    principals: Option<Selection<Principal>>,
    actions: Option<Selection<ActionPattern>>,
    resources: Option<Selection<Resources>>,
    checks: Vec<Check>,
}

/// Fills a place that an element and its negation share.
fn once<T>(place: &mut Option<T>, value: T, name: &str) -> Result<(), Malformed> {
    match place.replace(value) {
        Some(_) => Err(fault(Problem::Syntax, name)),
        None => Ok(()),
    }
}

/// One text or a list of them, which may be empty.
fn texts<T>(
    node: &Node,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, Problem>,
) -> Result<Vec<T>, Malformed> {
    let one = |node: &Node| match node {
        Node::Text(text) => read(text).map_err(|it| fault(it, name)),
        _ => Err(fault(Problem::Syntax, name)),
    };
    match node {
        Node::List(nodes) => nodes.iter().map(one).collect(),
        node => Ok(vec![one(node)?]),
    }
}

fn map<T, U>(selection: &Selection<T>, change: impl Fn(&T) -> U) -> Selection<U> {
    match selection {
        Selection::AllBut(values) => Selection::AllBut(values.iter().map(change).collect()),
        Selection::Of(values) => Selection::Of(values.iter().map(change).collect()),
    }
}

/// Counts lines and columns once, however many places of a text are asked for in their order.
struct Walk<'a> {
    text: &'a str,
    offset: usize,
    at: Position,
}

impl Walk<'_> {
    fn span(&mut self, piece: &str) -> Span {
        let start = tree::offset(self.text, piece);
        let end = start + piece.len();
        Span { start: self.to(start), end: self.to(end), bytes: (start, end) }
    }

    fn to(&mut self, offset: usize) -> Position {
        for it in self.text.get(self.offset..offset).unwrap_or_default().chars() {
            let Position { line, column } = self.at;
            let next = if it == '\n' { (line + 1, 1) } else { (line, column + 1) };
            (self.at.line, self.at.column) = next;
        }
        self.offset = offset;
        self.at
    }
}

#[cfg(test)]
mod tests;
