//! Leases as an operator sees them: which there are, which end now, which end later.

use super::answer::{Fault, Replied, ok};
use super::rotation::{Which, absent};
use super::{Admin, read};
use base::{AccountId, Region};
use http::{Method, StatusCode};
use hyper::body::Incoming;
use secrets::lease::template::span;
use secrets::lease::view;
use secrets::lease::work::Task;
use secrets::lease::{Due, State};
use serde::Deserialize;
use serde_json::{Value, json};
use service::chain;
use std::time::Duration;
use store::Txn;
use wire::query::Parameters;

/// Which leases end: one, those of a secret, or those of a principal.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(super) struct Revoke {
    lease: Option<String>,
    resource: Option<String>,
    principal: Option<String>,
    account_id: Option<AccountId>,
    region: Option<Region>,
}

/// Which lease ends later, and how long from now: `30m`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Renew {
    lease: String,
    #[serde(default)]
    ttl: Option<String>,
}

/// Rows looked at for one page.
const PAGE: usize = 256;
const FORM: &str = "ask as in `strongroom lease list`";

impl Admin {
    /// Answers what is asked for below `leases`.
    pub(super) async fn leases(
        &self,
        (method, what, query): (&Method, &[&str], &str),
        body: Incoming,
    ) -> Replied {
        match (method, what) {
            (&Method::GET, []) => self.list_leases(query).await,
            (&Method::POST, ["renew"]) => self.renew_lease(&read(body).await?).await,
            (&Method::POST, ["revoke"]) => self.revoke_leases(&read(body).await?).await,
            _ => Err(Fault::unknown()),
        }
    }

    /// A page of all leases, or those of a secret.
    async fn list_leases(&self, query: &str) -> Replied {
        let given = Parameters::parse(query.as_bytes());
        let which = Which::read(&given)?;
        // Nothing is written, so nothing is committed: all of a page is of one instant.
        let mut txn = store::begin(&*self.front.backend);
        if let Some(name) = &which.resource {
            let found = of_secret(&mut txn, &which, name).await?;
            let leases: Vec<_> = found.iter().map(row).collect();
            return Ok(ok(&json!({ "Leases": leases, "After": null })));
        }
        let after = given.get("After").filter(|it| !it.is_empty());
        let after = after.map(serde_json::from_str::<Due>).transpose().map_err(|_| {
            Fault::new(StatusCode::BAD_REQUEST, "`After` is not what a page ended with", FORM)
        })?;
        let (found, next) = view::all(&mut txn, after.as_ref(), PAGE).await?;
        let found = found.iter().filter(|it| which.includes_place(&it.place));
        let leases: Vec<_> = found.map(row).collect();
        let next = next.and_then(|it| serde_json::to_string(&it).ok());
        Ok(ok(&json!({ "Leases": leases, "After": next })))
    }

    /// Ends leases now; their users are removed soon after.
    async fn revoke_leases(&self, wanted: &Revoke) -> Replied {
        let mut revoked = 0;
        for task in self.meant(wanted).await? {
            revoked += u64::from(self.revoke_lease(&task).await?);
        }
        self.front.barrier.wake();
        Ok(ok(&json!({ "Revoked": revoked })))
    }

    /// Has a lease end later, as far as its template allows.
    async fn renew_lease(&self, wanted: &Renew) -> Replied {
        let mut txn = store::begin(&*self.front.backend);
        let task = one(&mut txn, &wanted.lease).await?;
        let lease = &task.lease;
        if lease.state != State::Active {
            let fact = "the lease has no user yet, or ends already";
            return Err(Fault::new(StatusCode::CONFLICT, fact, "read the secret again"));
        }
        let ttl = wanted.ttl.as_deref().map(seconds).transpose()?.unwrap_or(lease.ttl);
        let until = self.front.clock.now().plus(ttl).min(lease.created.plus(lease.most));
        // It is asked to end later, never sooner: that is what `revoke` is for.
        let until = until.max(lease.expires);
        let details = json!({
            "secretId": lease.arn, "leaseId": lease.id.as_str(), "expires": until.to_string(),
        });
        self.record_act(&task.place.account, "RenewLease", &details).await?;
        let ground = self.grounds.whole().await;
        let told = |it: rotation::Trouble| {
            let fact = chain(&it);
            Fault::new(StatusCode::BAD_GATEWAY, fact, "the lease ends when it would have")
        };
        ground.renew(&task, until).await.map_err(told)?;
        self.front.barrier.wake();
        let mut txn = store::begin(&*self.front.backend);
        let task = one(&mut txn, &wanted.lease).await?;
        Ok(ok(&row(&task)))
    }

    /// The leases that are meant.
    async fn meant(&self, wanted: &Revoke) -> Result<Vec<Task>, Fault> {
        let mut txn = store::begin(&*self.front.backend);
        match (&wanted.lease, &wanted.resource, &wanted.principal) {
            (Some(id), None, None) => Ok(vec![one(&mut txn, id).await?]),
            (None, Some(name), None) => {
                let (account_id, region) = (wanted.account_id.clone(), wanted.region.clone());
                let which = Which::at(account_id, region);
                of_secret(&mut txn, &which, name).await
            }
            (None, None, Some(principal)) => {
                let meant = of_principal(&mut txn, principal).await?;
                if meant.is_empty() {
                    let fact = format!("`{principal}` has no lease");
                    let hint = "`strongroom lease list` shows whose they are";
                    return Err(Fault::new(StatusCode::NOT_FOUND, fact, hint));
                }
                Ok(meant)
            }
            _ => {
                let fact = "name one lease, or one secret, or one principal";
                Err(Fault::new(
                    StatusCode::BAD_REQUEST,
                    fact,
                    "see `strongroom lease revoke --help`",
                ))
            }
        }
    }

    /// Ends one, along with the record that an operator wanted it. `false` if it ends already.
    async fn revoke_lease(&self, task: &Task) -> Result<bool, Fault> {
        let front = &self.front;
        let details = json!({ "secretId": task.lease.arn, "leaseId": task.lease.id.as_str() });
        loop {
            let mut txn = store::begin(&*front.backend);
            if !view::revoke(&mut txn, task, front.clock.now()).await? {
                return Ok(false);
            }
            let record = self.operator_record(&task.place.account, "RevokeLease", &details)?;
            if service::commit_recorded(txn, &[record], &*front.trail).await? {
                return Ok(true);
            }
        }
    }
}

fn seconds(text: &str) -> Result<Duration, Fault> {
    let fact = || format!("`{text}` is no time");
    let none = || Fault::new(StatusCode::BAD_REQUEST, fact(), "such as `30m` or `2h`");
    span(text).filter(|it| *it > 0).map(Duration::from_secs).ok_or_else(none)
}

async fn one(txn: &mut Txn<'_>, id: &str) -> Result<Task, Fault> {
    view::named(txn, id).await?.ok_or_else(|| {
        let fact = format!("there is no lease `{id}`");
        Fault::new(StatusCode::NOT_FOUND, fact, "`strongroom lease list` shows them all")
    })
}

/// The leases of a principal, by its ARN, its unique id, or what is behind the ARN's account: `user/app`.
async fn of_principal(txn: &mut Txn<'_>, principal: &str) -> Result<Vec<Task>, Fault> {
    let has = |it: &Task| {
        let holder = &it.lease.holder;
        let short = base::Arn::parse(&holder.arn).ok().map(|it| it.resource);
        holder.arn == principal || holder.id == principal || short == Some(principal)
    };
    let (mut meant, mut after) = (Vec::new(), None);
    loop {
        let (found, next) = view::all(txn, after.as_ref(), PAGE).await?;
        meant.extend(found.into_iter().filter(has));
        if next.is_none() {
            return Ok(meant);
        }
        after = next;
    }
}

async fn of_secret(txn: &mut Txn<'_>, which: &Which, name: &str) -> Result<Vec<Task>, Fault> {
    let place = which.place(txn, name).await?;
    view::of_secret(txn, &place, name).await?.ok_or_else(|| absent(&place, name))
}

/// A lease as it is shown. Of passwords nothing is known here.
fn row(task: &Task) -> Value {
    let (place, lease) = (&task.place, &task.lease);
    let problem = lease.problem.as_ref().map(|it| {
        json!({ "At": it.at.to_string(), "Step": it.step, "Text": it.text, "Failures": lease.failures })
    });
    json!({
        "LeaseId": lease.id.as_str(),
        "SecretName": lease.name,
        "SecretArn": lease.arn,
        "AccountId": place.account,
        "Region": place.region,
        "PrincipalArn": lease.holder.arn,
        "PrincipalId": lease.holder.id,
        "Username": lease.username,
        "Engine": lease.server.engine,
        "Host": lease.server.host,
        "Port": lease.server.port,
        "State": lease.state,
        "Reason": lease.end,
        "Created": lease.created.to_string(),
        "Expires": lease.expires.to_string(),
        "Next": lease.at.to_string(),
        "Problem": problem,
    })
}
