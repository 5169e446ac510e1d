//! Gives a server the stored password again, by way of the engine: what dies half-way is taken up again.

use super::super::Admin;
use base::Uuid;
use secrets::rotation::Kind;
use secrets::rotation::view::{self, Declined, View};
use serde_json::json;
use service::audit::{self, Encoded};
use service::{Event, chain};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How a repair ended.
pub(super) enum Repaired {
    Done,
    Not(String),
}

/// How long the end of an attempt is waited for; it goes on without.
const PATIENCE: Duration = Duration::from_secs(90);
const BETWEEN: Duration = Duration::from_millis(50);

impl Admin {
    /// Has the engine find out which password the server has, and change it to the stored one.
    pub(super) async fn repair(&self, view: &View) -> Repaired {
        match self.ask_to_reconcile(view).await {
            Ok(Ok(())) => (),
            Ok(Err(declined)) => return Repaired::Not(why(declined).to_owned()),
            Err(fault) => return Repaired::Not(fault),
        }
        self.front.rotates.notify_one();
        let begun = Instant::now();
        loop {
            sleep(BETWEEN).await;
            match self.outcome(view).await {
                Ok(Some(repaired)) => return repaired,
                Ok(None) if PATIENCE < begun.elapsed() => {
                    return Repaired::Not("it is still being repaired".to_owned());
                }
                Ok(None) => (),
                Err(error) => return Repaired::Not(chain(&error)),
            }
        }
    }

    /// Stores the job, along with the record that an operator wanted it.
    async fn ask_to_reconcile(&self, view: &View) -> Result<Result<(), Declined>, String> {
        let front = &self.front;
        if let Some(arn) = view.rotation.as_ref().and_then(|it| it.function.as_deref())
            && self.grounds.whole().await.functions.native(arn).is_none()
        {
            return Ok(Err(Declined::NoFunction));
        }
        let details = json!({ "secretId": view.arn });
        loop {
            let mut txn = store::begin(&*front.backend);
            let fresh = (front.clock.now(), Uuid::random(&*front.entropy));
            let asked = view::ask_to_reconcile(&mut txn, view, fresh).await;
            let told = match asked.map_err(|error| chain(&error))? {
                Ok(told) => told,
                Err(declined) => return Ok(Err(declined)),
            };
            let record = self.operator_record(&view.place.account, "RepairRotation", &details);
            let mut records = vec![record.map_err(|error| chain(&error))?];
            let more: Option<Vec<_>> = told.iter().map(|it| self.record_of(view, it)).collect();
            records.extend(more.ok_or("no audit record")?);
            let done = service::commit_recorded(txn, &records, &*front.trail).await;
            if done.map_err(|error| chain(&error))? {
                tracing::info!(secret = view.arn, "a repair was asked for");
                return Ok(Ok(()));
            }
        }
    }

    /// The record of what the repair does to a rotation.
    fn record_of(&self, view: &View, event: &Event) -> Option<Encoded> {
        let Event::Service { source, name, details, request_id, .. } = event else { return None };
        let when = (self.front.clock.now(), Uuid::random(&*self.front.entropy));
        let place = (&view.place.account, &view.place.region);
        audit::of_service(source, place, when, (name, details, request_id))
    }

    /// How it ended, if it has.
    async fn outcome(&self, view: &View) -> Result<Option<Repaired>, store::Error> {
        let mut txn = store::begin(&*self.front.backend);
        let found = view::named(&mut txn, &view.place, &view.arn).await?;
        let Some(job) = found.and_then(|it| it.rotation).and_then(|it| it.job) else {
            return Ok(Some(Repaired::Done));
        };
        if job.kind != Kind::Reconcile {
            return Ok(Some(Repaired::Done));
        }
        Ok(match job.problem {
            Some(problem) if job.proof.is_none() => Some(Repaired::Not(problem.text)),
            _ => None,
        })
    }
}

fn why(declined: Declined) -> &'static str {
    match declined {
        Declined::Busy => "a rotation is under way, and finds out by itself",
        Declined::Gone => "the secret is gone",
        Declined::NoFunction => "only what a built-in function rotates is repaired",
    }
}
