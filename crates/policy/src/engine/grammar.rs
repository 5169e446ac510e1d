//! What each kind of policy may say: the rules in which they differ.

use super::malformed::{Problem, excerpt};
use crate::{ActionPattern, Effect, Principal, ResourcePattern, Selection};

/// A kind of policy, by what may stand in it and how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// A permissions boundary.
    Boundary,
    /// At the door of a private network.
    Endpoint,
    /// With a user, a group or a role.
    Identity,
    /// A key's policy: `*` is this key, and a statement without `Resource` says nothing.
    Key,
    /// With a resource: `*`, or no `Resource`, is this resource.
    Resource,
    /// A resource control policy: denials for everyone.
    ResourceControl,
    /// A service control policy.
    ServiceControl,
    /// Handed over when a session begins.
    Session,
    /// A role's trust policy: who may assume it.
    Trust,
}

/// Whether an element must stand in a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Forbidden,
    Optional,
    Required,
}

impl Grammar {
    /// `Principal` or `NotPrincipal`.
    pub(crate) fn principal(self) -> Need {
        match self {
            Self::Boundary | Self::Identity | Self::ServiceControl | Self::Session => {
                Need::Forbidden
            }
            Self::Endpoint => Need::Optional,
            Self::Key | Self::Resource | Self::ResourceControl | Self::Trust => Need::Required,
        }
    }

    /// `Resource` or `NotResource`.
    pub(crate) fn resource(self) -> Need {
        match self {
            Self::Trust => Need::Forbidden,
            Self::Key | Self::Resource => Need::Optional,
            _ => Need::Required,
        }
    }

    /// Whether IAM's stricter rules hold: for characters, names of statements and ARNs.
    pub(crate) fn is_strict(self) -> bool {
        !matches!(self, Self::Endpoint | Self::Key | Self::Resource)
    }

    /// Whether the document itself may have a name, `Id`.
    pub(crate) fn has_id(self) -> bool {
        self.principal() != Need::Forbidden
    }

    /// Whether an ARN that ends before its sixth part may stand for all that could follow.
    fn takes_short(self, text: &str) -> bool {
        match self {
            Self::Boundary | Self::Identity | Self::Session => true,
            Self::ServiceControl => text.ends_with('*'),
            _ => false,
        }
    }

    /// The pattern that `text` is, an entry of `Action` or `NotAction`.
    pub(crate) fn action(self, text: &str) -> Result<ActionPattern, Problem> {
        let pattern = ActionPattern::parse(text).map_err(|_| action_problem(text))?;
        let of_sts = matches!(&pattern, ActionPattern::Of { service, .. }
            if service.eq_ignore_ascii_case("sts"));
        match self {
            Self::Trust if !of_sts => Err(Problem::TrustAction),
            Self::ResourceControl if pattern == ActionPattern::Any => Err(Problem::Syntax),
            _ => Ok(pattern),
        }
    }

    /// Whether `text` may stand as an entry of `Resource` or `NotResource`.
    pub(crate) fn check_resource(self, text: &str) -> Result<(), Problem> {
        if text == "*" {
            return Ok(());
        }
        let form = || Problem::ResourceForm(excerpt(text));
        if !self.is_strict() {
            return ResourcePattern::parse(text).map(drop).map_err(|_| form());
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, rest @ ..] = parts.as_slice() else { return Err(form()) };
        if parts.len() < 6 && !self.takes_short(text) {
            return Err(form());
        }
        match rest {
            // A part that is the last one may hold wildcards for itself and all that follow.
            [] | [_] if text.ends_with('*') => {}
            [] => return Err(Problem::ResourceVendor),
            [service, ..] if service.is_empty() || service.contains(['*', '?']) => {
                return Err(Problem::ResourceVendor);
            }
            ["iam", region, ..] if !matches!(*region, "" | "*") => {
                return Err(Problem::IamRegion(excerpt(text)));
            }
            _ => {}
        }
        if !is_partition(partition) {
            return Err(partition_problem(&parts));
        }
        Ok(())
    }

    /// Whether `principals` may stand in a statement of `effect`.
    pub(crate) fn check_whole(
        self,
        effect: Effect,
        principals: Option<&Selection<Principal>>,
        actions: &Selection<ActionPattern>,
    ) -> Result<(), Problem> {
        let everyone = |it: &Selection<Principal>| *it == Selection::Of(vec![Principal::Everyone]);
        match self {
            Self::ResourceControl => {
                let denies = effect == Effect::Deny && matches!(actions, Selection::Of(_));
                let fits = denies && principals.is_some_and(everyone);
                if fits { Ok(()) } else { Err(Problem::Syntax) }
            }
            Self::Trust if matches!(actions, Selection::AllBut(_)) => Err(Problem::TrustAction),
            Self::Trust if matches!(principals, Some(Selection::AllBut(_))) => {
                Err(Problem::Prohibited("NotPrincipal"))
            }
            _ => Ok(()),
        }
    }
}

fn action_problem(text: &str) -> Problem {
    let Some((vendor, name)) = text.split_once(':') else { return Problem::NoVendor };
    let of_vendor = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
    if vendor.is_empty() || !vendor.bytes().all(of_vendor) {
        return Problem::Vendor(excerpt(vendor));
    }
    if name.contains(':') { Problem::Colons } else { Problem::Syntax }
}

fn is_partition(text: &str) -> bool {
    let of_name = |it: u8| it.is_ascii_lowercase() || it == b'-';
    let known = text == "aws" || text.starts_with("aws-") && text.bytes().all(of_name);
    known || text.contains(['*', '?'])
}

/// Parts that are missing are shown as `*`.
fn partition_problem(parts: &[&str]) -> Problem {
    let part = |index: usize| parts.get(index).copied().unwrap_or("*");
    let arn: Vec<&str> = (0..6).map(part).collect();
    Problem::Partition(excerpt(part(1)), excerpt(&arn.join(":")))
}
