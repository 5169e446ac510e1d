//! The policies of a user, a group or a role: attached and inline.

use crate::entities::Given;
use crate::iam::holder::{self, Holder};
use crate::iam::page::{Ask, Page};
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

/// The page of what is attached, by ARN.
pub(crate) fn attached(
    given: &Given,
    prefix: Option<&Text>,
    ask: Ask<'_>,
) -> Result<Page<AttachedPolicy>, Error> {
    let under = prefix.map_or("/", Text::as_str);
    let mut arns: Vec<&str> = given.attached.iter().map(String::as_str).collect();
    arns.retain(|it| {
        let place = it.split_once(":policy").map_or("", |it| it.1);
        place.starts_with(under)
    });
    arns.sort_unstable();
    ask.of_items(arns.into_iter().map(|it| (it, AttachedPolicy::of(it))))
}

/// Puts the inline policy of a name and a document with `holder`.
pub(crate) fn put<H: Holder>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    holder: &H,
    (name, document): (Option<&Text>, Option<&Text>),
) -> Result<(), Error> {
    let name = name.map_or("", Text::as_str);
    let owner = (H::KIND, holder.as_use().name);
    let text = documents::inline((owner.0, &owner.1), holder.given(), (name, document))?;
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
    match holder.given().inline.get_key_value(name) {
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
