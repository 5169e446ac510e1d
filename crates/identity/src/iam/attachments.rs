//! The policies of a user, a group or a role: attached and inline.

use crate::iam::holder::{self, Holder};
use crate::iam::page::Ask;
use crate::iam::uses::{self, As};
use crate::iam::{Error, documents, policies};
use serde::Serialize;
use service::Call;
use store::Txn;
use wire::members::Text;

/// A managed policy as lists of what is attached show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedPolicy {
    policy_name: String,
    policy_arn: String,
}

impl AttachedPolicy {
    /// The policy `arn`.
    pub(crate) fn of(arn: &str) -> Self {
        let name = arn.rsplit('/').next().unwrap_or_default();
        Self { policy_name: name.to_owned(), policy_arn: arn.to_owned() }
    }
}

/// The most managed policies of one user, group or role.
const MOST: usize = 10;

/// Attaches the managed policy `arn` to `holder`; nothing changes if it is attached already.
pub(crate) async fn attach<H: Holder>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    holder: &H,
    arn: Option<&Text>,
) -> Result<(), Error> {
    let account = &call.caller.account;
    let arn = policies::attachable(txn, account, arn).await?;
    let mut holder = holder.clone();
    let by = holder.as_use();
    let attached = &mut holder.given_mut().attached;
    if attached.contains(&arn) {
        return Ok(());
    }
    if attached.len() >= MOST {
        return Err(documents::exceeded(&format!("PoliciesPer{}", H::KIND.title), MOST));
    }
    uses::add(txn, account, (&arn, As::Attached), &by)?;
    attached.push(arn);
    Ok(holder::save(call, txn, &holder)?)
}

/// Detaches the managed policy `arn` from `holder`.
pub(crate) fn detach<H: Holder>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    holder: &H,
    arn: Option<&Text>,
) -> Result<(), Error> {
    let arn = arn.map_or("", Text::as_str);
    if policies::name_in(arn).is_none() {
        return Err(Error::Arn);
    }
    let mut holder = holder.clone();
    let by = holder.as_use();
    let attached = &mut holder.given_mut().attached;
    let before = attached.len();
    attached.retain(|it| it != arn);
    if attached.len() == before {
        return Err(Error::PolicyUnknown(arn.to_owned()));
    }
    uses::remove(txn, &call.caller.account, (arn, As::Attached), &by);
    Ok(holder::save(call, txn, &holder)?)
}

/// A page of the managed policies that are attached to somebody.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedPage {
    attached_policies: Vec<AttachedPolicy>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl AttachedPage {
    /// The page of those of `holder` below the path `prefix`, by ARN.
    pub(crate) fn of<H: Holder>(
        holder: &H,
        prefix: Option<&Text>,
        ask: Ask<'_>,
    ) -> Result<Self, Error> {
        let under = prefix.map_or("/", Text::as_str);
        let mut arns: Vec<&str> =
            holder.parts().given.attached.iter().map(String::as_str).collect();
        arns.retain(|it| {
            let place = it.split_once(":policy").map_or("", |it| it.1);
            place.starts_with(under)
        });
        arns.sort_unstable();
        let shown = arns.into_iter().map(|it| (it, AttachedPolicy::of(it)));
        let (attached_policies, marker) = ask.of_items(shown)?;
        Ok(Self { attached_policies, is_truncated: marker.is_some(), marker })
    }
}

/// A page of the names of somebody's inline policies.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InlinePage {
    policy_names: Vec<String>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl InlinePage {
    /// The page of those of `holder`, by name.
    pub(crate) fn of<H: Holder>(holder: &H, ask: Ask<'_>) -> Result<Self, Error> {
        let names = holder.parts().given.inline.keys().map(|it| (it.as_str(), it.clone()));
        let (policy_names, marker) = ask.of_items(names)?;
        Ok(Self { policy_names, is_truncated: marker.is_some(), marker })
    }
}

/// Puts the inline policy of a name and a document with `holder`.
pub(crate) fn put<H: Holder>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    holder: &H,
    (name, document): (Option<&Text>, Option<&Text>),
) -> Result<(), Error> {
    let name = name.map_or("", Text::as_str);
    let parts = holder.parts();
    let text = documents::inline((H::KIND, parts.name), parts.given, (name, document))?;
    let mut holder = holder.clone();
    holder.given_mut().inline.insert(name.to_owned(), text);
    Ok(holder::save(call, txn, &holder)?)
}

/// The inline policy `name` of `holder`: its name and its document.
pub(crate) fn inline<H: Holder>(
    holder: &H,
    name: Option<&Text>,
) -> Result<(String, String), Error> {
    let name = name.map_or("", Text::as_str);
    match holder.parts().given.inline.get_key_value(name) {
        Some((name, text)) => Ok((name.clone(), text.clone())),
        None => Err(no_policy::<H>(name)),
    }
}

/// Removes the inline policy `name` from `holder`.
pub(crate) fn delete<H: Holder>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    holder: &H,
    name: Option<&Text>,
) -> Result<(), Error> {
    let name = name.map_or("", Text::as_str);
    let mut holder = holder.clone();
    if holder.given_mut().inline.remove(name).is_none() {
        return Err(no_policy::<H>(name));
    }
    Ok(holder::save(call, txn, &holder)?)
}

/// The permissions boundary that something new is to have.
pub(crate) async fn boundary(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    arn: Option<&Text>,
) -> Result<Option<String>, Error> {
    match arn {
        Some(_) => policies::attachable(txn, &call.caller.account, arn).await.map(Some),
        None => Ok(None),
    }
}

fn no_policy<H: Holder>(name: &str) -> Error {
    Error::NotFound { what: format!("{} policy", H::KIND.name), name: name.to_owned() }
}
