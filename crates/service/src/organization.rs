//! The organization that accounts may belong to, as requests are held against it.
//!
//! `identity` keeps it and puts it together; here is what of it a decision needs.

use crate::Held;
use base::AccountId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An organization: its id, and which control policies stand over which account.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// `o-a1b2c3d4e5`.
    pub id: Box<str>,
    /// Every account in it, the management account included.
    pub members: BTreeMap<AccountId, Member>,
}

/// An account's place in an organization.
///
/// The management account has no policies here, whatever is attached above it: they don't concern it.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// From the organization down to the last unit, with a `/` at the end: `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`.
    pub path: Box<str>,
    /// Service control policies by level, from the root down to the account.
    pub service_control: Vec<Arc<[Held]>>,
    /// Resource control policies by level, likewise, without those that allow everything.
    pub resource_control: Vec<Arc<[Held]>>,
}

impl Organization {
    /// The organization's id, if `account` is in it.
    pub fn id_for(&self, account: &AccountId) -> Option<&str> {
        self.members.contains_key(account).then_some(&*self.id)
    }

    /// Where `account` is, if it is in it.
    pub fn path_of(&self, account: &AccountId) -> Option<&str> {
        self.members.get(account).map(|it| &*it.path)
    }
}
