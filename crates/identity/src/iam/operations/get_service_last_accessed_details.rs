//! GetServiceLastAccessedDetails: a report of when which service was last called, and by whom.

use crate::iam::accessed::{self, Accessors};
use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, names, page};
use crate::service_use::SERVICES;
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};
use wire::query::{instant, instant_option};

input! {
    /// Which report, and from where.
    pub struct GetServiceLastAccessedDetails {
        job_id: Text,
        max_items: Integer,
        marker: Text,
    }
}

/// A page of the report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    job_status: &'static str,
    job_type: &'static str,
    #[serde(serialize_with = "instant")]
    job_creation_date: Timestamp,
    services_last_accessed: Vec<OfService>,
    #[serde(serialize_with = "instant")]
    job_completion_date: Timestamp,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// When a service was last called.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OfService {
    service_name: &'static str,
    #[serde(serialize_with = "instant_option")]
    last_authenticated: Option<Timestamp>,
    service_namespace: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_entity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_region: Option<String>,
    total_authenticated_entities: usize,
}

impl OfService {
    /// Who was last comes first.
    fn of((namespace, name): (&'static str, &'static str), accessors: &Accessors) -> Self {
        let accessors = accessors.of(namespace);
        let last = accessors.first().and_then(|it| Some((it.0, it.1?)));
        Self {
            service_name: name,
            last_authenticated: last.map(|it| it.1.at),
            service_namespace: namespace,
            last_authenticated_entity: last.map(|it| it.0.arn.clone()),
            last_authenticated_region: last.map(|it| it.1.region.clone()),
            total_authenticated_entities: accessors.iter().filter(|it| it.1.is_some()).count(),
        }
    }
}

impl Operation for GetServiceLastAccessedDetails {
    const NAME: &'static str = "GetServiceLastAccessedDetails";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetServiceLastAccessedDetails");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::job(found, self.job_id.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let id = self.job_id.as_ref().map_or("", Text::as_str);
        let report = accessed::load(call, txn, id).await?;
        let known = SERVICES.iter().filter(|it| report.services.iter().any(|own| own == it.0));
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let (page, marker) = ask.of_items(known.map(|it| (it.0, *it)))?;
        let accessors = accessed::accessors(txn, &call.caller.account, id).await?;
        let of_service = |it: (&'static str, &'static str)| OfService::of(it, &accessors);
        let output = Output {
            job_status: "COMPLETED",
            job_type: "SERVICE_LEVEL",
            job_creation_date: report.made,
            services_last_accessed: page.into_iter().map(of_service).collect(),
            job_completion_date: report.made,
            is_truncated: marker.is_some(),
            marker,
        };
        Ok(Answer::new(permit, output))
    }
}
