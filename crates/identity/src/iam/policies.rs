//! Managed policies: AWS's and the account's own, by their ARNs.

use crate::aws_managed::{self, AwsManaged};
use crate::entities::{self, ManagedPolicy, managed_policies};
use crate::iam::holder::Keys;
use crate::iam::names::is_name;
use crate::iam::{Error, documents};
use base::{AccountId, Timestamp};
use service::{Call, Operation, Permit, Target};
use std::sync::Arc;
use store::{KeyRange, Txn};
use wire::members::Text;

/// A managed policy, whoever keeps it.
#[derive(Clone, Debug)]
pub(crate) enum Managed {
    /// One that AWS ships.
    Aws(&'static AwsManaged),
    /// One of the account.
    Own(Arc<ManagedPolicy>),
}

/// A managed policy that a call is about, if it is there.
pub(crate) struct Found {
    arn: String,
    policy: Option<Managed>,
}

/// Asks whether the caller may do `operation` to the managed policy `arn`, and looks whether it is there.
pub(crate) async fn admit<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    arn: Option<&Text>,
) -> Result<(Permit, Found), Error> {
    let arn = arn.map_or("", Text::as_str);
    let account = &call.caller.account;
    let policy = find(txn, account, arn).await?;
    let tags = match &policy {
        Some(Managed::Own(policy)) => policy.tags.as_slice(),
        _ => &[],
    };
    let keys = Keys { tags, boundary: None };
    let named = format!("policy {arn}");
    let target = Target { keys: &keys, named: Some(&named), ..Target::of(account, Some(arn)) };
    let permit = call.admit(operation, target)?;
    if name_in(arn).is_none() {
        return Err(Error::Arn);
    }
    Ok((permit, Found { arn: arn.to_owned(), policy }))
}

/// The managed policy `arn` that `account` can use.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    account: &AccountId,
    arn: &str,
) -> Result<Option<Managed>, Error> {
    if let Some(policy) = aws_managed::find(arn) {
        return Ok(Some(Managed::Aws(policy)));
    }
    let Some(name) = name_in(arn) else { return Ok(None) };
    let found = txn.find_shared(&managed_policies(), &(account, name)).await?;
    Ok(found.filter(|it| it.arn == arn).map(Managed::Own))
}

/// The managed policy `arn`, to attach it or to make it a boundary: its ARN.
///
/// # Errors
///
/// [`Error::Arn`], [`Error::Unattachable`].
pub(crate) async fn attachable(
    txn: &mut Txn<'_>,
    account: &AccountId,
    arn: Option<&Text>,
) -> Result<String, Error> {
    let arn = arn.map_or("", Text::as_str);
    if name_in(arn).is_none() {
        return Err(Error::Arn);
    }
    match find(txn, account, arn).await? {
        Some(_) => Ok(arn.to_owned()),
        None => Err(Error::Unattachable(arn.to_owned())),
    }
}

/// The name in the ARN of a managed policy, if `arn` is one.
pub(crate) fn name_in(arn: &str) -> Option<&str> {
    let (account, place) = arn.strip_prefix("arn:aws:iam::")?.split_once(":policy/")?;
    let is_account = account == "aws" || account.parse::<AccountId>().is_ok();
    let name = place.rsplit('/').next().filter(|it| is_name(it));
    name.filter(|_| is_account)
}

/// Writes a changed policy, and that something changed.
pub(crate) fn save(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    policy: &ManagedPolicy,
) -> Result<(), store::Error> {
    let account = &call.caller.account;
    entities::changed(txn, account, call.entropy)?;
    txn.save(&managed_policies(), &(account, &policy.name), policy)
}

/// The most managed policies of one account.
const MOST: usize = 1500;

/// All managed policies of `scope`: `AWS`, `Local` or `All`.
pub(crate) async fn all(
    txn: &mut Txn<'_>,
    account: &AccountId,
    scope: &str,
) -> Result<Vec<Managed>, Error> {
    let mut policies = Vec::new();
    if scope != "AWS" {
        let range = KeyRange::prefix(&entities::prefix(account, "policy"));
        let page = txn.page::<ManagedPolicy>(range, MOST, false).await?;
        policies.extend(page.rows.into_iter().map(|it| Managed::Own(Arc::new(it.1))));
    }
    if scope != "Local" {
        policies.extend(aws_managed::ALL.iter().map(Managed::Aws));
    }
    Ok(policies)
}

/// That the account may have one more.
pub(crate) async fn within_quota(txn: &mut Txn<'_>, account: &AccountId) -> Result<(), Error> {
    if all(txn, account, "Local").await?.len() < MOST {
        return Ok(());
    }
    Err(documents::exceeded("PoliciesPerAccount", MOST))
}

impl Found {
    /// It, if it is there.
    pub(crate) fn existing(self) -> Result<Managed, Error> {
        self.policy.ok_or(Error::PolicyUnknown(self.arn))
    }

    /// It, if it is there and the account's own.
    pub(crate) fn own(self) -> Result<ManagedPolicy, Error> {
        match self.existing()? {
            Managed::Own(policy) => Ok(ManagedPolicy::clone(&policy)),
            Managed::Aws(_) => Err(Error::Input("A policy that AWS manages can't be changed.")),
        }
    }
}

impl Managed {
    /// Its ARN.
    pub(crate) fn arn(&self) -> String {
        match self {
            Self::Aws(it) => it.arn(),
            Self::Own(it) => it.arn.clone(),
        }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Aws(it) => it.path,
            Self::Own(it) => &it.path,
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Aws(it) => it.name,
            Self::Own(it) => &it.name,
        }
    }

    /// Its unique id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Aws(it) => it.id,
            Self::Own(it) => &it.id,
        }
    }

    /// What it is for.
    pub(crate) fn description(&self) -> Option<&str> {
        match self {
            Self::Aws(it) => Some(it.description),
            Self::Own(it) => it.description.as_deref(),
        }
    }

    /// When it was made, and when a version was last made or chosen.
    pub(crate) fn dates(&self) -> (Timestamp, Timestamp) {
        match self {
            Self::Aws(it) => (Timestamp::from_secs(it.made.0), Timestamp::from_secs(it.made.1)),
            Self::Own(it) => (it.created, it.updated),
        }
    }

    /// The document of version `number`, if there is that version, and when it was made.
    pub(crate) fn version(&self, number: u32) -> Option<(&str, Timestamp)> {
        match self {
            Self::Aws(it) if it.version == number => {
                Some((it.text, Timestamp::from_secs(it.made.1)))
            }
            Self::Aws(_) => None,
            Self::Own(it) => it.versions.get(&number).map(|it| (it.text.as_str(), it.created)),
        }
    }

    /// The number of the version in force.
    pub(crate) fn default(&self) -> u32 {
        match self {
            Self::Aws(it) => it.version,
            Self::Own(it) => it.default,
        }
    }

    /// The numbers of all versions, the newest first.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        match self {
            Self::Aws(it) => vec![it.version],
            Self::Own(it) => it.versions.keys().rev().copied().collect(),
        }
    }
}

/// The number in the name of a version: 2 in `v2`.
pub(crate) fn number(version: Option<&Text>) -> Option<u32> {
    version?.as_str().strip_prefix('v')?.parse().ok()
}

/// That `arn` has no version called `version`.
pub(crate) fn no_version(arn: Option<&Text>, version: Option<&Text>) -> Error {
    let text = |it: Option<&Text>| it.map_or("", Text::as_str).to_owned();
    Error::VersionUnknown { arn: text(arn), version: text(version) }
}
