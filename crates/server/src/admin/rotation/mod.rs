//! Rotations as an operator sees them: how they stand, what the next one would do, which values log in.

mod plan;
mod repair;
mod status;
mod verify;

use super::answer::{Fault, Replied};
use super::{Admin, who_can};
use crate::start::DEFAULT_REGION;
use base::{AccountId, Arn, Region, Timestamp};
use http::StatusCode;
use secrets::rotation::view::{self, View};
use secrets::rotation::work::Work;
use secrets::rotation::{Due, look};
use secrets::secret::Place;
use serde::Deserialize;
use service::Ports;
use std::time::Duration;
use store::Txn;
use wire::query::Parameters;

/// Which secrets are meant.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub(super) struct Which {
    /// A name or an ARN; without: all that rotate.
    pub(super) resource: Option<String>,
    account_id: Option<AccountId>,
    region: Option<Region>,
    /// What doesn't log in is made to.
    repair: bool,
}

const FORM: &str = "ask as in `strongroom rotation status NAME`";

impl Admin {
    /// Answers what only looks.
    pub(super) async fn rotation(&self, what: &str, query: &str) -> Replied {
        let given = Parameters::parse(query.as_bytes());
        let which = Which::read(&given)?;
        match what {
            "status" => self.rotation_status(&which, given.get("After")).await,
            "plan" => self.rotation_plan(&which).await,
            _ => Err(Fault::unknown()),
        }
    }

    /// By how much the first rotation is late.
    pub(super) async fn lateness(&self) -> Result<Duration, store::Error> {
        let work = self.rotation_work();
        let first = look::due(work, None, 1).await?;
        Ok(first.first().map_or(Duration::ZERO, |it| work.now.since(it.at)))
    }

    fn rotation_work(&self) -> Work<'_> {
        let front = &*self.front;
        Work {
            ports: Ports { backend: &*front.backend, trail: &*front.trail, turns: &front.turns },
            keyring: &front.keyring,
            entropy: &*front.entropy,
            now: front.clock.now(),
        }
    }

    /// Rows of what falls due, after `after`, that are of `which`; and where the next page begins.
    async fn rotations_due(
        &self,
        which: &Which,
        after: Option<&Due>,
    ) -> Result<(Vec<Due>, Option<Due>), store::Error> {
        let mut page = look::due(self.rotation_work(), after, PAGE).await?;
        let next = page.last().filter(|_| page.len() == PAGE).cloned();
        page.retain(|it| which.includes(it));
        Ok((page, next))
    }
}

/// Rows looked at for one page.
const PAGE: usize = 256;

impl Which {
    pub(super) fn read(given: &Parameters<'_>) -> Result<Self, Fault> {
        let given = |name: &str| given.get(name).filter(|it| !it.is_empty());
        let malformed =
            |it: base::Malformed| Fault::new(StatusCode::BAD_REQUEST, it.to_string(), FORM);
        Ok(Self {
            resource: given("Resource").map(str::to_owned),
            account_id: given("AccountId").map(str::parse).transpose().map_err(malformed)?,
            region: given("Region").map(str::parse).transpose().map_err(malformed)?,
            repair: false,
        })
    }

    /// All of a place, as far as it is named.
    pub(super) fn at(account_id: Option<AccountId>, region: Option<Region>) -> Self {
        Self { account_id, region, ..Self::default() }
    }

    fn includes(&self, due: &Due) -> bool {
        self.account_id.as_ref().is_none_or(|it| *it == due.account)
            && self.region.as_ref().is_none_or(|it| *it == due.region)
    }

    pub(super) fn includes_place(&self, place: &Place) -> bool {
        self.account_id.as_ref().is_none_or(|it| *it == place.account)
            && self.region.as_ref().is_none_or(|it| *it == place.region)
    }

    /// The one secret that is named.
    async fn one(&self, txn: &mut Txn<'_>, name: &str) -> Result<View, Fault> {
        let place = self.place(txn, name).await?;
        let found = view::named(txn, &place, name).await?;
        found.ok_or_else(|| absent(&place, name))
    }

    /// Where the secret `name` is looked for.
    pub(super) async fn place(&self, txn: &mut Txn<'_>, name: &str) -> Result<Place, Fault> {
        let arn = Arn::parse(name).ok();
        let account = match (&self.account_id, arn.and_then(|it| it.account())) {
            (Some(account), _) => account.clone(),
            (None, Some(account)) => account,
            (None, None) => who_can::only_account(txn).await?,
        };
        let region = match (&self.region, arn.and_then(|it| it.region.parse().ok())) {
            (Some(region), _) => region.clone(),
            (None, Some(region)) => region,
            (None, None) => DEFAULT_REGION.parse().map_err(|it: base::Malformed| {
                Fault::new(StatusCode::BAD_REQUEST, it.to_string(), FORM)
            })?,
        };
        Ok(Place { account, region })
    }

    fn named(&self) -> Result<&str, Fault> {
        let fact = "no secret is named";
        self.resource.as_deref().ok_or_else(|| Fault::new(StatusCode::BAD_REQUEST, fact, FORM))
    }
}

/// That there is no secret `name`.
pub(super) fn absent(place: &Place, name: &str) -> Fault {
    let fact = format!("there is no secret `{name}` in {}, {}", place.account, place.region);
    Fault::new(StatusCode::NOT_FOUND, fact, "name another place with --account and --region")
}

/// An instant as it is written.
fn shown(at: Timestamp) -> String {
    at.to_string()
}
