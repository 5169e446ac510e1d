//! Control policies, and what they are attached to.

use super::tree::check_name;
use super::{Error, Organization, corrupt, ids};
use base::Entropy;
use policy::engine::{Grammar, Policy};
use serde::{Deserialize, Serialize};
use service::Held;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What a control policy controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Control {
    /// What may be done with the resources of accounts, by anyone.
    #[serde(rename = "RESOURCE_CONTROL_POLICY", alias = "rcp")]
    Resource,
    /// What the users and roles of accounts may do.
    #[serde(rename = "SERVICE_CONTROL_POLICY", alias = "scp")]
    Service,
}

/// A policy without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) control: Control,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
}

/// What is attached at one target.
pub(super) struct Level {
    pub(super) service: Arc<[Held]>,
    pub(super) resource: Arc<[Held]>,
}

/// The policy that allows all that service control policies can; attached to whatever is new.
pub const FULL_ACCESS: &str = "FullAWSAccess";
/// Likewise for resources. It is attached everywhere and can't be detached.
pub const RESOURCE_FULL_ACCESS: &str = "RCPFullAWSAccess";
pub(super) const FULL_ACCESS_ID: &str = "p-FullAWSAccess";
pub(super) const RESOURCE_FULL_ACCESS_ID: &str = "p-RCPFullAWSAccess";
pub(super) const FULL_ACCESS_TEXT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
pub(super) const RESOURCE_FULL_ACCESS_TEXT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// Policies of one kind in an organization. Fewer than AWS lets have: all are in memory.
const POLICIES: usize = 1000;
/// Policies of one kind at one target.
const ATTACHED: usize = 5;

impl Control {
    /// Characters that a policy may have, white space included.
    const fn limit(self) -> usize {
        match self {
            Self::Resource => 5120,
            Self::Service => 10_240,
        }
    }

    const fn grammar(self) -> Grammar {
        match self {
            Self::Resource => Grammar::ResourceControl,
            Self::Service => Grammar::ServiceControl,
        }
    }

    /// `service_control_policy`, as ARNs have it.
    pub(super) const fn segment(self) -> &'static str {
        match self {
            Self::Resource => "resource_control_policy",
            Self::Service => "service_control_policy",
        }
    }

    /// Checks that `text` can be the policy `name` of this kind.
    pub(super) fn check(self, name: &str, text: &str) -> Result<(), Error> {
        let (policy, control) = (name.to_owned(), self);
        let found = text.chars().count();
        if self.limit() < found {
            return Err(Error::TooLong { policy, control, found, limit: self.limit() });
        }
        let compiled = Policy::compile(text, self.grammar()).map(drop);
        compiled.map_err(|malformed| Error::Malformed { policy, control, malformed })
    }
}

impl fmt::Display for Control {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Resource => "resource control policy",
            Self::Service => "service control policy",
        })
    }
}

impl Named {
    /// The policy `id` with this name and `text`, ready to be asked.
    pub(super) fn compiled(&self, id: &str, text: &str) -> Result<Held, store::Error> {
        let policy = Policy::compile(text, self.control.grammar());
        let policy = policy.map_err(|_| corrupt(id, "a control policy can't be understood"))?;
        Ok(Held::new(id, Arc::new(policy)))
    }
}

/// The id of the policy that allows everything, and the policy.
pub(super) fn full_access() -> Result<(String, Held), store::Error> {
    let named =
        Named { name: FULL_ACCESS.to_owned(), control: Control::Service, description: None };
    Ok((FULL_ACCESS_ID.to_owned(), named.compiled(FULL_ACCESS_ID, FULL_ACCESS_TEXT)?))
}

impl Organization {
    /// Adds a policy; gives its id.
    pub(super) fn add_policy(
        &mut self,
        named: Named,
        text: &str,
        entropy: &dyn Entropy,
    ) -> Result<String, Error> {
        let id = ids::policy(entropy, |it| self.policies.contains_key(it));
        self.insert_policy(named, text, id.clone())?;
        Ok(id)
    }

    /// Adds the policy `id`.
    pub(super) fn insert_policy(
        &mut self,
        named: Named,
        text: &str,
        id: String,
    ) -> Result<(), Error> {
        check_name(&named.name)?;
        if self.policy_called(&named.name).is_ok() {
            return Err(Error::PolicyExists(named.name));
        }
        named.control.check(&named.name, text)?;
        let alike = self.policies.values().filter(|it| it.control == named.control).count();
        if POLICIES <= alike {
            return Err(Error::TooMany { what: "policies of one kind", limit: POLICIES });
        }
        self.policies.insert(id, named);
        Ok(())
    }

    /// Removes the policy called `text`, which must be attached nowhere; gives its id.
    pub(super) fn remove_policy(&mut self, text: &str) -> Result<String, Error> {
        let (id, _) = self.own_policy_called(text)?;
        if self.is_attached(&id) {
            return Err(Error::InUse(text.to_owned()));
        }
        self.policies.remove(&id);
        Ok(id)
    }

    /// Attaches the policy called `policy` to the target called `target`.
    pub(super) fn attach(&mut self, policy: &str, target: &str) -> Result<(), Error> {
        let ((id, control), place) = (self.policy_called(policy)?, self.target_called(target)?);
        let target = target.to_owned();
        let there = self.attached.get(&place).map(Vec::as_slice).unwrap_or_default();
        if there.contains(&id) {
            return Err(Error::Attached { policy: policy.to_owned(), target });
        }
        if ATTACHED <= self.count(there, control) {
            return Err(Error::TooManyAttached { target, control });
        }
        self.attached.entry(place).or_default().push(id);
        Ok(())
    }

    /// Detaches it again.
    pub(super) fn detach(&mut self, policy: &str, target: &str) -> Result<(), Error> {
        let ((id, control), place) = (self.policy_called(policy)?, self.target_called(target)?);
        if id == RESOURCE_FULL_ACCESS_ID {
            return Err(Error::AwsOwned(RESOURCE_FULL_ACCESS.to_owned()));
        }
        let there = self.attached.get(&place).map(Vec::as_slice).unwrap_or_default();
        if !there.contains(&id) {
            let (policy, target) = (policy.to_owned(), target.to_owned());
            return Err(Error::NotAttached { policy, target });
        }
        if control == Control::Service && self.count(there, control) == 1 {
            return Err(Error::LastPolicy(target.to_owned()));
        }
        self.attached.entry(place).or_default().retain(|it| *it != id);
        Ok(())
    }

    /// The id and kind of the policy called `text`, by name or id; AWS's own among them.
    pub(super) fn policy_called(&self, text: &str) -> Result<(String, Control), Error> {
        match text {
            FULL_ACCESS | FULL_ACCESS_ID => {
                return Ok((FULL_ACCESS_ID.to_owned(), Control::Service));
            }
            RESOURCE_FULL_ACCESS | RESOURCE_FULL_ACCESS_ID => {
                return Ok((RESOURCE_FULL_ACCESS_ID.to_owned(), Control::Resource));
            }
            _ => (),
        }
        let mut all = self.policies.iter();
        let found = all.find(|(id, it)| *id == text || it.name == text);
        let found = found.ok_or_else(|| Error::PolicyUnknown(text.to_owned()))?;
        Ok((found.0.clone(), found.1.control))
    }

    /// The same, of policies that can be changed.
    pub(super) fn own_policy_called(&self, text: &str) -> Result<(String, Control), Error> {
        let found = self.policy_called(text)?;
        if !self.policies.contains_key(&found.0) {
            return Err(Error::AwsOwned(text.to_owned()));
        }
        Ok(found)
    }

    /// Whether the policy `id` is attached anywhere.
    pub(super) fn is_attached(&self, id: &str) -> bool {
        self.attached.values().flatten().any(|it| it == id)
    }

    /// The kind of the policy `id`.
    pub(super) fn control_of(&self, id: &str) -> Option<Control> {
        match id {
            FULL_ACCESS_ID => Some(Control::Service),
            RESOURCE_FULL_ACCESS_ID => Some(Control::Resource),
            _ => self.policies.get(id).map(|it| it.control),
        }
    }

    pub(super) fn count(&self, policies: &[String], control: Control) -> usize {
        policies.iter().filter(|it| self.control_of(it) == Some(control)).count()
    }

    /// What `target` is: `the root r-ab12`, `unit prod (ou-ab12-11111111)`, `account 111122223333`.
    fn describe(&self, target: &str) -> String {
        match self.units.get(target) {
            Some(unit) => format!("unit {} ({target})", unit.name),
            None if target == self.root => format!("the root {target}"),
            None => format!("account {target}"),
        }
    }

    /// Which of the `policies` attached to `target` are asked, by kind; each is called what it is and where.
    pub(super) fn level(
        &self,
        (target, policies): (&str, &[String]),
        held: &BTreeMap<String, Held>,
    ) -> Result<Level, store::Error> {
        let place = self.describe(target);
        let of = |control| {
            let own = policies.iter().filter(move |it| self.control_of(it) == Some(control));
            // It allows all that could be denied, and so says nothing.
            let asked = own.filter(|it| *it != RESOURCE_FULL_ACCESS_ID);
            let found = asked.map(|it| {
                let known = held.get(it);
                let known = known
                    .ok_or_else(|| corrupt(it, "a control policy that is attached is missing"))?;
                let name = self.policies.get(it).map_or(FULL_ACCESS, |it| &it.name);
                let called = format!("{name} ({it}) at {place}");
                Ok(Held::new(&called, Arc::clone(&known.policy)))
            });
            found.collect::<Result<Arc<[Held]>, store::Error>>()
        };
        if policies.iter().any(|it| self.control_of(it).is_none()) {
            return Err(corrupt(&policies.join(" "), "a control policy is of no kind"));
        }
        Ok(Level { service: of(Control::Service)?, resource: of(Control::Resource)? })
    }
}
