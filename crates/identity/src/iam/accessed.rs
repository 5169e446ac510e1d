//! Reports of who last called which service: what a report is, and how it is made and kept.
//!
//! A report lists the services of this server that the policies of its subject allow, as they were when it was
//! made. What is told of actions within a service isn't kept, so such reports are refused. Who asks again about
//! the same gets the same report, made anew; of an account's reports, the newest are kept.

use crate::entities::Role;
use crate::iam::granting::{self, Entity, Grant};
use crate::iam::holder::Parts;
use crate::iam::uses::{self, As};
use crate::iam::{Error, members};
use crate::service_use::{self, SERVICES, principal_of};
use crate::user::User;
use base::{AccountId, Entropy, Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use service::{Call, Caller};
use std::collections::BTreeMap;
use std::time::Duration;
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// A report without its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// A UUID.
    pub(crate) id: String,
    /// Who asked for it: nobody else is told.
    by: String,
    /// The ARN of its subject.
    about: String,
    /// How many users and roles it lists.
    listed: usize,
    /// When it was made.
    pub(crate) made: Timestamp,
    /// The services its subject may use, by name.
    pub(crate) services: Vec<String>,
}

/// A user or a role that may have called the services of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accessor {
    /// `USER` or `ROLE`.
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) arn: String,
    /// When it last called which of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    last: BTreeMap<String, Last>,
}

/// When, and in which Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last {
    pub(crate) at: Timestamp,
    pub(crate) region: String,
}

/// All of one report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Accessors(Vec<Accessor>);

impl Accessors {
    /// Who may have called `service`: who did last comes first.
    pub(crate) fn of(&self, service: &str) -> Vec<(&Accessor, Option<&Last>)> {
        let mut found: Vec<_> = self.0.iter().map(|it| (it, it.last.get(service))).collect();
        found.sort_by(|(one, last), (other, later)| {
            later.map(|it| it.at).cmp(&last.map(|it| it.at)).then(one.name.cmp(&other.name))
        });
        found
    }
}

store::json_record!(Report, 1);
store::json_record!(Accessors, 1);

const fn reports<'a>() -> Table<(&'a AccountId, &'a str), Report> {
    Table::new(|(account, id)| place(account).with(id).key())
}

const fn lists<'a>() -> Table<(&'a AccountId, &'a str), Accessors> {
    Table::new(|(account, id)| {
        Path::new("a").with(account).with("access-report-list").with(id).key()
    })
}

fn place(account: &AccountId) -> Path {
    Path::new("a").with(account).with("access-report")
}

/// Whom or what a report is about.
pub(crate) enum Subject {
    Entity(Entity),
    Policy(Grant),
}

impl Subject {
    /// What `arn` means in `account`.
    pub(crate) async fn find(
        txn: &mut Txn<'_>,
        account: &AccountId,
        arn: &str,
    ) -> Result<Option<Self>, Error> {
        if crate::iam::policies::find(txn, account, arn).await?.is_some() {
            return granting::of_managed(txn, account, arn).await.map(|it| Some(Self::Policy(it)));
        }
        Ok(Entity::find(txn, account, arn).await?.map(Self::Entity))
    }

    async fn grants(&self, txn: &mut Txn<'_>, account: &AccountId) -> Result<Vec<Grant>, Error> {
        match self {
            Self::Entity(entity) => entity.grants(txn, account).await,
            Self::Policy(grant) => Ok(vec![grant.clone()]),
        }
    }

    /// The users and roles that have what it gives, by their unique ids.
    async fn holders(
        &self,
        txn: &mut Txn<'_>,
        account: &AccountId,
    ) -> Result<BTreeMap<String, Accessor>, Error> {
        let mut holders = BTreeMap::new();
        let mut add = |it: Entity| holders.insert(it.parts().id.to_owned(), Accessor::of(&it));
        match self {
            Self::Entity(Entity::Group(group)) => {
                users_of(txn, account, &group.name).await?.into_iter().for_each(|it| drop(add(it)));
            }
            Self::Entity(entity) => drop(add(entity.clone())),
            Self::Policy(grant) => {
                let arn = grant.of.as_deref().unwrap_or_default();
                for by in uses::of(txn, account, (arn, As::Attached)).await? {
                    for it in users_of_use(txn, account, &by).await? {
                        add(it);
                    }
                }
            }
        }
        Ok(holders)
    }
}

/// The users of the group `name`.
async fn users_of(
    txn: &mut Txn<'_>,
    account: &AccountId,
    name: &str,
) -> Result<Vec<Entity>, Error> {
    let mut users = Vec::new();
    for name in members::all(txn, account, name).await? {
        users.extend(crate::user::find(txn, account, &name).await?.map(Entity::User));
    }
    Ok(users)
}

/// The role or the users that have a policy as `by` says.
async fn users_of_use(
    txn: &mut Txn<'_>,
    account: &AccountId,
    by: &uses::Use,
) -> Result<Vec<Entity>, Error> {
    use crate::iam::holder::Holder as _;
    Ok(match by.kind.as_str() {
        "group" => users_of(txn, account, &by.name).await?,
        "role" => Role::find(txn, account, &by.name).await?.map(Entity::Role).into_iter().collect(),
        _ => User::find(txn, account, &by.name).await?.map(Entity::User).into_iter().collect(),
    })
}

impl Accessor {
    fn of(entity: &Entity) -> Self {
        let kind = entity.kind().to_owned();
        let Parts { path, name, id, arn, .. } = entity.parts();
        let [path, name, id, arn] = [path, name, id, arn].map(str::to_owned);
        Self { kind, id, name, path, arn, last: BTreeMap::new() }
    }
}

/// Makes a report about `subject`, whose ARN is `about`; gives its id.
pub(crate) async fn make(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    (subject, about): (&Subject, &str),
) -> Result<String, Error> {
    let account = &call.caller.account;
    let by = asker(call.caller);
    let grants = subject.grants(txn, account).await?;
    let allowed = |it: &&str| granting::of_service(&grants, it).next().is_some();
    let services: Vec<&str> = SERVICES.iter().map(|it| it.0).filter(allowed).collect();
    let mut accessors = Accessors::default();
    for (id, mut holder) in subject.holders(txn, account).await? {
        for service in &services {
            let last = service_use::find(txn, (account, &id), (service, call.now)).await?;
            let last = last.map(|it| Last { at: it.at, region: it.region });
            holder.last.extend(last.map(|it| ((*service).to_owned(), it)));
        }
        accessors.0.push(holder);
    }
    let listed = accessors.0.len();
    let former = make_room(txn, (account, call.now), (&by, about), listed).await?;
    let id = former.unwrap_or_else(|| id(call.entropy));
    let services = services.into_iter().map(str::to_owned).collect();
    let report =
        Report { id: id.clone(), by, about: about.to_owned(), listed, made: call.now, services };
    txn.save(&lists(), &(account, &id), &accessors)?;
    txn.save(&reports(), &(account, &id), &report)?;
    Ok(id)
}

fn id(entropy: &dyn Entropy) -> String {
    Uuid::random(entropy).to_string()
}

/// Whoever asks, whatever its session.
fn asker(caller: &Caller) -> String {
    principal_of(caller).unwrap_or(&caller.principal_id).to_owned()
}

/// The report `id`, if the caller has asked for it.
pub(crate) async fn load(call: &Call<'_>, txn: &mut Txn<'_>, id: &str) -> Result<Report, Error> {
    let found = txn.find(&reports(), &(&call.caller.account, id)).await?;
    let found = found.filter(|it| it.by == asker(call.caller));
    found.ok_or_else(|| Error::Missing(format!("Job with id {id} cannot be found.")))
}

/// Who may have called the services of the report `id`.
pub(crate) async fn accessors(
    txn: &mut Txn<'_>,
    account: &AccountId,
    id: &str,
) -> Result<Accessors, Error> {
    Ok(txn.find(&lists(), &(account, id)).await?.unwrap_or_default())
}

/// Forgets what is old, and of the rest the oldest, until there is room for a report that lists `listed`. Gives the
/// id of the one that `by` has asked for about the same.
async fn make_room(
    txn: &mut Txn<'_>,
    (account, now): (&AccountId, Timestamp),
    (by, about): (&str, &str),
    listed: usize,
) -> Result<Option<String>, store::Error> {
    let prefix = place(account).below();
    let page = txn.page::<Report>(KeyRange::prefix(&prefix), MOST, false).await?;
    let mut kept: Vec<Report> = page.rows.into_iter().map(|it| it.1).collect();
    kept.sort_by_key(|it| std::cmp::Reverse(it.made));
    let is_same = |it: &Report| it.by == by && it.about == about && now.since(it.made) <= KEPT;
    let same = kept.iter().position(is_same).map(|it| kept.remove(it).id);
    let mut room = MOST_LISTED.saturating_sub(listed);
    for (newer, it) in kept.iter().enumerate() {
        room = room.saturating_sub(it.listed.max(1));
        if newer + 1 >= MOST || room == 0 || KEPT < now.since(it.made) {
            txn.remove(&reports(), &(account, &it.id));
            txn.remove(&lists(), &(account, &it.id));
        }
    }
    Ok(same)
}

/// Reports that an account has at a time.
const MOST: usize = 100;
/// Users and roles that they list, all together, where there is more than one.
const MOST_LISTED: usize = 20_000;
const KEPT: Duration = Duration::from_hours(7 * 24);
