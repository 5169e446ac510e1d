//! In which order policies speak, and who must say yes.

use super::caller::CallerKind;
use super::policy::Policy;
use super::request::{Asked, Request};
use super::who::Reach;
use crate::{Effect, PolicyKind, Reason};

/// A policy and what it is called in decisions: its ARN, its name, its id.
#[derive(Clone, Copy, Debug)]
pub struct Attached<'a> {
    /// What it is called.
    pub id: &'a str,
    /// What it says.
    pub policy: &'a Policy,
}

/// Every policy that speaks about a request, by where it is attached.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policies<'a> {
    /// Service control policies, from the organization's root down to the caller's account; each
    /// level must allow. None for a caller of the management account, for a service-linked role
    /// and outside of organizations.
    pub service_control: &'a [&'a [Attached<'a>]],
    /// Resource control policies of all levels above the resource's account. `RCPFullAWSAccess`
    /// is part of every level and can't be taken away, so they only ever deny. None for keys that
    /// belong to services, and for `kms:RetireGrant`.
    pub resource_control: &'a [Attached<'a>],
    /// Of the private endpoint that the request came through, if it came through one.
    pub endpoint: Option<Attached<'a>>,
    /// The resource's own: a resource policy, a key policy, a trust policy.
    pub resource: &'a [Attached<'a>],
    /// The user's and its groups', or the role's.
    pub identity: &'a [Attached<'a>],
    /// The permissions boundary of the user or role, if one is set.
    pub boundary: Option<Attached<'a>>,
    /// What was handed over when the session began; `None` if nothing was.
    pub session: Option<&'a [Attached<'a>]>,
    /// What the resource's own policy counts for.
    pub door: Door,
}

/// What the policy of a resource counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// Inside its account, identity policies are enough.
    #[default]
    Resource,
    /// A key: nobody has access that the key policy doesn't give, or leave to the account.
    Key {
        /// Whether a grant lets the caller do this; a grant needs no identity policy.
        grant: bool,
    },
    /// A role to be assumed: as with a key, the trust policy comes first.
    Trust,
}

/// What the policies say about a request, and which statement said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// It may happen. The statement is missing where none is needed: for the root user, a grant,
    /// and the actions of everyone.
    Allow(Option<Mark<'a>>),
    /// This statement denies it.
    Forbid(Mark<'a>),
    /// No policy of this kind allows it.
    Withhold(PolicyKind),
}

/// One statement among those of a [`Policies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark<'a> {
    /// Where its policy is attached.
    pub kind: PolicyKind,
    /// What its policy is called.
    pub policy: &'a str,
    /// Its index in the policy, from 0.
    pub statement: usize,
    /// Its name, if it has one.
    pub sid: Option<&'a str>,
}

impl Decision<'_> {
    /// Whether it may happen.
    pub fn is_allow(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// Why not, as far as the caller is told.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Allow(_) => None,
            Self::Forbid(mark) => Some(Reason::Explicit(mark.kind)),
            Self::Withhold(kind) => Some(Reason::Implicit(*kind)),
        }
    }
}

/// Decides `request` against every policy that speaks about it.
///
/// One matching `Deny` anywhere outweighs every `Allow`. Then every cap of the organization and of
/// the endpoint must allow. Inside an account the resource's policy alone is enough if it names
/// the caller itself; if it names the caller's role or everyone, boundary and session policies
/// must allow as well; otherwise the caller's own policies must. Across accounts both sides must.
///
/// Of several denials one is reported: the first, by kind, of service control, resource control,
/// endpoint, resource, boundary, session, identity.
///
/// Source: IAM User Guide, "Policy evaluation logic"; KMS Developer Guide, "Key policies".
pub fn decide<'a>(request: &Request<'_>, policies: &Policies<'a>) -> Decision<'a> {
    decide_asked(&Asked::new(request, policies.boundary.is_some()), policies)
}

pub(super) fn decide_asked<'a>(asked: &Asked<'_>, policies: &Policies<'a>) -> Decision<'a> {
    if asked.request.action.eq_ignore_ascii_case(UNDENIABLE) {
        return Decision::Allow(None);
    }
    match weigh(asked, policies) {
        Ok(mark) => Decision::Allow(mark),
        Err(refusal) => refusal,
    }
}

/// Everyone may ask who they are, whatever their policies say.
///
/// Source: STS API Reference, "GetCallerIdentity".
const UNDENIABLE: &str = "sts:GetCallerIdentity";

/// Needs no permission, but can be denied.
///
/// Source: STS API Reference, "GetSessionToken".
const FREE: &str = "sts:GetSessionToken";

/// Whether resource control policies can deny `action`: that of a service they cover, but never giving a grant
/// back.
///
/// Source: Organizations User Guide, "Resource control policies"; KMS Developer Guide, "Resource control
/// policies".
pub fn is_resource_controlled(action: &str) -> bool {
    let service = action.split_once(':').map_or("", |it| it.0);
    CONTROLLED.iter().any(|it| it.eq_ignore_ascii_case(service))
        && !action.eq_ignore_ascii_case("kms:RetireGrant")
}

/// Of the services there are here.
const CONTROLLED: [&str; 3] = ["kms", "secretsmanager", "sts"];

/// The statement that allows, or the refusal.
fn weigh<'a>(asked: &Asked<'_>, policies: &Policies<'a>) -> Result<Option<Mark<'a>>, Decision<'a>> {
    let own = asked.request.caller.is_in_account();
    let controlled = if own { service_control(asked, policies)? } else { true };
    judge(PolicyKind::ResourceControl, policies.resource_control, asked)?;
    let passed = one(PolicyKind::Endpoint, policies.endpoint, asked)?;
    let resource = judge(policies.door.kind(), policies.resource, asked)?;
    let holder = if own { Holder::judge(asked, policies)? } else { Holder::default() };
    if asked.request.action.eq_ignore_ascii_case(FREE) {
        return Ok(None);
    }
    if !controlled {
        return Err(Decision::Withhold(PolicyKind::ServiceControl));
    }
    if passed == Some(Reach::Nothing) {
        return Err(Decision::Withhold(PolicyKind::Endpoint));
    }
    if own { policies.door.open(asked, resource, &holder) } else { policies.door.alone(resource) }
}

/// Whether each level allows.
fn service_control<'a>(asked: &Asked<'_>, policies: &Policies<'a>) -> Result<bool, Decision<'a>> {
    let mut allowed = true;
    for level in policies.service_control {
        let found = judge(PolicyKind::ServiceControl, level, asked)?;
        allowed &= found.reach > Reach::Nothing;
    }
    Ok(allowed)
}

/// The best that statements of one kind do for the caller.
#[derive(Clone, Copy)]
struct Found<'a> {
    reach: Reach,
    mark: Option<Mark<'a>>,
}

const NOTHING: Found<'static> = Found { reach: Reach::Nothing, mark: None };

/// Looks for what allows most directly, and stops at a statement that denies.
fn judge<'a>(
    kind: PolicyKind,
    attached: &[Attached<'a>],
    asked: &Asked<'_>,
) -> Result<Found<'a>, Decision<'a>> {
    let mut best = NOTHING;
    for Attached { id, policy } in attached {
        for (index, statement) in policy.statements().iter().enumerate() {
            let is_deny = statement.effect() == Effect::Deny;
            // A holder's first `Allow` says all: the others can't add to it.
            if !is_deny && best.reach == Reach::Caller {
                continue;
            }
            let reach = statement.reach(asked);
            if reach > best.reach || is_deny && reach > Reach::Nothing {
                let mark = Mark { kind, policy: id, statement: index, sid: statement.sid() };
                if is_deny {
                    return Err(Decision::Forbid(mark));
                }
                best = Found { reach, mark: Some(mark) };
            }
        }
    }
    Ok(best)
}

/// How a single policy, if there is one, reaches the caller.
fn one<'a>(
    kind: PolicyKind,
    attached: Option<Attached<'a>>,
    asked: &Asked<'_>,
) -> Result<Option<Reach>, Decision<'a>> {
    attached.map(|it| judge(kind, &[it], asked).map(|it| it.reach)).transpose()
}

/// What the caller's own policies say.
struct Holder<'a> {
    /// Whether boundary and session policies, where there are any, allow; or which doesn't.
    caps: Result<(), PolicyKind>,
    identity: Found<'a>,
}

impl Default for Holder<'_> {
    fn default() -> Self {
        Self { caps: Ok(()), identity: NOTHING }
    }
}

impl<'a> Holder<'a> {
    /// The root user has no policies of its own and may do all that its account may.
    fn judge(asked: &Asked<'_>, policies: &Policies<'a>) -> Result<Self, Decision<'a>> {
        let kind = asked.request.caller.kind;
        if kind == CallerKind::Root {
            return Ok(Self { caps: Ok(()), identity: Found { reach: Reach::Caller, mark: None } });
        }
        let boundary = one(PolicyKind::PermissionsBoundary, policies.boundary, asked)?;
        let federated = matches!(kind, CallerKind::FederatedUser { .. });
        let session = policies.session.or(federated.then_some(&[]));
        let session = session.map(|it| judge(PolicyKind::Session, it, asked)).transpose()?;
        let identity = judge(PolicyKind::Identity, policies.identity, asked)?;
        let caps = if boundary == Some(Reach::Nothing) {
            Err(PolicyKind::PermissionsBoundary)
        } else if session.is_some_and(|it| it.reach == Reach::Nothing) {
            Err(PolicyKind::Session)
        } else {
            Ok(())
        };
        Ok(Self { caps, identity })
    }

    /// Whether the caller's account lets it.
    fn allow(&self) -> Result<Option<Mark<'a>>, PolicyKind> {
        self.caps?;
        match self.identity.reach {
            Reach::Nothing => Err(PolicyKind::Identity),
            _ => Ok(self.identity.mark),
        }
    }
}

impl Door {
    /// What the resource's policy is called in messages.
    fn kind(self) -> PolicyKind {
        match self {
            Self::Key { .. } | Self::Resource => PolicyKind::Resource,
            Self::Trust => PolicyKind::RoleTrust,
        }
    }

    /// For callers of no account: the resource's policy decides.
    fn alone(self, resource: Found<'_>) -> Result<Option<Mark<'_>>, Decision<'_>> {
        match resource.reach {
            Reach::Nothing => Err(Decision::Withhold(self.kind())),
            _ => Ok(resource.mark),
        }
    }

    /// For callers of an account, the resource's or another one.
    fn open<'a>(
        self,
        asked: &Asked<'_>,
        resource: Found<'a>,
        holder: &Holder<'a>,
    ) -> Result<Option<Mark<'a>>, Decision<'a>> {
        let request = asked.request;
        let resource = match self {
            Self::Key { grant: true } => granted(asked, resource),
            _ => resource,
        };
        let granted = self == Self::Key { grant: true };
        let same = request.caller.account == request.resource_account;
        if resource.reach == Reach::Nothing && (self != Self::Resource || !same) {
            return Err(Decision::Withhold(self.kind()));
        }
        let direct = match resource.reach {
            _ if !same && !granted => false,
            // A grant of another account lets nobody out of what the own account has set.
            Reach::Caller if !same => holder.caps.is_ok(),
            Reach::Caller => true,
            Reach::Role => holder.caps.is_ok(),
            Reach::Account | Reach::Nothing => false,
        };
        if direct {
            return Ok(resource.mark);
        }
        holder.allow().map_err(Decision::Withhold)
    }
}

/// A grant names its grantee, as a key policy would: a session of a role stays under its caps.
fn granted<'a>(asked: &Asked<'_>, resource: Found<'a>) -> Found<'a> {
    let reach = match asked.request.caller.kind {
        CallerKind::User { .. } | CallerKind::Root => Reach::Caller,
        _ => Reach::Role,
    };
    if reach > resource.reach { Found { reach, mark: None } } else { resource }
}

impl<'a> Policies<'a> {
    /// Every policy with the kind it counts as, in the order in which denials are reported.
    pub(crate) fn all(&self) -> impl Iterator<Item = (PolicyKind, Attached<'a>)> {
        let control = self.service_control.iter().flat_map(|it| it.iter());
        let session = self.session.unwrap_or_default().iter();
        let of = |kind| move |it: &Attached<'a>| (kind, *it);
        control
            .map(of(PolicyKind::ServiceControl))
            .chain(self.resource_control.iter().map(of(PolicyKind::ResourceControl)))
            .chain(self.endpoint.iter().map(of(PolicyKind::Endpoint)))
            .chain(self.resource.iter().map(of(self.door.kind())))
            .chain(
                self.boundary.iter().map(of(PolicyKind::PermissionsBoundary)).collect::<Vec<_>>(),
            )
            .chain(session.map(of(PolicyKind::Session)))
            .chain(self.identity.iter().map(of(PolicyKind::Identity)))
    }
}
