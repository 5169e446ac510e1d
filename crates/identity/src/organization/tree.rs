//! The root, units and accounts.

use super::attached::{FULL_ACCESS_ID, RESOURCE_FULL_ACCESS_ID};
use super::{Error, Organization, Owner, corrupt, ids};
use base::{AccountId, Entropy, Timestamp};
use serde::{Deserialize, Serialize};
use service::{Held, Member};
use std::collections::BTreeMap;

/// A unit: accounts, and further units, that share policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unit {
    /// Unlike that of any other unit in the same place.
    pub(super) name: String,
    /// The id of the root or of another unit.
    pub(super) parent: String,
}

/// Units below each other.
///
/// Source: Organizations User Guide, "Quotas", as are all numbers here.
const DEPTH: usize = 5;
const UNITS: usize = 2000;
/// How the root is called where a unit's path may stand.
pub(super) const ROOT: &str = "root";

impl Organization {
    /// An organization with nobody in it but the management account.
    pub(super) fn new(
        (id, root): (String, String),
        management: AccountId,
        owner: Owner,
        created: Timestamp,
    ) -> Self {
        let none = BTreeMap::new;
        let (units, policies, attached) = (none(), BTreeMap::new(), BTreeMap::new());
        let accounts = BTreeMap::from([(management.clone(), root.clone())]);
        let mut made =
            Self { id, management, root, owner, created, units, accounts, policies, attached };
        for target in [made.root.clone(), made.management.to_string()] {
            made.dress(target);
        }
        made
    }

    /// Adds a unit below `parent`, a path or an id; gives its id.
    pub(super) fn add_unit(
        &mut self,
        parent: &str,
        name: &str,
        entropy: &dyn Entropy,
    ) -> Result<String, Error> {
        let id = ids::unit(&self.root, entropy, |it| self.units.contains_key(it));
        self.insert_unit(parent, name, id.clone())?;
        Ok(id)
    }

    /// Adds the unit `id` below `parent`, a path or an id.
    pub(super) fn insert_unit(
        &mut self,
        parent: &str,
        name: &str,
        id: String,
    ) -> Result<(), Error> {
        check_name(name)?;
        let parent = self.place_called(parent)?.to_owned();
        self.check_free(&parent, name)?;
        if UNITS <= self.units.len() {
            return Err(Error::TooMany { what: "units", limit: UNITS });
        }
        self.units.insert(id.clone(), Unit { name: name.to_owned(), parent });
        self.check_depth(&id)?;
        self.dress(id);
        Ok(())
    }

    /// Moves a unit, with all that is in it, below `to`.
    pub(super) fn move_unit(&mut self, unit: &str, to: &str) -> Result<(), Error> {
        let id = self.unit_called(unit)?.to_owned();
        let to = self.place_called(to)?.to_owned();
        if self.chain(&to)?.contains(&id.as_str()) {
            return Err(Error::Loop(unit.to_owned()));
        }
        let name = self.units.get(&id).map(|it| it.name.clone()).unwrap_or_default();
        self.check_free(&to, &name)?;
        if let Some(unit) = self.units.get_mut(&id) {
            unit.parent = to;
        }
        self.units.keys().try_for_each(|it| self.check_depth(it))
    }

    /// Removes a unit that nothing is in.
    pub(super) fn remove_unit(&mut self, unit: &str) -> Result<(), Error> {
        let id = self.unit_called(unit)?.to_owned();
        let used = self.units.values().any(|it| it.parent == id)
            || self.accounts.values().any(|it| *it == id);
        if used {
            return Err(Error::NotEmpty(unit.to_owned()));
        }
        self.units.remove(&id);
        self.attached.remove(&id);
        Ok(())
    }

    /// Puts `account` below `to`, whether it was in the organization or not.
    pub(super) fn place(&mut self, account: &AccountId, to: &str) -> Result<(), Error> {
        let to = self.place_called(to)?.to_owned();
        if self.accounts.insert(account.clone(), to).is_none() {
            self.dress(account.to_string());
        }
        Ok(())
    }

    /// Takes `account` out of the organization.
    pub(super) fn take_out(&mut self, account: &AccountId) -> Result<(), Error> {
        if *account == self.management {
            return Err(Error::Management(account.clone()));
        }
        let was = self.accounts.remove(account);
        was.ok_or_else(|| Error::AccountOutside(account.clone()))?;
        self.attached.remove(account.as_str());
        Ok(())
    }

    /// Whether only the management account is left.
    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty() && self.accounts.len() <= 1
    }

    /// The id of the root or unit that `text` names: `root`, a path such as `prod/eu`, or an id.
    pub(super) fn place_called(&self, text: &str) -> Result<&str, Error> {
        if text == ROOT || text == self.root {
            return Ok(&self.root);
        }
        self.unit_called(text)
    }

    fn unit_called(&self, text: &str) -> Result<&str, Error> {
        if let Some((id, _)) = self.units.get_key_value(text) {
            return Ok(id);
        }
        let step = |place: &str, name: &str| {
            let found = self.units.iter().find(|(_, it)| it.parent == place && it.name == name);
            found.map(|it| it.0.as_str())
        };
        let found = text.split('/').try_fold(self.root.as_str(), step);
        found.filter(|it| *it != self.root).ok_or_else(|| Error::UnitUnknown(text.to_owned()))
    }

    /// The id of what policies are attached to: a place, or an account in the organization.
    pub(super) fn target_called(&self, text: &str) -> Result<String, Error> {
        if let Ok(account) = text.parse::<AccountId>()
            && self.accounts.contains_key(&account)
        {
            return Ok(account.to_string());
        }
        let unknown = |_| Error::TargetUnknown(text.to_owned());
        self.place_called(text).map(str::to_owned).map_err(unknown)
    }

    /// The ids from the root down to `place`, which is one of them.
    pub(super) fn chain<'a>(&'a self, place: &'a str) -> Result<Vec<&'a str>, store::Error> {
        let mut chain = vec![place];
        let mut place = place;
        while place != self.root {
            let unit = self.units.get(place);
            let unit = unit.filter(|_| chain.len() <= self.units.len());
            let unit = unit.ok_or_else(|| corrupt(place, "a unit's parent is missing"))?;
            place = &unit.parent;
            chain.push(place);
        }
        chain.reverse();
        Ok(chain)
    }

    /// What requests are held against, with `held` the policies that are attached somewhere.
    pub(super) fn assemble(
        &self,
        held: &BTreeMap<String, Held>,
    ) -> Result<service::Organization, store::Error> {
        let mut levels = BTreeMap::new();
        for (target, policies) in &self.attached {
            levels.insert(target.as_str(), self.level((target, policies), held)?);
        }
        let mut members = BTreeMap::new();
        for (account, place) in &self.accounts {
            let chain = self.chain(place)?;
            let path = chain.iter().fold(format!("{}/", self.id), |path, it| path + it + "/");
            let mut member = Member { path: path.into(), ..Member::default() };
            if *account != self.management {
                for target in chain.iter().copied().chain([account.as_str()]) {
                    let level = levels.get(target);
                    let level = level.ok_or_else(|| corrupt(target, "it has no policies"))?;
                    member.service_control.push(level.service.clone());
                    member.resource_control.push(level.resource.clone());
                }
                member.resource_control.retain(|it| !it.is_empty());
            }
            members.insert(account.clone(), member);
        }
        Ok(service::Organization { id: self.id.as_str().into(), members })
    }

    /// Attaches to the new `target` what allows everything.
    fn dress(&mut self, target: String) {
        let all = [FULL_ACCESS_ID, RESOURCE_FULL_ACCESS_ID];
        self.attached.insert(target, all.map(str::to_owned).into());
    }

    fn check_free(&self, parent: &str, name: &str) -> Result<(), Error> {
        let mut siblings = self.units.values().filter(|it| it.parent == parent);
        // Paths begin below the root; one must not seem to be the root itself.
        if siblings.any(|it| it.name == name) || name == ROOT {
            return Err(Error::UnitExists(name.to_owned()));
        }
        Ok(())
    }

    fn check_depth(&self, unit: &str) -> Result<(), Error> {
        // The root is in the chain, too.
        if self.chain(unit)?.len() <= DEPTH + 1 {
            return Ok(());
        }
        Err(Error::Depth(self.units.get(unit).map(|it| it.name.clone()).unwrap_or_default()))
    }
}

/// Checks that `name` can name a unit or a policy.
pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let length = name.chars().count();
    if (1..=128).contains(&length) && !name.contains(|it: char| it == '/' || it.is_control()) {
        return Ok(());
    }
    Err(Error::Name(name.to_owned()))
}
