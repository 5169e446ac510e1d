//! Whether a statement speaks about the caller, and how directly.

use super::caller::{Caller, CallerKind};
use crate::{Effect, Principal, Selection};
use base::AccountId;
use std::collections::BTreeMap;

/// How directly a statement names the caller.
///
/// Source: IAM User Guide, "Policy evaluation logic", on resource-based policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Not at all.
    Nothing,
    /// By its account: the account's own policies decide.
    Account,
    /// By its role, or with everyone: a boundary and session policies still cap it.
    Role,
    /// As itself.
    Caller,
}

/// A principal of a statement, ready to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Everyone,
    Account(AccountId),
    /// A user or a role, by its ARN: nobody looked up its id when the policy was saved.
    Named(Box<str>),
    /// A user or a role, by its unique id.
    Pinned(Box<str>),
    Provider(Box<str>),
    Service(Box<str>),
    /// A role's or a federated user's session, by its ARN.
    Session(Box<str>),
    /// A form that no caller has.
    Nobody,
}

impl Who {
    /// Users and roles that `pins` has are known by their id from here on.
    pub(crate) fn new(principal: &Principal, pins: &BTreeMap<Box<str>, Box<str>>) -> Self {
        match principal {
            Principal::Everyone => Self::Everyone,
            Principal::Account(account) => Self::Account(account.clone()),
            Principal::AssumedRole(it) | Principal::FederatedUser(it) => {
                Self::Session(it.arn().into())
            }
            Principal::CanonicalUser(_) => Self::Nobody,
            Principal::Federated(it) => Self::Provider(it.clone()),
            Principal::Role(it) | Principal::User(it) => match pins.get(it.arn()) {
                Some(id) => Self::Pinned(id.clone()),
                None => Self::Named(it.arn().into()),
            },
            Principal::Service(it) => Self::Service(it.clone()),
            Principal::UniqueId(it) => Self::Pinned(it.clone()),
        }
    }

    fn reach(&self, caller: &Caller<'_>) -> Reach {
        use CallerKind::{FederatedUser, RoleSession, User};
        let found = match (self, caller.kind) {
            (Self::Everyone, _) => Some(Reach::Role),
            (Self::Account(account), _) => {
                (caller.is_in_account() && account == caller.account).then_some(Reach::Account)
            }
            (Self::Named(arn), User { .. }) => (**arn == *caller.arn).then_some(Reach::Caller),
            (
                Self::Named(arn),
                RoleSession { role_arn: of, .. } | FederatedUser { user: Some((of, _)) },
            ) => (**arn == *of).then_some(Reach::Role),
            (Self::Pinned(id), User { id: of }) => (**id == *of).then_some(Reach::Caller),
            (
                Self::Pinned(id),
                RoleSession { role_id: of, .. } | FederatedUser { user: Some((_, of)) },
            ) => (**id == *of).then_some(Reach::Role),
            (Self::Session(arn), RoleSession { .. } | FederatedUser { .. }) => {
                (**arn == *caller.arn).then_some(Reach::Caller)
            }
            (Self::Service(host), CallerKind::Service { name }) => {
                (**host == *name).then_some(Reach::Caller)
            }
            (Self::Provider(of), CallerKind::WebIdentity { provider }) => {
                (**of == *provider).then_some(Reach::Caller)
            }
            _ => None,
        };
        found.unwrap_or(Reach::Nothing)
    }
}

/// How a statement of `effect` with `principals` reaches the caller; `bounded` says whether a
/// permissions boundary is set on it.
pub(crate) fn reach(
    principals: &Selection<Who>,
    effect: Effect,
    caller: &Caller<'_>,
    bounded: bool,
) -> Reach {
    match (principals, effect) {
        (Selection::Of(listed), Effect::Allow) => {
            // A token of some provider isn't let in by "everyone": the provider must be named.
            let named = |it: &&Who| !(is_web(caller) && **it == Who::Everyone);
            strongest(listed.iter().filter(named), caller)
        }
        (Selection::Of(listed), Effect::Deny) => strongest(listed.iter(), caller),
        (Selection::AllBut(listed), Effect::Allow) => {
            let others = !is_web(caller) && strongest(listed.iter(), caller) == Reach::Nothing;
            if others { Reach::Role } else { Reach::Nothing }
        }
        (Selection::AllBut(listed), Effect::Deny) => {
            let spared = !bounded && is_spared(listed, caller);
            if spared { Reach::Nothing } else { Reach::Role }
        }
    }
}

fn strongest<'a>(listed: impl Iterator<Item = &'a Who>, caller: &Caller<'_>) -> Reach {
    listed.map(|it| it.reach(caller)).max().unwrap_or(Reach::Nothing)
}

fn is_web(caller: &Caller<'_>) -> bool {
    matches!(caller.kind, CallerKind::WebIdentity { .. })
}

/// Whether a `Deny` with `NotPrincipal` spares the caller: it does so only if all that the caller
/// is at once stands in the list, as its account, its role and its session.
///
/// Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal".
fn is_spared(listed: &[Who], caller: &Caller<'_>) -> bool {
    use CallerKind::{FederatedUser, RoleSession, Root, Service, User, WebIdentity};
    let has =
        |wanted: Reach| listed.iter().any(|it| *it != Who::Everyone && it.reach(caller) == wanted);
    let everyone = listed.contains(&Who::Everyone);
    let whole = match caller.kind {
        Root => has(Reach::Account),
        User { .. } | FederatedUser { user: None } => has(Reach::Account) && has(Reach::Caller),
        RoleSession { .. } | FederatedUser { .. } => {
            has(Reach::Account) && has(Reach::Role) && has(Reach::Caller)
        }
        Service { .. } | WebIdentity { .. } => has(Reach::Caller),
    };
    everyone || whole
}
