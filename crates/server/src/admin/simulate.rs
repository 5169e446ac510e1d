//! What would a policy change? The calls of the trail, asked again as if it were there.

use super::Admin;
use super::answer::{AdminBody, Replied, typed};
use super::replay::{Known, Part, Proposal, Recorded, Unjudged};
use super::stream::Stream;
use base::Timestamp;
use policy::PolicyKind;
use serde::Deserialize;
use serde_json::{Value, json};
use service::rehearsal::Answered;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, DuplexStream};
use trail::{Entry, Reader};

/// A policy, where it is to be, and how far to look back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Wanted {
    policy: String,
    attach_to: String,
    #[serde(default, rename = "As")]
    part: Part,
    replace: Option<String>,
    days: u32,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Allowed,
    Denied,
    Unjudged(Unjudged),
}

/// Principal, action, resource.
type Asked = (Change, String, String, String);

/// Calls of one kind.
struct Group {
    count: u64,
    first: Timestamp,
    last: Timestamp,
}

/// What was found so far. Its size is bounded, however long the trail is.
#[derive(Default)]
struct Found {
    groups: BTreeMap<Asked, Group>,
    read: u64,
    concerned: u64,
    /// By kind of change, those of groups that didn't fit as well.
    changes: BTreeMap<Change, u64>,
    beyond: u64,
    /// Calls that today's policies decide otherwise than those of then, with or without the proposal.
    already: u64,
}

/// More groups are only counted.
const MOST_GROUPS: usize = 10_000;
/// So many records are read at once.
const BATCH: usize = 512;
const DAY: Duration = Duration::from_hours(24);

impl Admin {
    /// Replays the trail of the last days: lines of JSON, of which the last has the answer.
    pub(super) async fn simulate(self: Arc<Self>, wanted: Wanted) -> Replied {
        let place = (wanted.attach_to.as_str(), wanted.part);
        let proposal = self.proposal(&wanted.policy, place, wanted.replace.as_deref()).await?;
        let details = json!({ "attachTo": wanted.attach_to, "days": wanted.days });
        self.record_nowhere("SimulatePolicy", &details).await?;
        let since = self.front.clock.now().minus(DAY * wanted.days);
        let stream = Stream::of(move |mut out| async move {
            let last = match self.replay_since(since, &proposal, &mut out).await {
                Ok(found) => found.shown(),
                Err(cause) => json!({ "Error": cause }),
            };
            out.write_all(format!("{last}\n").as_bytes()).await
        });
        Ok(typed(AdminBody::Stream(stream), "application/x-ndjson"))
    }

    async fn replay_since(
        &self,
        since: Timestamp,
        proposal: &Proposal,
        out: &mut DuplexStream,
    ) -> Result<Found, String> {
        let total = self.journal.sequence();
        let folder = self.journal_folder();
        let failed = |error: trail::Error| service::chain(&error);
        let reader = tokio::task::spawn_blocking(move || Reader::since(&folder, since));
        let mut reader = reader.await.map_err(|error| error.to_string())?.map_err(failed)?;
        let (mut found, mut known) = (Found::default(), Known::default());
        loop {
            let batch = tokio::task::spawn_blocking(move || {
                let batch: Result<Vec<_>, _> = (&mut reader).take(BATCH).collect();
                (reader, batch)
            });
            let (back, batch) = batch.await.map_err(|error| error.to_string())?;
            reader = back;
            let batch = batch.map_err(failed)?;
            // What comes while this is read is not waited for.
            let last = batch.last().map(|it| it.sequence);
            for entry in batch.iter().filter(|it| since <= it.at && it.sequence <= total) {
                self.weigh(entry, proposal, (&mut known, &mut found)).await;
            }
            let done = last.unwrap_or(total).min(total);
            let line = json!({ "Done": done, "Total": total });
            let _gone = out.write_all(format!("{line}\n").as_bytes()).await;
            if batch.len() < BATCH || total <= done {
                return Ok(found);
            }
        }
    }

    /// Asks again what one record tells of.
    async fn weigh(
        &self,
        entry: &Entry,
        proposal: &Proposal,
        (known, found): (&mut Known, &mut Found),
    ) {
        found.read += 1;
        let Some(recorded) = Recorded::parse(&entry.json)
            .filter(|it| it.is_call() && proposal.concerns(it) && !was_not_asked(it))
        else {
            return;
        };
        let of = (&recorded, entry.at);
        let answer = self.replay(of, Some(proposal), (known, false)).await;
        let resource = answer.as_ref().ok().and_then(|it| it.resource.as_deref());
        if !proposal.is_about(&recorded, resource) {
            return;
        }
        found.concerned += 1;
        let denied = recorded.was_denied();
        let change = match &answer {
            Err(reason) => Change::Unjudged(*reason),
            Ok(it) if !it.unknown.is_empty() => Change::Unjudged(Unjudged::Context),
            Ok(it) if it.allowed != denied => return,
            Ok(it) if !it.allowed => Change::Denied,
            Ok(_) if self.has_session_policy(&recorded).await => {
                Change::Unjudged(Unjudged::Session)
            }
            Ok(_) => Change::Allowed,
        };
        let today = self.replay(of, None, (known, false)).await;
        let same = |it: &Answered| Some(it.allowed) == answer.as_ref().ok().map(|it| it.allowed);
        if !matches!(change, Change::Unjudged(_)) && today.as_ref().is_ok_and(same) {
            found.already += 1;
            return;
        }
        let (action, resource) = match &answer {
            Ok(it) => (it.action.clone(), resource.unwrap_or("*").to_owned()),
            Err(_) => (action_of(&recorded), "?".to_owned()),
        };
        found.add((change, recorded.arn().to_owned(), action, resource), entry.at);
    }

    /// Whether a call that was denied came from a session with policies of its own: they may still deny it.
    async fn has_session_policy(&self, recorded: &Recorded) -> bool {
        if !recorded.arn().contains(":assumed-role/") {
            return false;
        }
        let messages = self.messages(recorded).await;
        let held = messages.iter().flat_map(|it| &it.policies);
        messages.is_empty() || held.into_iter().any(|it| it.kind == PolicyKind::Session)
    }
}

/// Whether the call ended before anybody asked the policies, or is one that nobody can be denied.
fn was_not_asked(recorded: &Recorded) -> bool {
    if recorded.event_name == "GetCallerIdentity" {
        return true;
    }
    let code = recorded.error_code.as_deref().unwrap_or_default();
    ["Throttling", "ServiceUnavailable", "Serialization"].iter().any(|it| code.starts_with(it))
}

fn action_of(recorded: &Recorded) -> String {
    let service = recorded.event_source.split('.').next().unwrap_or_default();
    format!("{service}:{}", recorded.event_name)
}

impl Found {
    fn add(&mut self, asked: Asked, at: Timestamp) {
        *self.changes.entry(asked.0).or_default() += 1;
        let has_room = self.groups.len() < MOST_GROUPS;
        if let Some(group) = self.groups.get_mut(&asked) {
            group.count += 1;
            group.first = group.first.min(at);
            group.last = group.last.max(at);
        } else if has_room {
            self.groups.insert(asked, Group { count: 1, first: at, last: at });
        } else {
            self.beyond += 1;
        }
    }

    fn shown(&self) -> Value {
        let group = |((change, principal, action, resource), it): (&Asked, &Group)| {
            let (name, reason) = change.told();
            json!({
                "Change": name, "Reason": reason, "Principal": principal, "Action": action,
                "Resource": resource, "Count": it.count, "First": it.first.to_string(),
                "Last": it.last.to_string(),
            })
        };
        let count = |wanted: &str| -> u64 {
            self.changes.iter().filter(|it| it.0.told().0 == wanted).map(|it| it.1).sum()
        };
        json!({
            "Finished": true,
            "Read": self.read,
            "Concerned": self.concerned,
            "Allowed": count("allowed"),
            "Denied": count("denied"),
            "Unjudged": count("unjudged"),
            "AlreadySo": self.already,
            "CallsBeyondGroups": self.beyond,
            "Groups": self.groups.iter().map(group).collect::<Vec<_>>(),
        })
    }
}

impl Change {
    fn told(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Allowed => ("allowed", None),
            Self::Denied => ("denied", None),
            Self::Unjudged(reason) => ("unjudged", Some(reason.text())),
        }
    }
}
