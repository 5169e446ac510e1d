//! GetServiceLastAccessedDetailsWithEntities: which users and roles have called a service, by a report.

use crate::iam::accessed::{self, Accessor, Last};
use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, names, page};
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};
use wire::query::{instant, instant_option};

input! {
    /// Which report, which service, and from where.
    pub struct GetServiceLastAccessedDetailsWithEntities {
        job_id: Text,
        service_namespace: Text,
        max_items: Integer,
        marker: Text,
    }
}

/// A page of users and roles.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    job_status: &'static str,
    #[serde(serialize_with = "instant")]
    job_creation_date: Timestamp,
    #[serde(serialize_with = "instant")]
    job_completion_date: Timestamp,
    entity_details_list: Vec<Details>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// A user or a role, and when it last called the service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Details {
    entity_info: Info,
    #[serde(serialize_with = "instant_option")]
    last_authenticated: Option<Timestamp>,
}

/// A user or a role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Info {
    arn: String,
    name: String,
    r#type: String,
    id: String,
    path: String,
}

impl Details {
    fn of((it, last): (&Accessor, Option<&Last>)) -> Self {
        let Accessor { kind, id, name, path, arn, .. } = it;
        let [arn, name, r#type, id, path] = [arn, name, kind, id, path].map(String::clone);
        let last_authenticated = last.map(|it| it.at);
        Self { entity_info: Info { arn, name, r#type, id, path }, last_authenticated }
    }
}

impl Operation for GetServiceLastAccessedDetailsWithEntities {
    const NAME: &'static str = "GetServiceLastAccessedDetailsWithEntities";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetServiceLastAccessedDetailsWithEntities");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::job(found, self.job_id.as_ref());
        found.required("serviceNamespace", self.service_namespace.as_ref());
        found.length("serviceNamespace", self.service_namespace.as_ref(), 1..=64);
        names::namespace(found, self.service_namespace.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let text = |it: Option<&Text>| it.map_or("", Text::as_str).to_owned();
        let (id, service) = (text(self.job_id.as_ref()), text(self.service_namespace.as_ref()));
        let report = accessed::load(call, txn, &id).await?;
        if !report.services.contains(&service) {
            return Err(Error::Unfit(format!("The report doesn't have the service {service}.")));
        }
        let accessors = accessed::accessors(txn, &call.caller.account, &id).await?;
        let accessors = accessors.of(&service);
        let positions: Vec<String> = (0..accessors.len()).map(|it| format!("{it:05}")).collect();
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let items = positions.iter().map(String::as_str).zip(accessors);
        let (page, marker) = ask.of_items(items)?;
        let output = Output {
            job_status: "COMPLETED",
            job_creation_date: report.made,
            job_completion_date: report.made,
            entity_details_list: page.into_iter().map(Details::of).collect(),
            is_truncated: marker.is_some(),
            marker,
        };
        Ok(Answer::new(permit, output))
    }
}
