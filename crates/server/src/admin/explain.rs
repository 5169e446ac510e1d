//! Why was a call denied, or what allows it now? From its record, and from today's policies.

use super::Admin;
use super::answer::{AdminBody, Fault, Replied, typed};
use super::replay::{Known, Recorded, Unjudged};
use super::stream::Stream;
use base::Timestamp;
use http::StatusCode;
use policy::message::{Message, Side};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, DuplexStream};
use trail::{Entry, Search};

const DAY: Duration = Duration::from_hours(24);

impl Admin {
    /// Looks for the request `id` in the trail of the last `days`, and tells why it ended as it did: lines
    /// of JSON, of which the last has the answer.
    pub(super) async fn explain(self: Arc<Self>, id: &str, days: Option<u32>) -> Replied {
        let hint = "take it from `x-amzn-RequestId`, or from `requestID` in a record";
        if !is_id(id) {
            let fact = format!("`{id}` is not the id of a request");
            return Err(Fault::new(StatusCode::BAD_REQUEST, fact, hint));
        }
        let id = id.to_owned();
        let now = self.front.clock.now();
        let since = days.map_or(Timestamp::from_millis(0), |it| now.minus(DAY * it));
        self.record_nowhere("ExplainRequest", &json!({ "requestID": id })).await?;
        let stream = Stream::of(move |mut out| async move {
            let last = match self.find(&id, since, &mut out).await {
                Ok(entries) => self.explained(&entries).await,
                Err(cause) => json!({ "Error": cause }),
            };
            out.write_all(format!("{last}\n").as_bytes()).await
        });
        Ok(typed(AdminBody::Stream(stream), "application/x-ndjson"))
    }

    /// The journal's folder.
    pub(super) fn journal_folder(&self) -> PathBuf {
        PathBuf::from(self.status.data_folder()).join("journal")
    }

    async fn find(
        &self,
        id: &str,
        since: Timestamp,
        out: &mut DuplexStream,
    ) -> Result<Vec<Entry>, String> {
        let failed = |error: trail::Error| service::chain(&error);
        let mut search = Search::new(&self.journal_folder(), since).map_err(failed)?;
        loop {
            let wanted = id.to_owned();
            let step = tokio::task::spawn_blocking(move || {
                let found = search.step(&wanted);
                (search, found)
            });
            let (back, found) = step.await.map_err(|error| error.to_string())?;
            search = back;
            match found.map_err(failed)? {
                None => return Ok(Vec::new()),
                Some(found) if !found.is_empty() => return Ok(found),
                Some(_) => {
                    let (done, total) = search.progress();
                    let line = json!({ "Done": done, "Total": total });
                    // Nobody listens any more: the stream ends with its reader.
                    let _gone = out.write_all(format!("{line}\n").as_bytes()).await;
                }
            }
        }
    }

    async fn explained(&self, entries: &[Entry]) -> Value {
        let mut known = Known::default();
        let mut records = Vec::new();
        let mut seen = Vec::new();
        for entry in entries {
            let Some(recorded) = Recorded::parse(&entry.json) else { continue };
            // The outbox may have told a record twice.
            if !recorded.is_call() || seen.contains(&recorded.event_id) {
                continue;
            }
            records.push(self.explain_record((&recorded, entry.at), &mut known).await);
            seen.push(recorded.event_id);
        }
        json!({ "Records": records })
    }

    async fn explain_record(
        &self,
        (recorded, at): (&Recorded, Timestamp),
        known: &mut Known,
    ) -> Value {
        let messages = self.messages(recorded).await;
        let today = match self.replay((recorded, at), None, (known, true)).await {
            Ok(answered) if !answered.unknown.is_empty() => {
                json!({ "Unknown": Unjudged::Context.text() })
            }
            Ok(answered) => {
                let why = answered.why.as_deref();
                json!({ "Allowed": answered.allowed, "Why": why.map(shown) })
            }
            Err(reason) => json!({ "Unknown": reason.text() }),
        };
        json!({
            "EventTime": recorded.event_time,
            "EventSource": recorded.event_source,
            "EventName": recorded.event_name,
            "EventId": recorded.event_id,
            "Region": recorded.aws_region,
            "Principal": recorded.arn(),
            "ErrorCode": recorded.error_code,
            "ErrorMessage": recorded.error_message,
            "Denied": recorded.was_denied(),
            "ExplainedBy": recorded.additional_event_data.get("explainedBy"),
            "Then": messages.iter().map(shown).collect::<Vec<_>>(),
            "Today": today,
        })
    }
}

/// Whether `text` is written as a UUID.
fn is_id(text: &str) -> bool {
    let fits = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

/// A message as the command line shows it.
fn shown(message: &Message) -> Value {
    let statements = message.statements.iter().map(|it| {
        let conditions = it.conditions.iter().map(|condition| {
            let actual = message.conditions.iter();
            let actual = actual.clone().find(|it| it.0.eq_ignore_ascii_case(&condition.key));
            json!({
                "Operator": condition.operator, "Key": condition.key, "Expected": condition.expected,
                "Actual": actual.map(|it| &it.1), "Holds": condition.holds,
            })
        });
        json!({
            "Kind": it.kind.name(), "Policy": it.policy, "Place": it.place(),
            "Effect": if it.denies { "Deny" } else { "Allow" },
            "Applies": it.applies(), "Decided": it.decided,
            "Resource": it.resource, "Principal": it.principal,
            "Conditions": conditions.collect::<Vec<_>>(), "Text": it.text,
        })
    });
    let policies = message.policies.iter().map(|it| {
        json!({
            "Kind": it.kind.name(), "Policy": it.name,
            "Statements": it.statements, "About": it.about,
        })
    });
    let conditions = message.conditions.iter().map(|it| json!({ "Key": it.0, "Values": it.1 }));
    json!({
        "Decision": message.verdict,
        "By": message.by.map(policy::PolicyKind::name),
        "Side": match message.side {
            Side::Both => "both",
            Side::Caller => "caller",
            Side::Owner => "owner",
        },
        "Principal": message.principal.arn,
        "Action": message.action,
        "Resource": message.resource,
        "Policies": policies.collect::<Vec<_>>(),
        "Statements": statements.collect::<Vec<_>>(),
        "Conditions": conditions.collect::<Vec<_>>(),
        "Changes": message.advice(),
        "LeftOut": message.left_out,
    })
}
