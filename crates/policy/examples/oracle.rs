//! What the policy engine says to the cases of `cargo xtask oracle`.
//!
//! Reads one case as JSON per line and writes one line each: `Allow`, `Explicit`, `Implicit`, or
//! `refused: ` and why. `tests/oracle/simulate.js` reads the same cases and answers in the same
//! words.

use base::AccountId;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use strongroom_policy::engine::{
    Attached, Caller, CallerKind, Decision, Door, Grammar, MapContext, Policies, Policy, Request,
    decide,
};

/// A request and every policy that speaks about it.
#[derive(Deserialize)]
struct Case {
    caller: Whom,
    action: String,
    resource: Option<String>,
    resource_account: String,
    #[serde(default)]
    context: BTreeMap<String, Given>,
    #[serde(default)]
    identity: Vec<Box<RawValue>>,
    boundary: Option<Box<RawValue>>,
    session: Option<Box<RawValue>>,
    resource_policy: Option<Box<RawValue>>,
    #[serde(default)]
    service_control: Vec<Vec<Box<RawValue>>>,
    #[serde(default)]
    resource_control: Vec<Box<RawValue>>,
    endpoint: Option<Box<RawValue>>,
}

/// Who asks: `root`, `user`, `role` (a session of one), `federated`, `service` or `web`
/// (with a token of an identity provider).
#[derive(Deserialize)]
struct Whom {
    kind: String,
    account: String,
    arn: String,
    /// The unique id of the user, of the session's role, of the user behind a federated session.
    #[serde(default)]
    id: String,
    /// ARN of the session's role.
    #[serde(default)]
    role: String,
    /// ARN of the user behind a federated session.
    #[serde(default)]
    user: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    One(String),
    Many(Vec<String>),
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        match answer(&line?) {
            Ok(word) => writeln!(out, "{word}")?,
            Err(error) => writeln!(out, "refused: {}", error.to_string().replace('\n', " "))?,
        }
        out.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<&'static str, Box<dyn Error>> {
    let case: Case = serde_json::from_str(line)?;
    let (account, owner): (AccountId, AccountId) =
        (case.caller.account.parse()?, case.resource_account.parse()?);
    let context = case.context();
    let request = Request {
        caller: Caller { account: &account, arn: &case.caller.arn, kind: case.caller.kind()? },
        action: &case.action,
        resource: case.resource.as_deref(),
        resource_account: &owner,
        context: &context,
    };
    case.decide(&request)
}

impl Whom {
    fn kind(&self) -> Result<CallerKind<'_>, Box<dyn Error>> {
        Ok(match self.kind.as_str() {
            "root" => CallerKind::Root,
            "user" => CallerKind::User { id: &self.id },
            "role" => CallerKind::RoleSession { role_arn: &self.role, role_id: &self.id },
            "federated" => CallerKind::FederatedUser { user: Some((&self.user, &self.id)) },
            "service" => CallerKind::Service { name: &self.arn },
            "web" => CallerKind::WebIdentity { provider: &self.arn },
            other => return Err(format!("no kind of caller: {other}").into()),
        })
    }
}

impl Case {
    fn context(&self) -> MapContext {
        let mut context = MapContext::new();
        for (key, given) in &self.context {
            context = match given {
                Given::One(value) => context.with(key, value),
                Given::Many(values) => context.with_many(key, values.iter().map(String::as_str)),
            };
        }
        context
    }

    fn decide(&self, request: &Request<'_>) -> Result<&'static str, Box<dyn Error>> {
        let (door, grammar) = self.door();
        let identity = compile(&self.identity, Grammar::Identity)?;
        let boundary = compile(&self.boundary, Grammar::Boundary)?;
        let session = compile(&self.session, Grammar::Session)?;
        let resource = compile(&self.resource_policy, grammar)?;
        let control = compile(&self.resource_control, Grammar::ResourceControl)?;
        let endpoint = compile(&self.endpoint, Grammar::Endpoint)?;
        let levels = self.service_control.iter().map(|it| compile(it, Grammar::ServiceControl));
        let levels = levels.collect::<Result<Vec<_>, _>>()?;
        let levels: Vec<_> = levels.iter().map(|it| attach(it)).collect();
        let levels: Vec<_> = levels.iter().map(Vec::as_slice).collect();
        let session = attach(&session);
        let policies = Policies {
            service_control: &levels,
            resource_control: &attach(&control),
            endpoint: attach(&endpoint).first().copied(),
            resource: &attach(&resource),
            identity: &attach(&identity),
            boundary: attach(&boundary).first().copied(),
            session: self.session.is_some().then_some(&session),
            door,
        };
        Ok(match decide(request, &policies) {
            Decision::Allow(_) => "Allow",
            Decision::Forbid(_) => "Explicit",
            Decision::Withhold(_) => "Implicit",
        })
    }

    /// What the resource's own policy counts for, and how it is read.
    fn door(&self) -> (Door, Grammar) {
        let is_key = self.resource.as_ref().is_some_and(|it| it.contains(":key/"));
        match self.action.split_once(':') {
            Some(("kms", _)) if is_key => (Door::Key { grant: false }, Grammar::Key),
            Some(("sts", _)) if self.resource.is_some() => (Door::Trust, Grammar::Trust),
            _ => (Door::Resource, Grammar::Resource),
        }
    }
}

fn compile<'a>(
    texts: impl IntoIterator<Item = &'a Box<RawValue>>,
    grammar: Grammar,
) -> Result<Vec<Policy>, String> {
    let texts = texts.into_iter().map(|it| it.get());
    let policies = texts.map(|text| {
        let policy = Policy::compile(text, grammar);
        policy.map_err(|it| format!("{grammar:?}: {it} ({})", it.detail()))
    });
    policies.collect()
}

fn attach(policies: &[Policy]) -> Vec<Attached<'_>> {
    policies.iter().map(|policy| Attached { id: "", policy }).collect()
}
