//! Where managed policies are used: one row for each attachment and each boundary, kept beside what the
//! users, groups and roles hold themselves.

use crate::iam::Error;
use base::AccountId;
use serde::{Deserialize, Serialize};
use std::fmt;
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// What a managed policy is to whoever it is used by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// It is attached, and grants.
    Attached,
    /// It is the permissions boundary, and limits.
    Boundary,
}

/// A user, a group or a role that uses a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Use {
    /// `user`, `group` or `role`.
    pub(crate) kind: String,
    /// Its path.
    pub(crate) path: String,
    /// Its name, in its own case.
    pub(crate) name: String,
    /// Its unique id.
    pub(crate) id: String,
}

store::json_record!(Use, 1);

/// What lists of uses can be narrowed to.
pub(crate) const FILTERS: [&str; 2] = ["PermissionsPolicy", "PermissionsBoundary"];

/// What a use is found by: the policy's ARN, what it is used as, the kind and the name of the user.
type Key<'a> = (&'a AccountId, &'a str, As, &'a str, &'a str);

const fn uses<'a>() -> Table<Key<'a>, Use> {
    Table::new(|(account, arn, how, kind, name)| {
        let path = place(account, arn).with_shown(how).with(kind);
        path.with(name.to_ascii_lowercase()).key()
    })
}

fn place(account: &AccountId, arn: &str) -> Path {
    Path::new("a").with(account).with("policy-use").with(arn)
}

/// Notes that `by` uses the policy `arn`.
pub(crate) fn add(
    txn: &mut Txn<'_>,
    account: &AccountId,
    (arn, how): (&str, As),
    by: &Use,
) -> Result<(), store::Error> {
    txn.save(&uses(), &(account, arn, how, &by.kind, &by.name), by)
}

/// Notes that `by` uses the policy `arn` no more.
pub(crate) fn remove(txn: &mut Txn<'_>, account: &AccountId, (arn, how): (&str, As), by: &Use) {
    txn.remove(&uses(), &(account, arn, how, &by.kind, &by.name));
}

/// All that use the policy `arn` as `how`: groups, roles, users, each by name.
pub(crate) async fn of(
    txn: &mut Txn<'_>,
    account: &AccountId,
    (arn, how): (&str, As),
) -> Result<Vec<Use>, Error> {
    let prefix = place(account, arn).with_shown(how).below();
    let page = txn.page::<Use>(KeyRange::prefix(&prefix), MOST, false).await?;
    Ok(page.rows.into_iter().map(|it| it.1).collect())
}

/// An account has fewer users, groups and roles.
const MOST: usize = 10_000;

/// By how many the policy `arn` is used: attached, and as boundary.
pub(crate) async fn count(
    txn: &mut Txn<'_>,
    account: &AccountId,
    arn: &str,
) -> Result<(usize, usize), Error> {
    let attached = of(txn, account, (arn, As::Attached)).await?.len();
    Ok((attached, of(txn, account, (arn, As::Boundary)).await?.len()))
}

impl fmt::Display for As {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Attached => "attached",
            Self::Boundary => "boundary",
        })
    }
}
