//! A resource policy, taken apart.

use crate::principal::Principal;
use crate::tree::{self, Node};
use crate::{ActionPattern, Condition, Invalid, ResourcePattern, conditions};
use std::collections::BTreeSet;

/// A well-formed resource policy.
///
/// Source: IAM User Guide, "Grammar of the IAM JSON policy language".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    version: Version,
    id: Option<Box<str>>,
    statements: Vec<Statement>,
}

/// Which edition of the language a document is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also if none is named: `${…}` is plain text.
    #[default]
    V2008,
    /// `2012-10-17`: `${…}` is a variable.
    V2012,
}

/// One rule of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its name. No other statement of the document has the same one, unless it is empty.
    pub sid: Option<Box<str>>,
    /// What it does when it applies.
    pub effect: Effect,
    /// Whom it is about: `Principal` or `NotPrincipal`.
    pub principals: Selection<Principal>,
    /// What it is about: `Action` or `NotAction`.
    pub actions: Selection<ActionPattern>,
    /// `Resource` or `NotResource`, if there is one.
    pub resources: Option<Selection<ResourcePattern>>,
    /// What else must hold. All of them must; none is always true.
    pub conditions: Vec<Condition>,
}

/// What a statement does when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It permits, unless another one denies.
    Allow,
    /// It denies, whatever permits.
    Deny,
}

/// What is named, or everything but what is named. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection<T> {
    /// `NotPrincipal`, `NotAction`, `NotResource`: all that match none of these.
    AllBut(Vec<T>),
    /// `Principal`, `Action`, `Resource`: all that match one of these.
    Of(Vec<T>),
}

impl<T> Selection<T> {
    /// The values as listed, whichever way they are meant.
    pub fn listed(&self) -> &[T] {
        let (Self::AllBut(values) | Self::Of(values)) = self;
        values
    }
}

impl Document {
    /// Reads a resource policy.
    ///
    /// Each statement names principals (`Principal` or `NotPrincipal`); `Resource` may be
    /// missing. Names of elements, and their fixed values, are case-sensitive.
    ///
    /// # Errors
    ///
    /// - [`Invalid::Principal`]: a principal is of no supported form. Whether users and roles
    ///   exist isn't asked here; see [`Document::principals`].
    /// - [`Invalid::Syntax`]: not JSON, a member named twice, an unknown element or operator, a
    ///   missing or doubled element, too long or too deep.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let (mut version, mut id, mut statements) = (None, None, None);
        for (name, node) in tree::parse(text)?.members()? {
            match name.as_str() {
                "Id" => id = Some(node.text().map_err(|it| it.within("Id"))?.into()),
                "Statement" => statements = Some(read_statements(node)?),
                "Version" => version = Some(Version::read(node)?),
                _ => return Err(Invalid::syntax("unknown element").showing(name)),
            }
        }
        let statements = statements.ok_or_else(|| Invalid::syntax("`Statement` is missing"))?;
        Ok(Self { version: version.unwrap_or_default(), id, statements })
    }

    /// The edition of the language.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The document's name.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The rules, in their order; at least one.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Every principal that is named, also in `NotPrincipal`, in order and with repetitions.
    ///
    /// A policy may be saved only if those that are users, roles or unique ids exist;
    /// [`Invalid::absent`] is the refusal otherwise.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.statements.iter().flat_map(|it| it.principals.listed())
    }
}

impl Version {
    pub(crate) fn read(node: &Node) -> Result<Self, Invalid> {
        match node.text() {
            Ok("2008-10-17") => Ok(Self::V2008),
            Ok("2012-10-17") => Ok(Self::V2012),
            Ok(other) => {
                Err(Invalid::syntax("must be `2012-10-17` or `2008-10-17`").showing(other))
            }
            Err(invalid) => Err(invalid),
        }
        .map_err(|it| it.within("Version"))
    }
}

impl Effect {
    pub(crate) fn read(node: &Node) -> Result<Self, Invalid> {
        match node.text()? {
            "Allow" => Ok(Self::Allow),
            "Deny" => Ok(Self::Deny),
            other => Err(Invalid::syntax("must be `Allow` or `Deny`").showing(other)),
        }
    }
}

fn read_statements(node: &Node) -> Result<Vec<Statement>, Invalid> {
    let statements = node.one_or_more(read_statement).map_err(|it| it.within("Statement"))?;
    let mut sids = BTreeSet::new();
    for sid in statements.iter().filter_map(|it| it.sid.as_deref()) {
        if !sid.is_empty() && !sids.insert(sid) {
            return Err(Invalid::syntax("two statements have the same `Sid`").showing(sid));
        }
    }
    Ok(statements)
}

fn read_statement(node: &Node) -> Result<Statement, Invalid> {
    let mut draft = Draft::default();
    for (name, node) in node.members()? {
        draft.take(name, node)?;
    }
    draft.finish()
}

/// A statement of which some elements have been read.
#[derive(Default)]
struct Draft {
    sid: Option<Box<str>>,
    effect: Option<Effect>,
    principals: Option<Selection<Principal>>,
    actions: Option<Selection<ActionPattern>>,
    resources: Option<Selection<ResourcePattern>>,
    conditions: Vec<Condition>,
}

impl Draft {
    fn take(&mut self, name: &str, node: &Node) -> Result<(), Invalid> {
        use Selection::{AllBut, Of};
        let text = |it: &Node| it.text().map(Box::from);
        let actions = |it: &Node| it.one_or_more(|it| ActionPattern::parse(it.text()?));
        let resources = |it: &Node| it.one_or_more(|it| ResourcePattern::parse(it.text()?));
        match name {
            "Action" => once(&mut self.actions, "Action", actions(node).map(Of)),
            "Condition" => {
                self.conditions = conditions::read(node).map_err(|it| it.within("Condition"))?;
                Ok(())
            }
            "Effect" => once(&mut self.effect, "Effect", Effect::read(node)),
            "NotAction" => once(&mut self.actions, "NotAction", actions(node).map(AllBut)),
            "NotPrincipal" => {
                once(&mut self.principals, "NotPrincipal", principals(node).map(AllBut))
            }
            "NotResource" => once(&mut self.resources, "NotResource", resources(node).map(AllBut)),
            "Principal" => once(&mut self.principals, "Principal", principals(node).map(Of)),
            "Resource" => once(&mut self.resources, "Resource", resources(node).map(Of)),
            "Sid" => once(&mut self.sid, "Sid", text(node)),
            _ => Err(Invalid::syntax("unknown element").showing(name)),
        }
    }

    fn finish(self) -> Result<Statement, Invalid> {
        let missing = |problem| move || Invalid::syntax(problem);
        Ok(Statement {
            sid: self.sid,
            effect: self.effect.ok_or_else(missing("`Effect` is missing"))?,
            principals: self.principals.ok_or_else(missing("`Principal` is missing"))?,
            actions: self.actions.ok_or_else(missing("`Action` is missing"))?,
            resources: self.resources,
            conditions: self.conditions,
        })
    }
}

/// Puts what was read into `place`, which an element and its negation share.
fn once<T>(
    place: &mut Option<T>,
    name: &'static str,
    read: Result<T, Invalid>,
) -> Result<(), Invalid> {
    let value = read.map_err(|it| it.within(name))?;
    match place.replace(value) {
        Some(_) => Err(Invalid::syntax("stands beside its negation").within(name)),
        None => Ok(()),
    }
}

/// `"*"`, or an object of kinds, each with one principal or several.
fn principals(node: &Node) -> Result<Vec<Principal>, Invalid> {
    if let Node::Text(text) = node {
        return match text.as_str() {
            "*" => Ok(vec![Principal::Everyone]),
            other => Err(Invalid::syntax("must be `*` or an object").showing(other)),
        };
    }
    let mut principals = Vec::new();
    for (kind, values) in node.members()? {
        principals.extend(values.one_or_more(|it| Principal::parse(kind, it.text()?))?);
    }
    if principals.is_empty() {
        return Err(Invalid::syntax("names nobody"));
    }
    Ok(principals)
}

#[cfg(test)]
mod tests;
