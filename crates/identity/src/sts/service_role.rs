//! Roles that a service assumes for itself, without a call of anybody: whether they let it, and their sessions.

use super::Error;
use super::trust::Trusted;
use crate::session::{self, Claims, Credentials, Principal};
use base::{AccountId, Timestamp};
use policy::engine::{Caller, CallerKind, Context, Policies, Request, Values, decide};
use std::time::Duration;
use store::Txn;

/// Whether the role `arn` of `account` lets `service`, a host name, assume it; `keys` are what its trust policy
/// may ask for besides. A role that isn't there lets nobody.
///
/// # Errors
///
/// The store's, or that the trust policy can't be understood.
pub async fn is_trusted(
    txn: &mut Txn<'_>,
    (account, arn): (&AccountId, &str),
    service: &str,
    keys: &(dyn Context + Sync),
) -> Result<bool, Error> {
    Ok(trusting(txn, (account, arn), service, keys).await?.is_some())
}

/// Credentials of a session `name` of the role `arn`, for `lifetime` or as long as the role's sessions last at
/// most; `None` if the role doesn't let `service` assume it. The scope's account is the role's.
///
/// # Errors
///
/// Those of [`is_trusted`] and of [`session::issue`].
pub async fn begin(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    (service, keys): (&str, &(dyn Context + Sync)),
    (arn, name): (&str, &str),
    lifetime: Duration,
) -> Result<Option<Credentials>, Error> {
    let Some(trusted) = trusting(txn, (scope.account, arn), service, keys).await? else {
        return Ok(None);
    };
    let role = trusted.role()?;
    let principal =
        Principal::Role { arn: role.arn.clone(), id: role.id.clone(), session: name.to_owned() };
    let lifetime = lifetime.min(Duration::from_secs(role.max_session.into()));
    // To the second, as answers show it.
    let end = Timestamp::from_secs(scope.now.plus(lifetime).secs());
    let claims = Claims::new(scope.account, principal, scope.now, end);
    Ok(Some(session::issue(txn, scope, &claims, 0).await?))
}

async fn trusting<'a>(
    txn: &mut Txn<'_>,
    (account, arn): (&AccountId, &'a str),
    service: &str,
    keys: &(dyn Context + Sync),
) -> Result<Option<Trusted<'a>>, Error> {
    let Some(trusted) = Trusted::find(txn, arn).await? else { return Ok(None) };
    let asked = trusted.account == *account && lets(&trusted, arn, service, keys);
    Ok(Some(trusted).filter(|_| asked))
}

fn lets(trusted: &Trusted<'_>, arn: &str, service: &str, keys: &dyn Context) -> bool {
    let attached = trusted.policies();
    let target = trusted.target(&attached);
    let request = Request {
        caller: Caller {
            account: &trusted.account,
            arn: service,
            kind: CallerKind::Service { name: service },
        },
        action: "sts:AssumeRole",
        resource: Some(arn),
        resource_account: &trusted.account,
        context: &Both(keys, trusted),
    };
    let policies = Policies { resource: target.policies, door: target.door, ..Policies::default() };
    decide(&request, &policies).is_allow()
}

/// What the service knows, then what the role says of itself.
struct Both<'a>(&'a dyn Context, &'a dyn Context);

impl Context for Both<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        self.0.find(key).or_else(|| self.1.find(key))
    }
}
