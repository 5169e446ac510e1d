//! How rotations stand.

use super::super::Admin;
use super::super::answer::{Fault, Replied, ok};
use super::{FORM, Which, shown};
use base::Timestamp;
use http::StatusCode;
use secrets::rotation::view::{self, View};
use secrets::rotation::{Due, Job, Problem, Rotation};
use serde_json::{Value, json};
use std::time::Duration;

/// What is due is begun by then, unless something is wrong.
const GRACE: Duration = Duration::from_mins(1);

impl Admin {
    /// One secret, or a page of all that something is due of.
    pub(super) async fn rotation_status(&self, which: &Which, after: Option<&str>) -> Replied {
        // Nothing is written, so nothing is committed: all of a page is of one instant.
        let mut txn = store::begin(&*self.front.backend);
        let now = self.front.clock.now();
        if let Some(name) = &which.resource {
            let view = which.one(&mut txn, name).await?;
            return Ok(ok(&json!({ "Secrets": [row(&view, now)], "After": null })));
        }
        let after = after.filter(|it| !it.is_empty()).map(serde_json::from_str::<Due>);
        let after = after.transpose().map_err(|_| {
            Fault::new(StatusCode::BAD_REQUEST, "`After` is not what a page ended with", FORM)
        })?;
        let (page, next) = self.rotations_due(which, after.as_ref()).await?;
        let mut rows = Vec::with_capacity(page.len());
        for due in &page {
            rows.extend(view::at(&mut txn, due).await?.map(|it| row(&it, now)));
        }
        let next = next.and_then(|it| serde_json::to_string(&it).ok());
        Ok(ok(&json!({ "Secrets": rows, "After": next })))
    }
}

/// How one secret's rotation stands at `now`.
fn row(view: &View, now: Timestamp) -> Value {
    let none = Rotation::default();
    let rotation = view.rotation.as_ref().unwrap_or(&none);
    json!({
        "Name": view.name,
        "Arn": view.arn,
        "AccountId": view.place.account,
        "Region": view.place.region,
        "Function": rotation.function,
        "Enabled": rotation.enabled,
        "State": state(rotation),
        "Overdue": is_overdue(rotation, now),
        "LastRotated": rotation.rotated.map(shown),
        "NextAt": rotation.due().map(shown),
        "NextBy": rotation.next_date().map(shown),
        "Job": rotation.job.as_ref().map(job),
        "Problem": why(rotation).map(problem),
        "Versions": view.versions,
    })
}

/// Why the last attempt failed, or the last test if nothing has been tried since.
fn why(rotation: &Rotation) -> Option<&Problem> {
    match &rotation.job {
        Some(job) => job.problem.as_ref(),
        None => rotation.untested.as_ref(),
    }
}

/// In one word.
fn state(rotation: &Rotation) -> &'static str {
    match &rotation.job {
        Some(Job { problem: Some(Problem { operator: true, .. }), proof: None, .. }) => "stuck",
        Some(Job { proof: Some(_), .. }) => "running",
        // A new window gives so many attempts again.
        Some(Job { problem: Some(_), attempt: 0, .. }) => "failed",
        Some(Job { problem: Some(_), .. }) => "retrying",
        Some(_) => "waiting",
        None if rotation.function.is_none() => "never asked for",
        None if !rotation.enabled => "cancelled",
        None if rotation.next.is_some() => "scheduled",
        None => "on demand",
    }
}

/// Whether a window has closed without a rotation, or what is due isn't begun.
fn is_overdue(rotation: &Rotation, now: Timestamp) -> bool {
    let closed = rotation.next.filter(|_| rotation.enabled).is_some_and(|it| it.closes <= now);
    let waits = rotation.due().is_some_and(|it| it.plus(GRACE) < now);
    closed || (waits && state(rotation) != "running")
}

fn job(job: &Job) -> Value {
    json!({
        "VersionId": job.token.as_str(),
        "Kind": format!("{:?}", job.kind),
        "Phase": format!("{:?}", job.phase),
        "Attempt": job.attempt,
        "At": shown(job.at),
        "Started": shown(job.started),
    })
}

fn problem(problem: &Problem) -> Value {
    let Problem { at, step, text, operator } = problem;
    json!({ "At": shown(*at), "Step": step, "Text": text, "Operator": operator })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrets::rotation::Next;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn scheduled(opens: i64) -> Rotation {
        let next = Next { opens: at(opens), fires: at(opens + 10), closes: at(opens + 3600) };
        let function = Some("f".to_owned());
        Rotation { enabled: true, function, next: Some(next), ..Rotation::default() }
    }

    /// A job as the store has it.
    fn with_job(more: &Value) -> Rotation {
        let mut job = json!({
            "token": "t", "kind": "Rotate", "phase": "Setting", "attempt": 1,
            "at": at(1000), "started": at(1000),
        });
        if let (Some(job), Some(more)) = (job.as_object_mut(), more.as_object()) {
            job.extend(more.clone());
        }
        let job = serde_json::from_value(job).expect("a job");
        Rotation { job: Some(job), ..scheduled(0) }
    }

    #[test]
    fn a_word_for_each_state() {
        let failed = |operator: bool| json!({ "at": at(0), "step": "setSecret", "text": "no", "operator": operator });
        let cancelled = Rotation { enabled: false, ..scheduled(0) };
        let on_demand = Rotation { next: None, ..scheduled(0) };
        for (rotation, expected) in [
            (Rotation::default(), "never asked for"),
            (scheduled(0), "scheduled"),
            (cancelled, "cancelled"),
            (on_demand, "on demand"),
            (with_job(&json!({})), "waiting"),
            (with_job(&json!({ "proof": "p" })), "running"),
            (with_job(&json!({ "proof": "p", "problem": failed(true) })), "running"),
            (with_job(&json!({ "problem": failed(false) })), "retrying"),
            (with_job(&json!({ "problem": failed(false), "attempt": 0 })), "failed"),
            (with_job(&json!({ "problem": failed(true) })), "stuck"),
        ] {
            assert_eq!(state(&rotation), expected, "{rotation:?}");
        }
    }

    #[test]
    fn what_is_late_is_told_apart_from_what_has_begun() {
        let disabled = Rotation { enabled: false, ..scheduled(0) };
        for (rotation, now, expected) in [
            (scheduled(0), 70, false),
            (scheduled(0), 71, true),
            (disabled, 9000, false),
            (with_job(&json!({})), 1061, true),
            (with_job(&json!({ "proof": "p" })), 1061, false),
            (with_job(&json!({ "proof": "p" })), 3600, true),
        ] {
            assert_eq!(is_overdue(&rotation, at(now)), expected, "{now} {rotation:?}");
        }
    }
}
