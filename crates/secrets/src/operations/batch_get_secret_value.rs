//! BatchGetSecretValue: the current values of up to 20 secrets, named or filtered.

use crate::filters::{self, FiltersGiven};
use crate::listing::{self, Query, Sort};
use crate::operations::get_secret_value::{self, Read, Selector};
use crate::operations::list_secrets;
use crate::secret::Place;
use crate::{Error, limits, lookup};
use serde::Serialize;
use service::{Action, Answer, Call, Event, Fault, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, List, Text};

input! {
    /// Which secrets: a list of ids, or filters and a page.
    pub struct BatchGetSecretValue {
        secret_id_list: List<Text>,
        filters: FiltersGiven,
        max_results: Integer,
        next_token: Text,
    }
}

/// Values, and why some are missing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    errors: Vec<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    secret_values: Vec<Read>,
}

/// Why one secret has no value in the answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Problem {
    error_code: &'static str,
    message: String,
    secret_id: String,
}

impl Operation for BatchGetSecretValue {
    const NAME: &'static str = "BatchGetSecretValue";
    const ACTION: Action = Action("secretsmanager:BatchGetSecretValue");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        let ids = self.secret_id_list.as_ref();
        found.count("secretIdList", ids, 1..=20, |it| it.as_str().to_owned());
        found.each("secretIdList", ids, limits::SECRET_ID);
        filters::constraints(found, self.filters.as_ref());
        found.range("maxResults", self.max_results, limits::BATCH);
        found.length("nextToken", self.next_token.as_ref(), limits::NEXT_TOKEN);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.permit(self, Self::ACTION, call.own_account())?;
        if self.filters.is_some() {
            call.authorize(list_secrets::ACTION, call.own_account())?;
        }
        call.validate(self)?;
        if self.max_results.is_some() && self.filters.is_none() {
            return Err(Error::BatchWithoutFilters);
        }
        let (ids, next_token) = match (&self.secret_id_list, &self.filters) {
            (Some(ids), None) => (ids.as_slice().to_vec(), None),
            (None, Some(_)) => self.filtered(call, txn).await?,
            _ => return Err(Error::BatchSource),
        };
        let mut output = Output { errors: Vec::new(), next_token, secret_values: Vec::new() };
        let mut events = Vec::with_capacity(ids.len());
        for id in ids {
            let read = self.read(call, txn, &id).await;
            events.push(event(call, &id, read.as_ref().err()));
            match read {
                Ok(read) => output.secret_values.push(read),
                Err(error) if error.code().status >= 500 => return Err(error),
                Err(error) => output.errors.push(Problem {
                    error_code: error.code().name,
                    message: error.to_string(),
                    secret_id: id.as_str().to_owned(),
                }),
            }
        }
        Ok(Answer::new(permit, output).with_events(events))
    }
}

impl BatchGetSecretValue {
    async fn read(&self, call: &Call<'_>, txn: &mut Txn<'_>, id: &Text) -> Result<Read, Error> {
        let found = lookup::find(call, txn, Some(id)).await?;
        let permit =
            call.authorize(get_secret_value::ACTION, found.target(found.attached().as_slice()))?;
        found.check_name()?;
        let (place, secret) = found.live()?;
        if secret.is_dynamic() {
            // One answer waits for one user.
            return Err(Error::Dynamic("Ask for a dynamic secret with GetSecretValue."));
        }
        get_secret_value::read((call, txn, &permit), &place, secret, Selector::default()).await
    }

    /// The ARNs of a page of secrets that pass the filters.
    async fn filtered(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<(Vec<Text>, Option<String>), Error> {
        let query = Query {
            filters: filters::parse(self.filters.as_ref())?,
            include_deleted: false,
            sort: Sort::Created,
            descending: false,
        };
        let place = Place { account: call.caller.account.clone(), region: call.region.clone() };
        let limit = self.max_results.map_or(20, |it| usize::try_from(it.get()).unwrap_or(20));
        let token = self.next_token.as_ref().map(Text::as_str);
        let (secrets, next) = listing::page(txn, &place, &query, limit, token).await?;
        Ok((secrets.iter().map(|it| Text::from(it.arn.as_str())).collect(), next))
    }
}

/// Each value that a batch reads has a record of its own.
fn event(call: &Call<'_>, id: &Text, error: Option<&Error>) -> Event {
    let denied = error.filter(|it| matches!(it, Error::Denied(_)));
    Event::OnBehalf {
        source: BatchGetSecretValue::SOURCE,
        resources: Vec::new(),
        name: "GetSecretValue",
        parameters: serde_json::json!({ "secretId": id.as_str() }),
        error: error.map(|it| (it.code().recorded, it.to_string())),
        denial: denied.and_then(|_| call.take_denial()),
    }
}
