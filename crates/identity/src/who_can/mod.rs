//! Who could do something: everybody, one after the other, held against the same policies as requests are.
//!
//! Read [`Question`] first (what is asked), then [`page`] (about whom), then `verdict.rs` (what is found out).
//! A condition on something that only a request would tell counts as "may" and is handed back.
//!
//! Absent: sessions that one could begin. Whoever may assume a role is another question: who can
//! `sts:AssumeRole` it.

mod person;
mod verdict;

pub use verdict::{Finding, Step, Told};

use crate::entities::{self, Role};
use crate::iam::simulation::{Entity, Source};
use crate::user::{self, User};
use crate::{account, organization};
use base::{AccountId, Region};
use kms::exposure::Granted;
use person::Person;
use policy::engine::{Attached, Context, Door, Grammar, Policy};
use policy::{Document, Principal};
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;
use store::{KeyRange, Record, Txn};

/// One thing that must be allowed.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// `secretsmanager:GetSecretValue`.
    pub action: &'a str,
    /// The ARN of the resource; `None` for an action without one.
    pub resource: Option<&'a str>,
    /// Who owns it; `None` where that is whoever asks.
    pub owner: Option<&'a AccountId>,
    /// The Region in which it is asked, if that is known.
    pub region: Option<&'a Region>,
    /// The resource's own policies.
    pub policies: &'a [Attached<'a>],
    /// What those count for.
    pub door: Door,
    /// Whether it is a service's own, such as an AWS managed key: resource control policies leave it alone.
    pub of_service: bool,
    /// What is known of the resource.
    pub keys: &'a (dyn Context + Sync),
    /// Grants of a key.
    pub grants: &'a [Granted],
    /// When it must be allowed, if that isn't always: who isn't allowed can do all else.
    pub only_if: Option<&'a str>,
}

impl std::fmt::Debug for Question<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = out.debug_struct("Question");
        out.field("action", &self.action).field("resource", &self.resource);
        out.finish_non_exhaustive()
    }
}

/// Some of those who could.
#[derive(Debug, Default)]
pub struct Page {
    /// In the order of accounts, and of names in them.
    pub found: Vec<Finding>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// So many users and roles are looked at for one page.
const LOOKED_AT: usize = 200;

/// Those who could do all that is asked, from `after` on, which the page before has told. `named` are those
/// whom policies of the resource name.
///
/// # Errors
///
/// The store's; [`store::Error::Corrupt`] if a stored policy can't be understood.
pub async fn page(
    txn: &mut Txn<'_>,
    asked: &[Question<'_>],
    named: &[Principal],
    after: Option<&str>,
) -> Result<Page, crate::Error> {
    let mut place = Place::read(after.unwrap_or_default());
    let mut page = Page::default();
    let accounts = account::list_accounts(txn).await?;
    let organization = organization::in_force(txn).await?;
    let asked = (asked, organization.as_deref());
    let mut left = LOOKED_AT;
    let first = place.account.clone();
    for account in accounts.iter().filter(|it| it.id.as_str() >= first.as_str()) {
        if place.account != account.id.as_str() {
            place = Place { account: account.id.to_string(), ..Place::default() };
        }
        if place.step == Steps::Root {
            page.add(verdict::of(&Person::root(&account.id), asked));
            place.step = Steps::Roles;
        }
        while place.step != Steps::Done {
            if left == 0 {
                page.next = Some(place.written());
                return Ok(page);
            }
            let (entities, last) = place.some(txn, &account.id, left).await?;
            left -= entities.len().min(left);
            for entity in entities {
                let person = Person::of(txn, &account.id, entity).await?;
                page.add(verdict::of(&person, asked));
            }
            place.go_on(last);
        }
    }
    let mut seen = BTreeSet::new();
    for principal in named.iter().filter(|it| seen.insert(it.to_string())) {
        if let Some(person) = Person::named(txn, principal).await? {
            page.add(verdict::of(&person, asked));
        }
    }
    Ok(page)
}

impl Page {
    fn add(&mut self, finding: Option<Finding>) {
        self.found.extend(finding);
    }
}

/// Where a page begins.
#[derive(Clone, Debug, Default)]
struct Place {
    account: String,
    step: Steps,
    /// The key of the last row that was looked at, below the prefix.
    after: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Steps {
    #[default]
    Root,
    Roles,
    Users,
    Done,
}

impl Place {
    /// What can't be read is the beginning.
    fn read(text: &str) -> Self {
        let mut parts = text.splitn(3, '/');
        let account = parts.next().unwrap_or_default().to_owned();
        let step = match parts.next() {
            Some("role") => Steps::Roles,
            Some("user") => Steps::Users,
            _ => Steps::Root,
        };
        let after = parts.next().filter(|it| !it.is_empty()).map(str::to_owned);
        Self { account, step, after }
    }

    fn written(&self) -> String {
        let step = if self.step == Steps::Users { "user" } else { "role" };
        format!("{}/{step}/{}", self.account, self.after.as_deref().unwrap_or_default())
    }

    /// The next ones, and the last key if more follow.
    async fn some(
        &self,
        txn: &mut Txn<'_>,
        account: &AccountId,
        limit: usize,
    ) -> Result<(Vec<Entity>, Option<String>), store::Error> {
        if self.step == Steps::Roles {
            let prefix = entities::prefix(account, "role");
            let (rows, last) = rows::<Role>(txn, &prefix, self.after.as_deref(), limit).await?;
            return Ok((rows.into_iter().map(|it| Entity::Role(Arc::new(it))).collect(), last));
        }
        let (rows, last) =
            rows::<User>(txn, &user::prefix(account), self.after.as_deref(), limit).await?;
        Ok((rows.into_iter().map(|it| Entity::User(Arc::new(it))).collect(), last))
    }

    fn go_on(&mut self, last: Option<String>) {
        if last.is_none() {
            self.step = if self.step == Steps::Roles { Steps::Users } else { Steps::Done };
        }
        self.after = last;
    }
}

async fn rows<V: Record>(
    txn: &mut Txn<'_>,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<V>, Option<String>), store::Error> {
    let mut range = KeyRange::prefix(prefix);
    if let Some(after) = after {
        range.from = Bound::Excluded(format!("{prefix}{after}"));
    }
    let page = txn.page::<V>(range, limit, false).await?;
    let last = page.rows.last().filter(|_| page.more);
    let last = last.and_then(|it| it.0.strip_prefix(prefix)).map(str::to_owned);
    Ok((page.rows.into_iter().map(|it| it.1).collect(), last))
}

/// A role as those meet it who would assume it.
#[derive(Debug)]
pub struct Assumable {
    /// Its ARN.
    pub arn: String,
    /// The account that has it.
    pub account: AccountId,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    trust: Policy,
    text: String,
}

/// The role `arn`, if there is one.
///
/// # Errors
///
/// The store's; [`store::Error::Corrupt`] if its trust policy can't be understood.
pub async fn assumable(txn: &mut Txn<'_>, arn: &str) -> Result<Option<Assumable>, crate::Error> {
    let Some((account, role)) = person::role(txn, arn).await? else { return Ok(None) };
    let trust = Policy::compile_pinned(&role.trust, Grammar::Trust, &role.pins);
    let corrupt =
        |_| store::Error::Corrupt { key: arn.to_owned(), reason: "not a trust policy".to_owned() };
    let (text, tags) = (role.trust.clone(), role.tags.clone());
    Ok(Some(Assumable { arn: arn.to_owned(), account, tags, trust: trust.map_err(corrupt)?, text }))
}

impl Assumable {
    /// Its trust policy.
    pub fn attached(&self) -> Attached<'_> {
        Attached { id: "trust", policy: &self.trust }
    }

    /// Whom its trust policy names.
    pub fn named(&self) -> Vec<Principal> {
        let document = Document::parse(&self.text).ok();
        document.iter().flat_map(Document::principals).cloned().collect()
    }
}

impl Context for Assumable {
    fn find(&self, key: &str) -> Option<policy::engine::Values<'_>> {
        let name =
            ["aws:resourcetag/", "iam:resourcetag/"].iter().find_map(|it| key.strip_prefix(it))?;
        let found = self.tags.iter().find(|it| it.0.eq_ignore_ascii_case(name));
        found.map(|it| policy::engine::Values::one(&it.1))
    }

    fn is_open(&self, key: &str) -> bool {
        !key.contains("resourcetag/")
    }
}

/// A resource of which nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct Unknown;

impl Context for Unknown {
    fn find(&self, _key: &str) -> Option<policy::engine::Values<'_>> {
        None
    }

    fn is_open(&self, _key: &str) -> bool {
        true
    }
}

/// The policies of somebody, as the engine takes them.
fn attach(sources: &[Source]) -> Vec<Attached<'_>> {
    sources.iter().map(Source::attached).collect()
}
