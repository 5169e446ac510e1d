//! Reports of who last called which service: what a report is, and how it is made and kept.
//!
//! A report lists the services of this server that the policies of its subject allow, as they were when it was
//! made. What is told of actions within a service isn't kept, so such reports are refused.

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

/// A report without its lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// A UUID.
    pub(crate) id: String,
    /// Who asked for it: nobody else is told.
    by: String,
    /// When it was made.
    pub(crate) made: Timestamp,
    /// The services its subject may use, by name.
    pub(crate) services: Vec<String>,
}

/// A user or a role that may have called a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accessor {
    /// `USER` or `ROLE`.
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) arn: String,
    /// When it last did, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<Timestamp>,
    /// And in which Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
}

/// Those who may have called one service: who did last comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Accessors(pub(crate) Vec<Accessor>);

store::json_record!(Report, 1);
store::json_record!(Accessors, 1);

const fn reports<'a>() -> Table<(&'a AccountId, &'a str), Report> {
    Table::new(|(account, id)| place(account).with(id).key())
}

const fn parts<'a>() -> Table<(&'a AccountId, &'a str, &'a str), Accessors> {
    Table::new(|(account, id, service)| {
        Path::new("a").with(account).with("access-report-part").with(id).with(service).key()
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
        Self { kind, id, name, path, arn, at: None, region: None }
    }
}

/// Makes a report about `subject`; gives its id.
pub(crate) async fn make(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    subject: &Subject,
) -> Result<String, Error> {
    let account = &call.caller.account;
    forget_old(txn, account, call.now).await?;
    let id = id(call.entropy);
    let grants = subject.grants(txn, account).await?;
    let holders = subject.holders(txn, account).await?;
    let mut services = Vec::new();
    for (service, _) in SERVICES {
        if granting::of_service(&grants, service).next().is_none() {
            continue;
        }
        let mut accessors = Vec::new();
        for (id, holder) in &holders {
            let last = service_use::find(txn, (account, id), (service, call.now)).await?;
            let (at, region) = last.map(|it| (it.at, it.region)).unzip();
            accessors.push(Accessor { at, region, ..holder.clone() });
        }
        accessors.sort_by(|one, other| other.at.cmp(&one.at).then(one.name.cmp(&other.name)));
        txn.save(&parts(), &(account, &id, service), &Accessors(accessors))?;
        services.push(service.to_owned());
    }
    let report = Report { id: id.clone(), by: asker(call.caller), made: call.now, services };
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

/// Who may have called `service`, in the report `id`.
pub(crate) async fn accessors(
    txn: &mut Txn<'_>,
    account: &AccountId,
    (id, service): (&str, &str),
) -> Result<Vec<Accessor>, Error> {
    Ok(txn.find(&parts(), &(account, id, service)).await?.unwrap_or_default().0)
}

async fn forget_old(
    txn: &mut Txn<'_>,
    account: &AccountId,
    now: Timestamp,
) -> Result<(), store::Error> {
    let prefix = place(account).below();
    let page = txn.page::<Report>(KeyRange::prefix(&prefix), AT_ONCE, false).await?;
    for (_, old) in page.rows.iter().filter(|(_, it)| KEPT < now.since(it.made)) {
        txn.remove(&reports(), &(account, &old.id));
        for service in &old.services {
            txn.remove(&parts(), &(account, &old.id, service));
        }
    }
    Ok(())
}

const AT_ONCE: usize = 1000;
const KEPT: Duration = Duration::from_hours(7 * 24);
