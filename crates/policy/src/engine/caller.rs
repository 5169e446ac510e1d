//! Who asks.

use super::context::Values;
use base::AccountId;
use std::borrow::Cow;

/// Who asks, as the policies see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The account that it belongs to. Without meaning for services and web identities.
    pub account: &'a AccountId,
    /// What messages call it: the ARN of the user, the session or the root; a service's host name.
    pub arn: &'a str,
    /// What it is.
    pub kind: CallerKind<'a>,
}

/// What a caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind<'a> {
    /// A session from GetFederationToken. It has no more than its session policies let it have,
    /// even if there are none.
    FederatedUser {
        /// ARN and unique id of the user that began it; `None` for the root user.
        user: Option<(&'a str, &'a str)>,
    },
    /// A session of a role.
    RoleSession {
        /// The role's ARN, with its path.
        role_arn: &'a str,
        /// The role's unique id, `AROA…`.
        role_id: &'a str,
    },
    /// The root user of the account.
    Root,
    /// A service on its own behalf; `name` is its host name, such as `lambda.amazonaws.com`.
    Service {
        /// The host name.
        name: &'a str,
    },
    /// A user, with its own access key or one from GetSessionToken.
    User {
        /// The unique id, `AIDA…`.
        id: &'a str,
    },
    /// Someone with a token of an identity provider, who asks to assume a role.
    WebIdentity {
        /// The provider's ARN, or its host name.
        provider: &'a str,
    },
}

impl<'a> Caller<'a> {
    /// Whether it belongs to an account, and so has policies of its own.
    pub(crate) fn is_in_account(&self) -> bool {
        !matches!(self.kind, CallerKind::Service { .. } | CallerKind::WebIdentity { .. })
    }

    /// What `key`, in lower case, is for this caller. Tags and the session's circumstances are the
    /// context's to tell.
    ///
    /// Source: IAM User Guide, "AWS global condition context keys".
    pub fn find(&self, key: &str) -> Option<Values<'a>> {
        match key.strip_prefix("aws:")? {
            "principalaccount" => self.is_in_account().then(|| Values::one(self.account.as_str())),
            "principalarn" => self.principal_arn().map(Values::one),
            "principalisawsservice" => {
                Some(Values::bool(matches!(self.kind, CallerKind::Service { .. })))
            }
            "principalservicename" => match self.kind {
                CallerKind::Service { name } => Some(Values::one(name)),
                _ => None,
            },
            "principaltype" => self.type_name().map(Values::one),
            "userid" => self.user_id().map(Values::One),
            "username" => match self.kind {
                CallerKind::User { .. } => Some(Values::one(self.last_name())),
                _ => None,
            },
            _ => None,
        }
    }

    /// The role's ARN for a session of it, never the session's.
    fn principal_arn(&self) -> Option<&'a str> {
        match self.kind {
            CallerKind::RoleSession { role_arn, .. } => Some(role_arn),
            CallerKind::FederatedUser { .. } | CallerKind::Root | CallerKind::User { .. } => {
                Some(self.arn)
            }
            CallerKind::Service { .. } | CallerKind::WebIdentity { .. } => None,
        }
    }

    fn type_name(&self) -> Option<&'static str> {
        match self.kind {
            CallerKind::FederatedUser { .. } => Some("FederatedUser"),
            CallerKind::RoleSession { .. } => Some("AssumedRole"),
            CallerKind::Root => Some("Account"),
            CallerKind::User { .. } => Some("User"),
            CallerKind::Service { .. } | CallerKind::WebIdentity { .. } => None,
        }
    }

    fn user_id(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            CallerKind::FederatedUser { .. } => {
                Some(Cow::Owned(format!("{}:{}", self.account, self.last_name())))
            }
            CallerKind::RoleSession { role_id, .. } => {
                Some(Cow::Owned(format!("{role_id}:{}", self.last_name())))
            }
            CallerKind::Root => Some(Cow::Borrowed(self.account.as_str())),
            CallerKind::User { id } => Some(Cow::Borrowed(id)),
            CallerKind::Service { .. } | CallerKind::WebIdentity { .. } => None,
        }
    }

    /// What follows the last `/` of the ARN: the name of the user or of the session.
    fn last_name(&self) -> &'a str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }
}
