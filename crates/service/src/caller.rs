//! Who asks, and with which policies.

use crate::Organization;
use base::{AccountId, Timestamp};
use policy::engine::{self, Attached, CallerKind, Policy};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A principal, as the policies and the audit record know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account it belongs to.
    pub account: AccountId,
    /// `arn:aws:iam::111122223333:user/ada`; for a session that of the session.
    pub arn: String,
    /// The unique id: `AIDA…`, `AROA…:session`, `111122223333:name`.
    pub principal_id: String,
    /// The user's name; of a role session, the role's; of a web identity, the subject.
    pub user_name: String,
    /// The access key that signed, `AKIA…` or `ASIA…`; empty for a web identity, which signs nothing.
    pub access_key_id: String,
    /// What it is.
    pub kind: Kind,
    /// How its session began, if it signed with temporary credentials.
    pub session: Option<Session>,
}

/// What a caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A session from GetFederationToken.
    FederatedUser {
        /// ARN and unique id of the user that began it; `None` for the root user.
        user: Option<(String, String)>,
    },
    /// A session of a role.
    RoleSession {
        /// The role's ARN, with its path.
        role_arn: String,
        /// The role's unique id, `AROA…`.
        role_id: String,
    },
    /// The root user of the account.
    Root,
    /// A service that has checked, in its own way, for whom it asks; never an access key.
    Service {
        /// Its host name: `rolesanywhere.amazonaws.com`.
        name: &'static str,
    },
    /// A user.
    User,
    /// Somebody with a token of an issuer, who asks for a session of a role.
    WebIdentity {
        /// The provider's ARN.
        provider: String,
        /// What the token says.
        identity: Box<oidc::Identity>,
    },
}

/// What is known of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// When its credentials were issued.
    pub issued: Timestamp,
    /// When they end.
    pub expires: Timestamp,
    /// When a second factor was shown, if one was.
    pub mfa: Option<Timestamp>,
    /// Who is behind it, as AssumeRole was told.
    pub source_identity: Option<String>,
    /// The provider of a web identity: its ARN, or a well-known name.
    pub provider: Option<String>,
    /// Tags that were handed over, by name.
    pub tags: BTreeMap<String, String>,
    /// Names of those that a further session gets, too.
    pub transitive: Vec<String>,
    /// Whether it was begun by another role's session.
    pub chained: bool,
}

/// The policies that say what a caller may do, without those of resources.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The user's and its groups', or the role's.
    pub identity: Vec<Held>,
    /// The permissions boundary, if one is set.
    pub boundary: Option<Held>,
    /// What was handed over when the session began, if anything was.
    pub session: Option<Vec<Held>>,
    /// Tags of the user or role, overridden by the session's.
    pub tags: BTreeMap<String, String>,
    /// The organization of this server, if there is one: the account may be in it, or the accounts of the
    /// resources it asks for.
    pub organization: Option<Arc<Organization>>,
}

/// A policy and what it is called: its ARN, or the name of an inline policy.
#[derive(Clone, Debug)]
pub struct Held {
    /// What it is called.
    pub id: Box<str>,
    /// What it says.
    pub policy: Arc<Policy>,
}

impl Held {
    /// The policy `policy`, called `id`.
    pub fn new(id: &str, policy: Arc<Policy>) -> Self {
        Self { id: id.into(), policy }
    }

    /// As the engine takes it.
    pub fn attached(&self) -> Attached<'_> {
        Attached { id: &self.id, policy: &self.policy }
    }
}

impl Caller {
    /// As the engine knows it.
    pub(crate) fn of_engine(&self) -> engine::Caller<'_> {
        let kind = match &self.kind {
            Kind::FederatedUser { user } => CallerKind::FederatedUser {
                user: user.as_ref().map(|(arn, id)| (arn.as_str(), id.as_str())),
            },
            Kind::RoleSession { role_arn, role_id } => {
                CallerKind::RoleSession { role_arn, role_id }
            }
            Kind::Root => CallerKind::Root,
            Kind::Service { name } => CallerKind::Service { name },
            Kind::User => CallerKind::User { id: &self.principal_id },
            Kind::WebIdentity { provider, .. } => CallerKind::WebIdentity { provider },
        };
        engine::Caller { account: &self.account, arn: &self.arn, kind }
    }
}
