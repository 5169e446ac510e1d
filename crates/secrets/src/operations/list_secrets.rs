//! ListSecrets: the secrets of an account and Region, filtered, sorted, in pages.

use crate::Error;
use crate::filters::{self, FiltersGiven};
use crate::listing::{self, Query, Sort};
use crate::operations::shown::Shown;
use crate::secret::Place;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Integer, Text};

input! {
    /// Which secrets, in which order, from where.
    pub struct ListSecrets {
        include_planned_deletion: Boolean,
        max_results: Integer,
        next_token: Text,
        filters: FiltersGiven,
        sort_order: Text,
        sort_by: Text,
    }
}

/// A page of secrets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    secret_list: Vec<Shown>,
}

pub(crate) const ACTION: Action = Action("secretsmanager:ListSecrets");

impl Operation for ListSecrets {
    const NAME: &'static str = "ListSecrets";
    const ACTION: Action = ACTION;
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        listing::constraints(found, self.max_results, self.next_token.as_ref());
        filters::constraints(found, self.filters.as_ref());
        found.one_of("sortOrder", self.sort_order.as_ref(), &["asc", "desc"]);
        found.one_of("sortBy", self.sort_by.as_ref(), &Sort::NAMES);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let query = Query {
            filters: filters::parse(self.filters.as_ref())?,
            include_deleted: self.include_planned_deletion.is_some_and(Boolean::get),
            sort: self.sort_by.as_ref().map(|it| Sort::named(it.as_str())).unwrap_or_default(),
            descending: self.sort_order.as_ref().is_some_and(|it| it.as_str() == "desc"),
        };
        let place = Place { account: call.caller.account.clone(), region: call.region.clone() };
        let limit = self.max_results.map_or(100, |it| usize::try_from(it.get()).unwrap_or(100));
        let token = self.next_token.as_ref().map(Text::as_str);
        let (secrets, next_token) = listing::page(txn, &place, &query, limit, token).await?;
        let secret_list = secrets.into_iter().map(Shown::listed).collect();
        Ok(Answer::new(permit, Output { next_token, secret_list }))
    }
}
