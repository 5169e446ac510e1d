//! LookupEvents: the management events of the caller's account in this Region, of the last 90 days, newest first.

use super::SOURCE;
use crate::{Asker, Error, Unreadable};
use base::Timestamp;
use serde::{Deserialize, Serialize};
use service::{Action, Answer, Call, Operation, input};
use std::time::Duration;
use store::Txn;
use trail::Entry;
use trail::lookup::{Attribute, Event, Query};
use wire::members::{Instant, Integer, List, Structure, Text};
use wire::{Violations, page_token};

input! {
    /// Which events, how many, and from where.
    pub struct LookupEvents {
        lookup_attributes: List<Structure<AttributeGiven>>,
        start_time: Instant,
        end_time: Instant,
        event_category: Text,
        max_results: Integer,
        next_token: Text,
    }
}

/// What events have.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct AttributeGiven {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribute_key: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribute_value: Option<Text>,
}

/// A page of events.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    events: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    event_id: String,
    event_name: String,
    read_only: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    /// In whole seconds since 1970.
    event_time: i64,
    event_source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    resources: Vec<Resource>,
    cloud_trail_event: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    resource_type: String,
    resource_name: String,
}

impl Operation for LookupEvents {
    const NAME: &'static str = "LookupEvents";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("cloudtrail:LookupEvents");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    /// None: what the model forbids has errors of its own.
    fn constraints(&self, _found: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let limit = self.limit()?;
        let having = self.having()?;
        let (from, to) = self.range(call.now)?;
        if let Some(category) = &self.event_category {
            if category.as_str() != "insight" {
                return Err(Error::EventCategory);
            }
            // There are none: nothing here looks for what is unusual.
            return Ok(Answer::new(permit, Output::default()));
        }
        let scope = self.scope();
        let before = match &self.next_token {
            Some(token) => {
                let position = page_token::read(&scope, token.as_str()).ok_or(Error::NextToken)?;
                Some(position.parse().map_err(|_| Error::NextToken)?)
            }
            None => None,
        };
        let (account, region) = (call.caller.account.clone(), call.region.clone());
        let query = Query { account, region, having, seconds: from..=to };
        let Asker(records) = call.port().ok_or_else(|| Unreadable("not handed in".to_owned()))?;
        // Reading may take a while.
        txn.release();
        let page = records.page(query, before, limit).await?;
        let events = page.entries.into_iter().filter_map(shown).collect();
        let next_token = page.next.map(|it| page_token::write(&scope, &it.to_string()));
        Ok(Answer::new(permit, Output { events, next_token }))
    }
}

impl LookupEvents {
    fn limit(&self) -> Result<usize, Error> {
        let asked = self.max_results.map_or(MOST, Integer::get);
        let asked = Some(asked).filter(|it| (1..=MOST).contains(it));
        asked.and_then(|it| usize::try_from(it).ok()).ok_or(Error::MaxResults)
    }

    fn having(&self) -> Result<Option<(Attribute, String)>, Error> {
        let given = self.lookup_attributes.as_ref().map(List::as_slice).unwrap_or_default();
        let Some(Structure(AttributeGiven { attribute_key, attribute_value })) = given.first()
        else {
            return Ok(None);
        };
        if given.len() > 1 {
            return Err(Error::LookupAttributes("You can specify only one lookup attribute."));
        }
        let key = attribute_key.as_ref().and_then(|it| Attribute::named(it.as_str()));
        let key = key.ok_or(Error::LookupAttributes("The lookup attribute key isn't valid."))?;
        let value = attribute_value.as_ref().map(Text::as_str);
        let value = value.filter(|it| (1..=LONGEST).contains(&it.chars().count()));
        let value = value.ok_or(Error::LookupAttributes(
            "The value of a lookup attribute must have between 1 and 2000 characters.",
        ))?;
        Ok(Some((key, value.to_owned())))
    }

    /// The first and the last second that are asked for, within what is kept.
    fn range(&self, now: Timestamp) -> Result<(i64, i64), Error> {
        let (start, end) = (self.start_time.map(Instant::get), self.end_time.map(Instant::get));
        if start.zip(end).is_some_and(|(start, end)| start > end) {
            return Err(Error::TimeRange);
        }
        // Records know whole seconds: one that lies before a fraction isn't after it.
        let start = start.map_or(i64::MIN, |it| it.secs() + i64::from(it.millis() % 1000 > 0));
        let end = end.map_or(i64::MAX, Timestamp::secs);
        Ok((start.max(now.minus(KEPT).secs()), end))
    }

    /// What a token belongs to: everything but how many.
    fn scope(&self) -> String {
        let given = self.lookup_attributes.as_ref().map(List::as_slice).unwrap_or_default();
        let mut scope = format!("{}/{:?}/{:?}", Self::NAME, self.start_time, self.end_time);
        for Structure(AttributeGiven { attribute_key, attribute_value }) in given {
            for text in [attribute_key, attribute_value].into_iter().flatten() {
                scope.push('/');
                scope.push_str(&text.as_str().escape_default().to_string());
            }
        }
        scope
    }
}

/// An event as CloudTrail lists it. Its members are those of the record, which follows as one text.
fn shown(entry: Entry) -> Option<Shown> {
    let event = Event::parse(&entry.json)?;
    let resources = event.resources().into_iter().map(|(kind, name)| Resource {
        resource_type: kind.to_owned(),
        resource_name: name.to_owned(),
    });
    Some(Shown {
        event_id: event.event_id.to_string(),
        event_name: event.event_name.to_string(),
        read_only: if event.read_only { "true" } else { "false" },
        access_key_id: event.access_key_id().map(str::to_owned),
        event_time: entry.at.secs(),
        event_source: event.event_source.to_string(),
        username: event.username().map(str::to_owned),
        resources: resources.collect(),
        cloud_trail_event: entry.json,
    })
}

/// Events of a page.
const MOST: i64 = 50;
/// Characters of a value.
const LONGEST: usize = 2000;
/// What can be looked up. Source: API Reference, "LookupEvents".
const KEPT: Duration = Duration::from_hours(90 * 24);
