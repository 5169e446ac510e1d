//! An organization that the configuration describes as a whole.

use super::attached::{Control, FULL_ACCESS, Named, RESOURCE_FULL_ACCESS};
use super::tree::ROOT;
use super::{
    DOCUMENTS, Document, Done, Error, ORGANIZATION, Organization, Owner, announce, find, ids, save,
};
use base::{AccountId, Entropy, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use store::Txn;

/// An organization as the configuration describes it. Units go by their paths, policies by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its id; drawn at the first start if there is none.
    pub id: Option<String>,
    /// The account that no control policy concerns.
    pub management: AccountId,
    /// What is directly below the root.
    pub root: Holding,
    /// By path: `prod`, `prod/eu`.
    pub units: BTreeMap<String, Holding>,
    /// What is attached to accounts themselves.
    pub accounts: BTreeMap<AccountId, Controls>,
    /// By name.
    pub policies: BTreeMap<String, DeclaredPolicy>,
}

/// What is in a place, and attached to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// The accounts.
    pub accounts: Vec<AccountId>,
    /// The policies.
    pub controls: Controls,
}

/// Names of policies attached to one target: all of them, or nothing for what allows everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// Service control policies.
    pub service: Option<Vec<String>>,
    /// Resource control policies besides `RCPFullAWSAccess`, which is always attached.
    pub resource: Option<Vec<String>>,
}

/// A policy as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredPolicy {
    /// Its kind.
    pub control: Control,
    /// Its text.
    pub text: String,
    /// What it is for.
    pub description: Option<String>,
}

/// An organization and the texts of its policies, by id.
type Built = (Organization, BTreeMap<String, String>);

impl Declared {
    /// All accounts it names, some perhaps more than once. They need not exist: one may be made later.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        let held = std::iter::once(&self.root).chain(self.units.values());
        let placed = held.flat_map(|it| &it.accounts);
        std::iter::once(&self.management).chain(placed).chain(self.accounts.keys())
    }

    /// Looks for mistakes.
    ///
    /// # Errors
    ///
    /// [`Error`]: the first one.
    pub fn check(&self) -> Result<(), Error> {
        self.build(None, (&Counting::default(), Timestamp::default())).map(drop)
    }

    /// The organization this describes. What was there `before` keeps its ids.
    fn build(
        &self,
        before: Option<&Organization>,
        (entropy, now): (&dyn Entropy, Timestamp),
    ) -> Result<Built, Error> {
        let id = self.id.clone().or_else(|| before.map(|it| it.id.clone()));
        let id = id.unwrap_or_else(|| ids::organization(entropy));
        if !ids::is_organization(&id) {
            return Err(Error::Id(id));
        }
        let root = before.map_or_else(|| ids::root(entropy), |it| it.root.clone());
        let created = before.map_or(now, |it| it.created);
        let owner = Owner::Configuration;
        let mut made = Organization::new((id, root), self.management.clone(), owner, created);
        let texts = self.add_policies(&mut made, before, entropy)?;
        self.add_units(&mut made, before, entropy)?;
        self.place_accounts(&mut made)?;
        made.dress_as(ROOT, &self.root.controls)?;
        for (path, unit) in &self.units {
            made.dress_as(path, &unit.controls)?;
        }
        for (account, controls) in &self.accounts {
            made.dress_as(account.as_str(), controls)?;
        }
        Ok((made, texts))
    }

    fn add_policies(
        &self,
        made: &mut Organization,
        before: Option<&Organization>,
        entropy: &dyn Entropy,
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut texts = BTreeMap::new();
        for (name, DeclaredPolicy { control, text, description }) in &self.policies {
            let known = before.and_then(|it| it.own_policy_called(name).ok());
            let taken = |it: &str| {
                made.policies.contains_key(it)
                    || before.is_some_and(|before| before.policies.contains_key(it))
            };
            let id = match known.filter(|it| it.1 == *control) {
                Some((id, _)) => id,
                None => ids::policy(entropy, taken),
            };
            let description = description.clone();
            let named = Named { name: name.clone(), control: *control, description };
            made.insert_policy(named, text, id.clone())?;
            texts.insert(id, text.clone());
        }
        Ok(texts)
    }

    fn add_units(
        &self,
        made: &mut Organization,
        before: Option<&Organization>,
        entropy: &dyn Entropy,
    ) -> Result<(), Error> {
        // A path comes before the paths below it.
        for path in self.units.keys() {
            let (parent, name) = path.rsplit_once('/').unwrap_or((ROOT, path));
            let known = before.and_then(|it| it.place_called(path).ok());
            let known = known.filter(|it| it.starts_with("ou-") && !made.units.contains_key(*it));
            match known {
                Some(id) => made.insert_unit(parent, name, id.to_owned())?,
                None => drop(made.add_unit(parent, name, entropy)?),
            }
        }
        Ok(())
    }

    fn place_accounts(&self, made: &mut Organization) -> Result<(), Error> {
        let mut placed = BTreeMap::new();
        let units = self.units.iter().map(|(path, it)| (path.as_str(), it));
        for (path, holding) in units.chain([(ROOT, &self.root)]) {
            for account in &holding.accounts {
                if placed.insert(account, path).is_some() {
                    return Err(Error::AccountTwice(account.clone()));
                }
                made.place(account, path)?;
            }
        }
        match self.accounts.keys().find(|it| !made.accounts.contains_key(*it)) {
            Some(outside) => Err(Error::AccountOutside(outside.clone())),
            None => Ok(()),
        }
    }
}

impl Organization {
    /// Attaches to the new `target` what `controls` says instead of what allows everything.
    fn dress_as(&mut self, target: &str, controls: &Controls) -> Result<(), Error> {
        let place = self.target_called(target)?;
        self.attached.insert(place, Vec::new());
        let all = [FULL_ACCESS.to_owned()];
        let service = controls.service.as_deref().unwrap_or(&all);
        if service.is_empty() {
            return Err(Error::LastPolicy(target.to_owned()));
        }
        for name in service {
            self.attach_as(Control::Service, name, target)?;
        }
        self.attach_as(Control::Resource, RESOURCE_FULL_ACCESS, target)?;
        let resource = controls.resource.iter().flatten();
        for name in resource.filter(|it| *it != RESOURCE_FULL_ACCESS) {
            self.attach_as(Control::Resource, name, target)?;
        }
        Ok(())
    }

    fn attach_as(&mut self, control: Control, policy: &str, target: &str) -> Result<(), Error> {
        if self.policy_called(policy)?.1 != control {
            return Err(Error::WrongControl { policy: policy.to_owned(), control });
        }
        self.attach(policy, target)
    }
}

/// Makes the organization in `txn` what the configuration declares. Without a declaration, one that was the
/// configuration's stays as it is, and is the operator's from then on.
///
/// Gives what was done, with its name for the audit trail; nothing if all was so already.
///
/// # Errors
///
/// [`Error`]: the declaration has a mistake, or means another organization; nothing is to be committed.
pub async fn apply(
    txn: &mut Txn<'_>,
    declared: Option<&Declared>,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Option<(&'static str, Done)>, Error> {
    let found = find(txn).await?;
    let Some(declared) = declared else { return release(txn, found, entropy).await };
    if let Some(found) = &found {
        let same = declared.id.as_ref().is_some_and(|it| *it == found.id);
        let free = declared.id.is_none() && found.owner == Owner::Configuration;
        if !same && !free {
            return Err(Error::Other { found: found.id.clone() });
        }
    }
    let (made, texts) = declared.build(found.as_ref(), (entropy, now))?;
    let mut changed = found.as_ref() != Some(&made);
    for (id, text) in &texts {
        let known = txn.find(&DOCUMENTS, id).await?;
        if known.is_none_or(|it| it.0 != *text) {
            changed = true;
            txn.save(&DOCUMENTS, id, &Document(text.clone()))?;
        }
    }
    if !changed {
        return Ok(None);
    }
    let former = found.iter().flat_map(|it| it.policies.keys());
    for id in former.filter(|it| !texts.contains_key(*it)) {
        txn.remove(&DOCUMENTS, id);
    }
    save(txn, &made, entropy).await?;
    let ids = json!({ "OrganizationId": made.id, "RootId": made.root });
    Ok(Some(("ConfigureOrganization", Done { management: made.management, ids })))
}

async fn release(
    txn: &mut Txn<'_>,
    found: Option<Organization>,
    entropy: &dyn Entropy,
) -> Result<Option<(&'static str, Done)>, Error> {
    let Some(mut found) = found.filter(|it| it.owner == Owner::Configuration) else {
        return Ok(None);
    };
    found.owner = Owner::Operator;
    txn.save(&ORGANIZATION, &(), &found.clone().into())?;
    announce(txn, entropy).await?;
    let done = Done { management: found.management, ids: json!({ "OrganizationId": found.id }) };
    Ok(Some(("ReleaseOrganization", done)))
}

/// No chance at all: for ids that are thrown away again.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        out.iter_mut().zip(count.to_be_bytes().iter().cycle()).for_each(|(it, byte)| *it = *byte);
    }
}
