//! `strongroom explain`.

use crate::admin::Admin;
use crate::data::DataFolder;
use crate::{lines, output};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use std::io::Write;
use std::process::ExitCode;
use trail::render::plain;

/// Say why a call was denied, statement by statement, and what would allow it
///
/// Of a call that was allowed it says which statement allows it now: the policies of then are not kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The request's id, as the answer's `x-amzn-RequestId` or `x-amzn-authorization-id` says it
    request_id: String,
    /// Look only into the last so many days of the trail [default: all of it]
    #[arg(long, value_name = "DAYS")]
    days: Option<u32>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Explained {
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    event_time: String,
    event_source: String,
    event_name: String,
    principal: String,
    error_code: Option<String>,
    error_message: Option<String>,
    denied: bool,
    explained_by: Option<Value>,
    then: Vec<Why>,
    today: Today,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Today {
    allowed: Option<bool>,
    why: Option<Why>,
    unknown: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Why {
    decision: String,
    by: Option<String>,
    side: String,
    action: String,
    resource: Option<String>,
    policies: Vec<Policy>,
    statements: Vec<Statement>,
    conditions: Vec<Known>,
    changes: Vec<Change>,
    left_out: serde_json::Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    kind: String,
    #[serde(rename = "Policy")]
    name: String,
    statements: usize,
    about: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
struct Statement {
    kind: String,
    policy: String,
    place: String,
    effect: String,
    applies: bool,
    decided: bool,
    resource: bool,
    principal: bool,
    conditions: Vec<Condition>,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    operator: String,
    key: String,
    expected: Vec<String>,
    actual: Option<Vec<String>>,
    holds: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Known {
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    text: String,
    account: String,
    statement: Option<Value>,
}

impl Explain {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let id = self.request_id.to_ascii_lowercase();
        if id.is_empty() || !id.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-') {
            bail!(
                "`{}` is not the id of a request\n\
                 hint: `strongroom trail tail --errors --json` shows the ids of what failed",
                self.request_id
            );
        }
        let days = self.days.map(|it| format!("?Days={it}")).unwrap_or_default();
        let path = format!("/v1/explain/{id}{days}");
        let admin = Admin::new(data)?;
        let answer = lines::ask(&admin, (&path, &serde_json::json!({})), "segments")?;
        let shown = answer.clone();
        let explained: Explained = serde_json::from_value(answer)
            .context("the server's answer isn't understood: another version of it is running")?;
        if explained.records.is_empty() {
            bail!(
                "no record of the request `{id}`\n\
                 hint: `strongroom trail tail --errors --json` shows the ids of what failed"
            );
        }
        if self.json {
            output::json(out, &shown)?;
            return Ok(ExitCode::SUCCESS);
        }
        for (index, record) in explained.records.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            record.show(out)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Record {
    fn show(&self, out: &mut dyn Write) -> Result<()> {
        let Self { event_time, event_name, .. } = self;
        let service = self.event_source.trim_end_matches(".amazonaws.com");
        writeln!(out, "{event_time}  {service} {event_name} by {}", plain(&self.principal))?;
        match (&self.error_code, &self.error_message) {
            (Some(code), message) => {
                let message = plain(message.as_deref().unwrap_or_default()).into_owned();
                writeln!(out, "{code}: {message}")?;
            }
            _ => writeln!(out, "it was allowed")?,
        }
        if let Some(by) = &self.explained_by {
            let name = |key| by.get(key).and_then(Value::as_str).unwrap_or_default();
            let service = name("eventSource").trim_end_matches(".amazonaws.com");
            writeln!(out, "the record of {service} {} below says why", name("eventName"))?;
            return Ok(());
        }
        for why in &self.then {
            writeln!(out)?;
            why.show(out)?;
        }
        if self.denied && self.then.is_empty() {
            writeln!(out, "no reason was kept for it: its message says all there is")?;
        }
        self.show_today(out)
    }

    /// What today's policies say of the same call.
    fn show_today(&self, out: &mut dyn Write) -> Result<()> {
        writeln!(out)?;
        if let Some(reason) = &self.today.unknown {
            writeln!(out, "today: not known: {reason}")?;
            return Ok(());
        }
        let verdict = if self.today.allowed == Some(true) { "allowed" } else { "denied" };
        writeln!(out, "asked again with today's policies: {verdict}")?;
        let Some(why) = &self.today.why else { return Ok(()) };
        let decided = why.statements.iter().find(|it| it.decided);
        match decided {
            Some(statement) => statement.show(out)?,
            None if verdict == "allowed" => {
                writeln!(
                    out,
                    "  by no single statement: the root user, a grant, or a call that needs no permission"
                )?;
            }
            None => writeln!(out, "  no {} allows it", why.by.as_deref().unwrap_or("policy"))?,
        }
        if self.then.is_empty() && verdict == "denied" {
            why.show_changes(out)?;
        }
        Ok(())
    }
}

impl Why {
    fn show(&self, out: &mut dyn Write) -> Result<()> {
        let by = self.by.as_deref().unwrap_or("policy of the other account");
        match self.side.as_str() {
            "caller" => writeln!(out, "what the caller's account knows:")?,
            "owner" => writeln!(out, "what the resource's account knows:")?,
            _ => (),
        }
        let verdict = match self.decision.as_str() {
            "a" => "allowed".to_owned(),
            "e" => format!("denied by a statement of a {by}"),
            _ => format!("denied: no {by} allows it"),
        };
        writeln!(out, "{verdict}")?;
        let resource = self.resource.as_deref().unwrap_or("no resource");
        writeln!(out, "  action    {}", self.action)?;
        writeln!(out, "  resource  {}", plain(resource))?;
        writeln!(out, "policies")?;
        if self.policies.is_empty() {
            writeln!(out, "  none")?;
        }
        for Policy { kind, name, statements, about } in &self.policies {
            let name = plain(name);
            writeln!(out, "  {kind} {name}: {about} of {statements} statements about this action")?;
        }
        for statement in &self.statements {
            statement.show(out)?;
        }
        writeln!(out, "what was known of the request")?;
        for Known { key, values } in &self.conditions {
            writeln!(out, "  {} = {}", plain(key), plain(&values.join(", ")))?;
        }
        if !self.left_out.is_empty() {
            let left = Value::Object(self.left_out.clone());
            writeln!(out, "more than fits into a message; left out: {left}")?;
        }
        self.show_changes(out)
    }

    fn show_changes(&self, out: &mut dyn Write) -> Result<()> {
        match self.changes.as_slice() {
            [] => return Ok(()),
            [_] => writeln!(out, "the smallest change that would allow it")?,
            several => writeln!(out, "{} changes would allow it, together", several.len())?,
        }
        for Change { text, account, statement } in &self.changes {
            writeln!(out, "  {} (account {account})", plain(text))?;
            if let Some(statement) = statement {
                writeln!(out, "    {}", trail::render::json(&statement.to_string()))?;
            }
        }
        Ok(())
    }
}

impl Statement {
    fn show(&self, out: &mut dyn Write) -> Result<()> {
        let Self { kind, effect, .. } = self;
        let (policy, place) = (plain(&self.policy), plain(&self.place));
        let fits = match (self.applies, self.resource, self.principal) {
            (true, ..) => "applies",
            (_, false, _) => "is about another resource",
            (.., false) => "is about somebody else",
            _ => "does not apply: a condition does not hold",
        };
        let decided = if self.decided { " and decides" } else { "" };
        writeln!(out, "{effect} in {kind} {policy}, {place}: {fits}{decided}")?;
        for Condition { operator, key, expected, actual, holds } in &self.conditions {
            let actual = actual.as_ref().map_or("nothing".to_owned(), |it| it.join(", "));
            let (expected, holds) = (expected.join(", "), if *holds { "holds" } else { "fails" });
            let line = format!("{holds}: {operator} {key} [{expected}], the request has {actual}");
            writeln!(out, "  {}", plain(&line))?;
        }
        if !self.text.is_empty() {
            writeln!(out, "  {}", trail::render::json(&self.text))?;
        }
        Ok(())
    }
}
