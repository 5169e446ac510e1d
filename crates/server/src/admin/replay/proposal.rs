//! A policy that isn't there yet: what it would change, and for whom.

use super::Recorded;
use crate::admin::Admin;
use crate::admin::answer::Fault;
use base::Arn;
use http::StatusCode;
use policy::engine::{Grammar, Policy};
use serde::Deserialize;
use service::{Access, Caller, Held, Kind, principals};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a proposed policy is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::admin) enum Part {
    /// A policy of a user, a group or a role, or that of a secret or a key.
    #[default]
    Policy,
    /// The permissions boundary of a user or a role.
    Boundary,
    /// The trust policy of a role.
    Trust,
}

/// A policy that isn't there yet, in its place.
#[derive(Debug)]
pub(in crate::admin) struct Proposal {
    /// The ARN of the user, group or role, or of the resource.
    place: String,
    whose: Whose,
    policy: Held,
}

/// Whom a proposal concerns.
#[derive(Debug)]
enum Whose {
    /// Those who have policies from its place, beside others or instead of one of them.
    Holders(Holders, Option<Held>),
    /// The user or the role.
    Bounded,
    /// Who asks for its place: a resource, or a role to be assumed.
    Callers,
}

/// Who has the policies of a place.
#[derive(Debug)]
enum Holders {
    /// It is one.
    Itself,
    /// The users of a group, by their unique ids.
    Users(BTreeSet<String>),
}

impl Proposal {
    /// Whether the proposal can make a difference for `recorded` at all.
    pub(in crate::admin) fn concerns(&self, recorded: &Recorded) -> bool {
        if matches!(self.whose, Whose::Callers) {
            let service = match self.place.split(':').nth(2).unwrap_or_default() {
                "iam" => "sts",
                service => service,
            };
            return recorded.event_source.strip_suffix(".amazonaws.com") == Some(service);
        }
        recorded.caller().is_some_and(|it| self.is_of(&it))
    }

    fn is_of(&self, caller: &Caller) -> bool {
        match (&self.whose, &caller.kind) {
            (Whose::Callers, _) => false,
            (Whose::Holders(Holders::Users(users), _), kind) => {
                *kind == Kind::User && users.contains(&caller.principal_id)
            }
            (_, Kind::RoleSession { role_arn, .. }) => *role_arn == self.place,
            _ => caller.arn == self.place,
        }
    }

    /// Whether a call about `resource` is one about the place of the proposal; of calls of which that isn't
    /// known, whether their record names it.
    pub(in crate::admin) fn is_about(&self, recorded: &Recorded, resource: Option<&str>) -> bool {
        let tail = self.place.rsplit(':').next().unwrap_or_default();
        let name = tail.rsplit_once('-').map_or(tail, |it| it.0);
        !matches!(self.whose, Whose::Callers)
            || resource.map_or_else(|| recorded.names(&self.place, name), |it| it == self.place)
    }

    /// The policy that a resource would have instead of its own.
    pub(super) fn instead(&self) -> Option<(String, Held)> {
        let of_resource = matches!(self.whose, Whose::Callers);
        of_resource.then(|| (self.place.clone(), self.policy.clone()))
    }

    /// What `caller` would have.
    pub(super) fn given(&self, caller: &Caller, access: &Arc<Access>) -> Arc<Access> {
        if !self.is_of(caller) {
            return Arc::clone(access);
        }
        let mut access = Access::clone(access);
        match &self.whose {
            Whose::Bounded => access.boundary = Some(self.policy.clone()),
            Whose::Callers => {}
            Whose::Holders(_, replaced) => {
                let replaced = replaced.as_ref();
                let gone =
                    access.identity.iter().position(|it| replaced.is_some_and(|of| same(of, it)));
                gone.map(|it| access.identity.remove(it));
                access.identity.push(self.policy.clone());
            }
        }
        Arc::new(access)
    }
}

/// Whether two policies are called and say the same: then it doesn't matter which of them goes.
fn same(one: &Held, other: &Held) -> bool {
    let texts = |it: &Held| -> Vec<String> {
        it.policy.statements().iter().map(|it| it.text().to_owned()).collect()
    };
    one.id == other.id && texts(one) == texts(other)
}

impl Admin {
    /// The proposal of `text` as a `part` of `place`, if there is such a place. `replaces` names a policy.
    pub(in crate::admin) async fn proposal(
        &self,
        text: &str,
        (place, part): (&str, Part),
        replaces: Option<&str>,
    ) -> Result<Proposal, Fault> {
        let arn = Arn::parse(place).map_err(|_| nowhere(place, part))?;
        let kind = match (arn.service, arn.resource.split('/').next()) {
            ("iam", kind) => kind.unwrap_or_default(),
            ("kms", Some("key")) => "key",
            ("secretsmanager", _) if arn.resource.starts_with("secret:") => "secret",
            _ => "",
        };
        let grammar = match (part, kind) {
            (Part::Policy, "user" | "group" | "role") | (Part::Boundary, "user" | "role") => {
                Grammar::Identity
            }
            (Part::Policy, "key") => Grammar::Key,
            (Part::Policy, "secret") => Grammar::Resource,
            (Part::Trust, "role") => Grammar::Trust,
            _ => return Err(nowhere(place, part)),
        };
        let policy = Policy::compile(text, grammar).map_err(|error| {
            let fact = format!("the policy is malformed: {error}: {}", error.detail());
            Fault::new(StatusCode::BAD_REQUEST, fact, "mend it where it says")
        })?;
        let several = part == Part::Policy && grammar == Grammar::Identity;
        if !several && replaces.is_some() {
            let fact = format!("`{place}` has one policy of this kind");
            let hint = "leave --replace out: the proposal takes the place of the one there is";
            return Err(Fault::new(StatusCode::BAD_REQUEST, fact, hint));
        }
        let whose = if grammar == Grammar::Key || grammar == Grammar::Resource {
            Whose::Callers
        } else {
            let (holders, held) = self.holders(place, (&arn, kind, part)).await?;
            match part {
                Part::Boundary => Whose::Bounded,
                Part::Trust => Whose::Callers,
                Part::Policy => Whose::Holders(holders, replaced(place, &held, replaces)?),
            }
        };
        let policy = Held::new("the proposal", Arc::new(policy));
        Ok(Proposal { place: place.to_owned(), whose, policy })
    }

    /// Those who have the policies of the user, group or role `place`, and these.
    async fn holders(
        &self,
        place: &str,
        (arn, kind, part): (&Arn<'_>, &str, Part),
    ) -> Result<(Holders, Vec<Held>), Fault> {
        let absent = || nowhere(place, part);
        let mut txn = store::begin(&*self.front.backend);
        if kind == "group" {
            let group = identity::of_group(&mut txn, place).await?.ok_or_else(absent)?;
            return Ok((Holders::Users(group.users), group.policies));
        }
        let id = principals::id_of(&mut txn, place).await?.ok_or_else(absent)?;
        let kind = match kind {
            "role" => Kind::RoleSession { role_arn: place.to_owned(), role_id: id.clone() },
            _ => Kind::User,
        };
        let caller = Caller {
            account: arn.account().ok_or_else(absent)?,
            arn: place.to_owned(),
            principal_id: id,
            user_name: place.rsplit('/').next().unwrap_or_default().to_owned(),
            access_key_id: String::new(),
            kind,
            session: None,
        };
        let access = identity::gather(&mut txn, &caller).await?.ok_or_else(absent)?;
        Ok((Holders::Itself, access.identity))
    }
}

/// The policy called `name` among those that `place` has.
fn replaced(place: &str, held: &[Held], name: Option<&str>) -> Result<Option<Held>, Fault> {
    let Some(name) = name else { return Ok(None) };
    let found = held.iter().find(|it| &*it.id == name).cloned();
    let absent = || {
        let fact = format!("`{place}` has no policy `{name}`");
        let hint = "give an inline policy's name, or an attached policy's ARN";
        Fault::new(StatusCode::NOT_FOUND, fact, hint)
    };
    found.map(Some).ok_or_else(absent)
}

fn nowhere(place: &str, part: Part) -> Fault {
    let what = match part {
        Part::Policy => "a user, a group, a role, a secret or a key",
        Part::Boundary => "a user or a role",
        Part::Trust => "a role",
    };
    let fact = format!("`{place}` is not {what} that there is");
    Fault::new(StatusCode::BAD_REQUEST, fact, "give its whole ARN")
}
