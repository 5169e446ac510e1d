//! Users, groups and roles alike: whoever holds policies.

use crate::entities::{self, Given};
use crate::iam::names::is_name;
use crate::iam::uses::{self, As, Use};
use crate::iam::{Error, documents, tags};
use base::AccountId;
use policy::engine::{Context, Values};
use service::{Call, Operation, Permit, Target};
use std::future::Future;
use std::sync::Arc;
use store::{KeyRange, Record, Txn};
use wire::members::Text;

/// What is true of all users, of all groups, or of all roles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// `user`.
    pub(crate) name: &'static str,
    /// `User`.
    pub(crate) title: &'static str,
    /// How long its inline policies may be together, in characters without white space.
    pub(crate) inline: usize,
    /// What an account may have of them.
    pub(crate) most: usize,
}

/// A user, a group or a role.
pub(crate) trait Holder: Clone + Send + Sync + 'static {
    /// What it is.
    const KIND: Kind;

    /// The one called `name`, whatever the case.
    fn find(
        txn: &mut Txn<'_>,
        account: &AccountId,
        name: &str,
    ) -> impl Future<Output = Result<Option<Arc<Self>>, store::Error>> + Send;

    /// Writes it, without noting the change.
    fn write(&self, txn: &mut Txn<'_>, account: &AccountId) -> Result<(), store::Error>;

    /// What it has in common with the others.
    fn parts(&self) -> Parts<'_>;

    /// What it may do, to be changed.
    fn given_mut(&mut self) -> &mut Given;

    /// How it is noted as user of a managed policy.
    fn as_use(&self) -> Use {
        let Parts { path, name, id, .. } = self.parts();
        let [kind, path, name, id] = [Self::KIND.name, path, name, id].map(str::to_owned);
        Use { kind, path, name, id }
    }
}

/// What users, groups and roles have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    /// `/` or `/a/path/`.
    pub(crate) path: &'a str,
    /// The name, in its own case.
    pub(crate) name: &'a str,
    /// The unique id.
    pub(crate) id: &'a str,
    /// The ARN.
    pub(crate) arn: &'a str,
    /// What it may do.
    pub(crate) given: &'a Given,
    /// The ARN of its permissions boundary; groups have none.
    pub(crate) boundary: Option<&'a str>,
    /// Its tags; groups have none.
    pub(crate) tags: &'a [(String, String)],
}

/// What a call is about, if it is there.
pub(crate) struct Found<H> {
    name: String,
    holder: Option<Arc<H>>,
}

impl<H: Holder> Found<H> {
    /// It, if it is there.
    pub(crate) fn existing(self) -> Result<Arc<H>, Error> {
        let Self { name, holder } = self;
        holder.ok_or_else(|| Error::NotFound { what: H::KIND.name.to_owned(), name })
    }

    /// That it isn't there yet.
    pub(crate) fn absent(&self) -> Result<(), Error> {
        match &self.holder {
            None => Ok(()),
            Some(_) => Err(Error::Exists { what: H::KIND.title, name: self.name.clone() }),
        }
    }
}

/// What was looked for as `name`.
pub(crate) fn found<H: Holder>(name: &str, holder: Option<Arc<H>>) -> Found<H> {
    Found { name: name.to_owned(), holder }
}

/// Asks whether the caller may do `operation` to the one called `name`, and looks whether it is there.
pub(crate) async fn admit<H: Holder, O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    name: Option<&Text>,
) -> Result<(Permit, Found<H>), Error> {
    admit_named(call, txn, operation, name.map_or("", Text::as_str)).await
}

/// The same, for a name that doesn't come from the operation's parameters.
pub(crate) async fn admit_named<H: Holder, O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    name: &str,
) -> Result<(Permit, Found<H>), Error> {
    let account = &call.caller.account;
    let holder = if is_name(name) { H::find(txn, account, name).await? } else { None };
    let kind = H::KIND.name;
    let arn = match &holder {
        Some(it) => it.parts().arn.to_owned(),
        None => format!("arn:aws:iam::{account}:{kind}/{name}"),
    };
    let keys = Keys {
        tags: holder.as_ref().map_or(&[], |it| it.parts().tags),
        boundary: holder.as_ref().and_then(|it| it.parts().boundary),
    };
    let named = format!("{kind} {name}");
    let target = Target { keys: &keys, named: Some(&named), ..Target::of(account, Some(&arn)) };
    let permit = call.admit(operation, target)?;
    Ok((permit, Found { name: name.to_owned(), holder }))
}

/// Asks whether the caller may do `operation`, which makes one called `name` under `path`, and looks whether
/// there is one already.
pub(crate) async fn admit_new<H: Holder, O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    (path, name): (Option<&Text>, Option<&Text>),
) -> Result<(Permit, Found<H>), Error> {
    let account = &call.caller.account;
    let name = name.map_or("", Text::as_str);
    let arn = arn(account, H::KIND.name, path, name);
    let permit = call.admit(operation, Target::of(account, Some(&arn)))?;
    let holder = H::find(txn, account, name).await?;
    Ok((permit, Found { name: name.to_owned(), holder }))
}

/// `arn:aws:iam::111122223333:user/path/name`.
pub(crate) fn arn(account: &AccountId, kind: &str, path: Option<&Text>, name: &str) -> String {
    format!("arn:aws:iam::{account}:{kind}{}{name}", path.map_or("/", Text::as_str))
}

/// Writes a changed `holder`, and that something changed.
pub(crate) fn save<H: Holder>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    holder: &H,
) -> Result<(), store::Error> {
    let account = &call.caller.account;
    entities::changed(txn, account, call.entropy)?;
    holder.write(txn, account)
}

/// Notes all managed policies of `holder` under its name: of one that is new, or has another name now.
pub(crate) fn note_uses<H: Holder>(
    txn: &mut Txn<'_>,
    account: &AccountId,
    holder: &H,
) -> Result<(), store::Error> {
    let (by, Parts { given, boundary, .. }) = (holder.as_use(), holder.parts());
    let mut attached = given.attached.iter();
    attached.try_for_each(|arn| uses::add(txn, account, (arn, As::Attached), &by))?;
    match boundary {
        Some(arn) => uses::add(txn, account, (arn, As::Boundary), &by),
        None => Ok(()),
    }
}

/// Takes back what [`note_uses`] noted.
pub(crate) fn forget_uses<H: Holder>(txn: &mut Txn<'_>, account: &AccountId, holder: &H) {
    let (by, Parts { given, boundary, .. }) = (holder.as_use(), holder.parts());
    for arn in &given.attached {
        uses::remove(txn, account, (arn, As::Attached), &by);
    }
    if let Some(arn) = boundary {
        uses::remove(txn, account, (arn, As::Boundary), &by);
    }
}

/// That no policy hangs on what is to be deleted.
pub(crate) fn holds_nothing<H: Holder>(holder: &H) -> Result<(), Error> {
    let Given { attached, inline } = holder.parts().given;
    if !attached.is_empty() || !inline.is_empty() {
        return Err(Error::Hangs(REFERENCED));
    }
    Ok(())
}

/// Somebody still uses what is to be deleted.
pub(crate) const REFERENCED: &str = "Cannot delete entity, must remove referenced objects first.";

/// All below `prefix`, which is that of all rows of an account.
pub(crate) async fn all<H: Holder + Record>(
    txn: &mut Txn<'_>,
    prefix: &str,
) -> Result<Vec<H>, store::Error> {
    let page = txn.page::<H>(KeyRange::prefix(prefix), H::KIND.most, false).await?;
    Ok(page.rows.into_iter().map(|it| it.1).collect())
}

/// How many there are below `prefix`, which is that of all rows of an account.
pub(crate) async fn count<H: Holder + Record>(
    txn: &mut Txn<'_>,
    prefix: &str,
) -> Result<usize, store::Error> {
    Ok(all::<H>(txn, prefix).await?.len())
}

/// That the account may have one more.
pub(crate) async fn within_quota<H: Holder + Record>(
    txn: &mut Txn<'_>,
    prefix: &str,
) -> Result<(), Error> {
    let Kind { title, most, .. } = H::KIND;
    if count::<H>(txn, prefix).await? < most {
        return Ok(());
    }
    Err(documents::exceeded(&format!("{title}sPerAccount"), most))
}

/// Condition keys that come from what a call is about.
pub(crate) struct Keys<'a> {
    pub(crate) tags: &'a [(String, String)],
    pub(crate) boundary: Option<&'a str>,
}

impl Context for Keys<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        if key == "iam:permissionsboundary" {
            return self.boundary.map(Values::one);
        }
        let name =
            ["aws:resourcetag/", "iam:resourcetag/"].iter().find_map(|it| key.strip_prefix(it));
        tags::value(self.tags, name?).map(Values::one)
    }
}
