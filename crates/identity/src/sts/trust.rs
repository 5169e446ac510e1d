//! The role that a call wants to assume, and whom it trusts.

use super::{Error, tags};
use crate::entities::{Role, roles};
use crate::session;
use base::{AccountId, Arn};
use policy::engine::{Attached, Context, Door, Grammar, Policy, Values};
use service::{Held, Target};
use std::sync::Arc;
use store::Txn;

/// The ARN of a role, and the role, if there is one.
pub(super) struct Trusted<'a> {
    arn: &'a str,
    pub(super) account: AccountId,
    found: Option<(Arc<Role>, Held)>,
}

impl<'a> Trusted<'a> {
    /// The role that `arn` names; `None` if it can't be a role's ARN.
    ///
    /// A role that isn't there trusts nobody, so it is told apart from none that does.
    pub(super) async fn find(txn: &mut Txn<'_>, arn: &'a str) -> Result<Option<Self>, Error> {
        let Some((account, name)) = parse(arn) else { return Ok(None) };
        let role = txn.find_shared(&roles(), &(&account, name)).await?;
        let found = match role.filter(|it| it.arn == arn) {
            Some(role) => Some((Arc::clone(&role), held(&role)?)),
            None => None,
        };
        Ok(Some(Self { arn, account, found }))
    }

    /// The trust policy, if there is a role.
    pub(super) fn policies(&self) -> Vec<Attached<'_>> {
        self.found.iter().map(|it| it.1.attached()).collect()
    }

    /// What the policies are asked about.
    pub(super) fn target<'t>(&'t self, policies: &'t [Attached<'t>]) -> Target<'t> {
        let (door, keys) = (Door::Trust, self);
        Target { policies, door, keys, ..Target::of(&self.account, Some(self.arn)) }
    }

    /// The role.
    ///
    /// # Errors
    ///
    /// [`Error::Denied`]: there is none, which the policies have said before.
    pub(super) fn role(&self) -> Result<&Role, Error> {
        let role = self.found.as_ref().map(|it| &*it.0);
        role.ok_or_else(|| Error::Denied(format!("{} cannot be assumed", self.arn)))
    }
}

/// The tags of the role.
impl Context for Trusted<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        let prefixes = ["aws:resourcetag/", "iam:resourcetag/"];
        let name = prefixes.iter().find_map(|it| key.strip_prefix(it))?;
        let tags = &self.found.as_ref()?.0.tags;
        let tag = tags.iter().find(|it| tags::is_same_name(&it.0, name))?;
        Some(Values::one(&tag.1))
    }
}

/// The account in the ARN of a role.
pub(super) fn account_of(arn: &str) -> Option<AccountId> {
    parse(arn).map(|it| it.0)
}

/// The account and the name, without its path, in the ARN of a role.
fn parse(text: &str) -> Option<(AccountId, &str)> {
    let arn = Arn::parse(text).ok()?;
    let of_iam = arn.partition.starts_with("aws") && arn.service == "iam" && arn.region.is_empty();
    let path = arn.resource.strip_prefix("role/").filter(|_| of_iam)?;
    let name = Some(session::last(path)).filter(|it| !it.is_empty())?;
    Some((arn.account()?, name))
}

fn held(role: &Role) -> Result<Held, Error> {
    let policy = Policy::compile_pinned(&role.trust, Grammar::Trust, &role.pins);
    let corrupt = |_| {
        let reason = "the trust policy can't be understood".to_owned();
        store::Error::Corrupt { key: role.arn.clone(), reason }
    };
    Ok(Held::new(&role.arn, Arc::new(policy.map_err(corrupt)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_arns_are_those_of_roles() {
        for (arn, expected) in [
            ("arn:aws:iam::111122223333:role/app", Some("app")),
            ("arn:aws-us-gov:iam::111122223333:role/x/y/app", Some("app")),
            ("arn:aws:iam::111122223333:role/", None),
            ("arn:aws:iam::111122223333:user/app", None),
            ("arn:aws:iam::111122223333:role", None),
            ("arn:aws:iam::1:role/app", None),
            ("arn:aws:iam:us-east-1:111122223333:role/app", None),
            ("arn:aws:sts::111122223333:role/app", None),
            ("arn:x:iam::111122223333:role/app", None),
            ("app", None),
            ("", None),
        ] {
            assert_eq!(parse(arn).map(|it| it.1), expected, "{arn}");
        }
    }
}
