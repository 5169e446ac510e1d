//! Database users on request: a secret of the type [`DYNAMIC`] holds a template, and who reads it gets a user of
//! the own, for a while.
//!
//! Read [`Lease`] first (a row, and how far it has come), then [`ask`] (what GetSecretValue does) and [`work`] (what the
//! worker does: a transaction for each act). [`consent`] says whose rights a template may borrow.
//!
//! Invariants:
//!
//! - A user's password is on disk before a server hears of it, and is answered only when the user logs in.
//! - A row goes only when the server has said that the user is gone, or no server ever heard of it.
//! - What removing a user takes stands in its row: neither the secret nor its key is needed for it.
//! - A template counts only if whoever made it the current one may read the administrator's secret.

pub(crate) mod ask;
pub(crate) mod consent;
mod due;
mod events;
pub mod look;
mod rows;
pub mod template;
pub mod view;
pub mod work;

pub use due::Due;
pub(crate) use due::{DUE, sweep};
pub use template::{Server, Template};

use crate::rotation::Problem;
use crate::secret::{Place, Secret, SecretId};
use crate::stages::{Label, VersionId};
use base::Timestamp;
use serde::{Deserialize, Serialize};
use service::{Caller, Kind};
use std::time::Duration;

/// The `Type` of a secret whose value is a template.
pub const DYNAMIC: &str = "StrongroomDynamicDatabase";

/// A user of a database that somebody has, is to get, or had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its id: what its sealed password is bound to.
    pub id: VersionId,
    /// The secret's internal id.
    pub secret: SecretId,
    /// The secret's ARN.
    pub arn: String,
    /// The secret's name.
    pub name: String,
    /// The template that it was asked for by.
    pub version: VersionId,
    /// Who has it.
    pub holder: Holder,
    /// How far it has come.
    pub state: State,
    /// When it was asked for first.
    pub created: Timestamp,
    /// When it was last asked for, until it is there.
    pub asked: Timestamp,
    /// When it ends. Until its user is made: when it is no longer tried.
    pub expires: Timestamp,
    /// When it is to be looked at.
    pub at: Timestamp,
    /// How long it was made for.
    pub ttl: Duration,
    /// How long it can be made by renewals.
    pub most: Duration,
    /// Where the user is.
    pub server: Server,
    /// What removes the user, before the engine's own way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revocation: Vec<String>,
    /// The user's name; empty until it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// How many attempts have failed in a row.
    #[serde(default)]
    pub failures: u32,
    /// Why the last one failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// Why it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

store::json_record!(Lease, 1);

/// How far a lease has come. Each is stored before what comes next is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Somebody has asked for it; no server has heard of it.
    Wanted,
    /// It has a user's name and a password, of which a server may have heard.
    Making,
    /// Its user logs in.
    Active,
    /// Its user is to be removed.
    Ending,
}

/// Why a lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// It couldn't be made in time.
    Abandoned,
    /// Its time is over.
    Expired,
    /// Its holder, a user or a role, was deleted.
    HolderDeleted,
    /// Somebody has ended it.
    Revoked,
    /// Its secret was deleted, or is no dynamic one any more.
    SecretGone,
    /// There is another template.
    TemplateChanged,
}

/// Who has a lease: a user, or all sessions of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The unique id, `AIDA…` or `AROA…`: who has the name later is somebody else.
    pub id: String,
    /// The ARN, of a role's session that of the role.
    pub arn: String,
    /// The name, as it goes into the user's.
    pub name: String,
}

/// For so long it is tried to make a user that nobody asks for any more.
const WISH: Duration = Duration::from_mins(2);
/// So often it is looked whether a lease's holder is still there.
const LOOK: Duration = Duration::from_mins(5);

impl Holder {
    pub(crate) fn of(caller: &Caller) -> Self {
        let (id, arn) = match &caller.kind {
            Kind::RoleSession { role_arn, role_id } => (role_id, role_arn),
            _ => (&caller.principal_id, &caller.arn),
        };
        let name = if caller.user_name.is_empty() { "root" } else { &caller.user_name };
        Self { id: id.clone(), arn: arn.clone(), name: name.to_owned() }
    }

    /// Whether it is one of those that have a row while they are there.
    fn is_kept(&self) -> bool {
        self.id.starts_with("AIDA") || self.id.starts_with("AROA")
    }
}

impl Lease {
    /// A lease that somebody asks for now.
    fn wanted(
        (place_of, version): (&Secret, &VersionId),
        template: Template,
        holder: Holder,
        (id, now): (VersionId, Timestamp),
    ) -> Self {
        Self {
            id,
            secret: place_of.id.clone(),
            arn: place_of.arn.clone(),
            name: place_of.name.clone(),
            version: version.clone(),
            holder,
            state: State::Wanted,
            created: now,
            asked: now,
            expires: now.plus(WISH),
            at: now,
            ttl: template.ttl,
            most: template.most,
            server: template.server,
            revocation: template.revocation,
            username: String::new(),
            failures: 0,
            problem: None,
            end: None,
        }
    }

    /// Whether it is answered, or about to be: while a third of its time is left. After that there is another one,
    /// and who reads now and then never has one that ends at once.
    pub(crate) fn is_of_use(&self, now: Timestamp) -> bool {
        match self.state {
            State::Wanted | State::Making => now < self.gives_up(),
            State::Active => now.plus(self.ttl / 3) < self.expires,
            State::Ending => false,
        }
    }

    /// When it is no longer tried to make it.
    fn gives_up(&self) -> Timestamp {
        let wished = self.asked.plus(WISH);
        // What a user is made with says when it ends, however long somebody goes on asking.
        if self.state == State::Making { wished.min(self.expires) } else { wished }
    }

    /// Has it end, at once.
    pub(crate) fn ends(&mut self, end: End, now: Timestamp) {
        self.state = State::Ending;
        self.end = Some(end);
        self.at = now;
        self.failures = 0;
    }

    /// When an active one is to be looked at next.
    fn next_look(&self, now: Timestamp) -> Timestamp {
        if self.holder.is_kept() { self.expires.min(now.plus(LOOK)) } else { self.expires }
    }

    pub(crate) fn due(&self, place: &Place) -> Due {
        Due {
            at: self.at,
            account: place.account.clone(),
            region: place.region.clone(),
            secret: self.secret.clone(),
            lease: Some(self.id.clone()),
        }
    }
}

impl Secret {
    /// Whether its value is a template.
    pub(crate) fn is_dynamic(&self) -> bool {
        self.kind.as_deref() == Some(DYNAMIC)
    }

    /// The template that leases may be made by now.
    pub(crate) fn template(&self) -> Option<&VersionId> {
        let agreed = self.agreed.as_ref().filter(|_| self.is_dynamic() && self.deletion.is_none());
        agreed.filter(|it| self.stages.holder(&Label::CURRENT) == Some(it))
    }

    /// Why a lease of it that was made by `version` can't stay.
    pub(crate) fn ends(&self, version: &VersionId) -> Option<End> {
        match self.template() {
            Some(current) if current == version => None,
            Some(_) => Some(End::TemplateChanged),
            None if self.is_dynamic() && self.deletion.is_none() => Some(End::TemplateChanged),
            None => Some(End::SecretGone),
        }
    }
}
