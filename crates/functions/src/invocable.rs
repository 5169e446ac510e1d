//! For who invokes functions without a call of anybody: whether a service may, and what there is to run.

use crate::function::{Function, Kept, below, functions};
use crate::names::Reference;
use crate::native::{self, Native};
use crate::permissions::policies;
use crate::{Elsewhere, Error, Prefix, operations::INVOKE};
use base::{AccountId, Entropy, Region, Timestamp};
use envelope::Keyring;
use policy::engine::{Caller, CallerKind, MapContext, Policies, Request, decide};
use std::sync::Arc;
use store::{KeyRange, Txn};

/// A function that may be invoked.
#[derive(Debug)]
pub enum Invocable {
    /// Code: [`find`] has it.
    Code {
        /// Its ARN, without a qualifier.
        arn: String,
    },
    /// Somewhere else. Whether it is there, and lets itself be invoked, shows when it is.
    Elsewhere,
    /// This server itself.
    Native(Native),
}

/// Why a function can't be invoked.
#[derive(Debug, thiserror::Error)]
pub enum Uninvocable {
    /// No such function.
    #[error("there is no such function")]
    Absent,
    /// Its policy doesn't let the service.
    #[error("the function's policy doesn't let the service invoke it")]
    Denied,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Who wants to invoke, and what for.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// The host name of the service: `secretsmanager.amazonaws.com`.
    pub service: &'a str,
    /// The account that it acts for: `aws:SourceAccount`.
    pub account: &'a AccountId,
    /// What it acts for, a secret: `aws:SourceArn`.
    pub arn: &'a str,
}

/// What opens environment variables.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// The keys.
    pub keyring: &'a Keyring,
    /// Chance.
    pub entropy: &'a dyn Entropy,
    /// The instant.
    pub now: Timestamp,
}

/// Whether the function `arn`, of any account of this server, lets a service invoke it. Only the function's own
/// policy is asked; of one that is `elsewhere`, only the configuration: its policy is there.
///
/// # Errors
///
/// [`Uninvocable`]; who asks should not tell the first two apart.
pub async fn may_be_invoked(
    txn: &mut Txn<'_>,
    (arn, elsewhere): (&str, &Elsewhere),
    by: By<'_>,
) -> Result<Invocable, Uninvocable> {
    if let Some(prefix) = elsewhere.prefix(arn) {
        let serves = by.service == SECRETS_MANAGER && prefix.serves(by.account);
        return if serves { Ok(Invocable::Elsewhere) } else { Err(Uninvocable::Denied) };
    }
    let (account, region, name) = place(arn).ok_or(Uninvocable::Absent)?;
    if let Some(found) = native::find(&name) {
        let own = by.service == SECRETS_MANAGER && *by.account == account;
        return if own { Ok(Invocable::Native(found)) } else { Err(Uninvocable::Denied) };
    }
    let kept = row(txn, (&account, &region, &name)).await?.ok_or(Uninvocable::Absent)?;
    let policy = txn.find_shared(&policies(), &kept.place()).await?.ok_or(Uninvocable::Denied)?;
    let attached = [policy.attached()];
    let context = MapContext::new()
        .with("aws:sourceaccount", by.account.as_str())
        .with("aws:sourcearn", by.arn);
    let request = Request {
        caller: Caller {
            account: by.account,
            arn: by.service,
            kind: CallerKind::Service { name: by.service },
        },
        action: INVOKE.0,
        resource: Some(&kept.arn),
        resource_account: &account,
        context: &context,
    };
    let allowed =
        decide(&request, &Policies { resource: &attached, ..Policies::default() }).is_allow();
    if allowed { Ok(Invocable::Code { arn: kept.arn.clone() }) } else { Err(Uninvocable::Denied) }
}

/// The function `arn` with its environment, for who runs it. None of this server's own.
///
/// # Errors
///
/// The store's, and [`Error::Sealing`].
pub async fn find(
    txn: &mut Txn<'_>,
    tools: Tools<'_>,
    arn: &str,
) -> Result<Option<Function>, Error> {
    let Some((account, region, name)) = place(arn) else { return Ok(None) };
    let Some(kept) = row(txn, (&account, &region, &name)).await? else { return Ok(None) };
    let Tools { keyring, entropy, now } = tools;
    let scope = kms::Scope { keyring, entropy, now, account: &account, region: &region };
    kept.opened(txn, &scope).await.map(Some)
}

/// A function of this server whose ARN begins with `prefix`, if there is one: nobody could reach it.
///
/// # Errors
///
/// The store's.
pub async fn hidden_by(txn: &mut Txn<'_>, prefix: &Prefix) -> Result<Option<String>, store::Error> {
    let begin = below(prefix.account(), prefix.region()).below() + prefix.name();
    let page = txn.page::<Kept>(KeyRange::prefix(&begin), 1, false).await?;
    Ok(page.rows.into_iter().next().map(|it| it.1.arn))
}

async fn row(
    txn: &mut Txn<'_>,
    place: (&AccountId, &Region, &str),
) -> Result<Option<Arc<Kept>>, store::Error> {
    txn.find_shared(&functions(), &place).await
}

/// Where the function of a whole ARN is, if that means the version that there is.
fn place(arn: &str) -> Option<(AccountId, Region, String)> {
    let Reference { account, region, name, qualifier } = Reference::parse(arn)?;
    let latest = qualifier.is_none_or(|it| it == crate::names::LATEST);
    let region = region?.parse().ok()?;
    account.filter(|_| latest).map(|account| (account, region, name.to_owned()))
}

impl std::fmt::Debug for Tools<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Tools").field("now", &self.now).finish_non_exhaustive()
    }
}

const SECRETS_MANAGER: &str = "secretsmanager.amazonaws.com";
