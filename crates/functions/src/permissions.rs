//! A function's own policy: its statements, one for each permission that was added.

use crate::{Error, limits};
use base::{AccountId, Region};
use policy::Document;
use policy::engine::{Attached, Grammar, Pins, Policy, Resolver as _, entities};
use serde::{Deserialize, Serialize};
use service::principals;
use std::collections::BTreeMap;
use store::path::Path;
use store::{Record, Table, Txn};

/// A function's policy as it is kept, with who its users and roles were when they were put.
#[derive(Debug)]
pub(crate) struct FunctionPolicy {
    written: Written,
    compiled: Policy,
}

/// What stands in the row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Written {
    statements: Vec<Kept>,
    #[serde(default)]
    pins: Pins,
    revision: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    sid: String,
    /// In JSON.
    text: String,
}

impl Record for FunctionPolicy {
    const SCHEMA: u16 = 1;

    fn encode(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(&self.written).map_err(|error| error.to_string())
    }

    /// A policy that can't be understood any more is damage: nobody may be let in for it, nor in spite of it.
    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        if schema != Self::SCHEMA {
            return Err(format!("schema {schema} is newer than this program"));
        }
        let written =
            serde_json::from_slice(bytes).map_err(|_| "not a stored policy".to_owned())?;
        Self::new(written).ok_or_else(|| "not a policy".to_owned())
    }
}

/// A statement, in AWS's order of members.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Statement<'a> {
    pub(crate) sid: &'a str,
    pub(crate) effect: &'static str,
    pub(crate) principal: Principal<'a>,
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) condition: BTreeMap<&'static str, BTreeMap<&'static str, &'a str>>,
}

/// Whom a statement is about.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Principal<'a> {
    Everyone(&'static str),
    Of(BTreeMap<&'static str, &'a str>),
}

/// The policies of functions.
pub(crate) const fn policies<'a>() -> Table<crate::function::Place<'a>, FunctionPolicy> {
    Table::new(|(account, region, name)| below(account, region).with(name).key())
}

fn below(account: &AccountId, region: &Region) -> Path {
    Path::new("s").with(account).with(region.as_str()).with("function-policy")
}

impl FunctionPolicy {
    fn new(written: Written) -> Option<Self> {
        let text = written.text();
        let compiled = Policy::compile_pinned(&text, Grammar::Resource, &written.pins).ok()?;
        Some(Self { written, compiled })
    }

    /// As the policy engine takes it.
    pub(crate) fn attached(&self) -> Attached<'_> {
        Attached { id: "default", policy: &self.compiled }
    }

    /// The whole document.
    pub(crate) fn text(&self) -> String {
        self.written.text()
    }

    pub(crate) fn revision(&self) -> &str {
        &self.written.revision
    }

    /// The same without the statement `sid`: nothing, if it was the last one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`]: there is no such statement.
    pub(crate) fn without(&self, sid: &str, revision: String) -> Result<Option<Self>, Error> {
        let mut written = self.written.clone();
        written.statements.retain(|it| it.sid != sid);
        if written.statements.len() == self.written.statements.len() {
            return Err(no_statement(sid));
        }
        written.revision = revision;
        if written.statements.is_empty() {
            return Ok(None);
        }
        Self::new(written).map(Some).ok_or_else(principal)
    }
}

impl Written {
    fn text(&self) -> String {
        let statements: Vec<_> = self.statements.iter().map(|it| &*it.text).collect();
        let head = r#"{"Version":"2012-10-17","Id":"default","Statement":["#;
        format!("{head}{}]}}", statements.join(","))
    }
}

/// `former` with one more statement, if that is about somebody who is there.
pub(crate) async fn with(
    txn: &mut Txn<'_>,
    former: Option<&FunctionPolicy>,
    (sid, text): (&str, &str),
    revision: String,
) -> Result<FunctionPolicy, Error> {
    let mut written = former.map(|it| it.written.clone()).unwrap_or_default();
    if written.statements.iter().any(|it| it.sid == sid) {
        return Err(Error::Conflict(format!(
            "The statement id ({sid}) provided already exists. Please provide a new statement id, or remove \
             the existing statement."
        )));
    }
    let kept = Kept { sid: sid.to_owned(), text: text.to_owned() };
    let alone = Written { statements: vec![kept.clone()], ..Written::default() };
    let document = Document::parse(&alone.text()).map_err(|_| principal())?;
    let known = principals::look_up(txn, &document, &Pins::default()).await?;
    for named in document.principals() {
        if !principals::exists(txn, named).await? {
            return Err(principal());
        }
    }
    written.pins = pins(&written, &document, &known)?;
    written.statements.push(kept);
    written.revision = revision;
    let length = written.text().len();
    if limits::POLICY < length {
        return Err(Error::PolicyLength(length));
    }
    FunctionPolicy::new(written).ok_or_else(principal)
}

/// Those of `written`, and whom `document` names. One who was deleted and made again since can't be both.
fn pins(written: &Written, document: &Document, known: &principals::Known) -> Result<Pins, Error> {
    let mut pins: BTreeMap<String, String> =
        written.pins.ids().iter().map(|(arn, id)| (arn.to_string(), id.to_string())).collect();
    for arn in entities(document) {
        let Some(id) = known.id(arn) else { continue };
        if pins.insert(arn.to_owned(), id.clone()).is_some_and(|it| it != id) {
            return Err(principal());
        }
    }
    Ok(pins.into_iter().collect())
}

fn principal() -> Error {
    let text = "The provided principal was invalid. Please check the principal and try again.";
    Error::Invalid(text.to_owned())
}

/// That there is no statement `sid`.
pub(crate) fn no_statement(sid: &str) -> Error {
    Error::NotFound(format!("Statement {sid} is not found in resource policy."))
}
