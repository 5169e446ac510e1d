//! Resources as they are kept, and from an identifier to one that the caller may touch.

use crate::Error;
use crate::rows::{Crl, Profile, TrustAnchor};
use crate::tags::Tags;
use base::{AccountId, Arn, Region, Timestamp, Uuid};
use policy::engine::{Context, Values};
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use service::context::tag;
use service::{Action, Call, Operation, Permit, Target};
use std::collections::BTreeMap;
use std::ops::Bound;
use store::path::Path;
use store::{KeyRange, Record, Table, Txn};
use wire::members::{Integer, Text};
use wire::page_token;

/// A resource: what all have, and what it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept<T> {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) what: T,
}

/// What a resource can be.
pub(crate) trait What: Serialize + DeserializeOwned + Send + Sync + Sized + 'static {
    /// The word in ARNs: `trust-anchor`.
    const WORD: &'static str;
    /// The word in row keys.
    const ROW: &'static str;
    /// The member that an answer with one of them has.
    const MEMBER: &'static str;
    /// The same for many.
    const MEMBERS: &'static str;
    /// What a missing one is called.
    const CALLED: &'static str;
    /// The form in answers.
    type Shown<'a>: Serialize;

    /// As it stands in an answer.
    fn shown(kept: &Kept<Self>) -> Self::Shown<'_>;

    /// As it stands in a list: less, where the model has another shape for that.
    fn listed(kept: &Kept<Self>) -> Self::Shown<'_> {
        Self::shown(kept)
    }
}

impl<T: What> Record for Kept<T> {
    const SCHEMA: u16 = 1;

    fn encode(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        match schema {
            Self::SCHEMA => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
            _ => Err(format!("schema {schema} is newer than this program")),
        }
    }
}

/// Where a resource is: account, Region, id.
pub(crate) type Place<'a> = (&'a AccountId, &'a Region, &'a str);

/// The rows of resources of one kind.
pub(crate) const fn table<'a, T: What>() -> Table<Place<'a>, Kept<T>> {
    Table::new(|(account, region, id)| {
        Path::new("s").with(account).with(region.as_str()).with(T::ROW).with(id).key()
    })
}

/// The ARN of the resource `id` of `call`'s account and Region.
pub(crate) fn arn<T: What>(call: &Call<'_>, id: &str) -> String {
    let (account, region) = (&call.caller.account, call.region);
    format!("arn:aws:rolesanywhere:{region}:{account}:{}/{id}", T::WORD)
}

/// The id in `given`, an ARN of this account and Region or an id; `None` if it can't lead to one here.
pub(crate) fn id_in<'a, T: What>(call: &Call<'_>, given: &'a str) -> Option<&'a str> {
    if !given.starts_with("arn:") {
        return Some(given).filter(|it| is_id(it));
    }
    let parsed = Arn::parse(given).ok()?;
    let here = parsed.service == "rolesanywhere"
        && parsed.region == call.region.as_str()
        && parsed.account().as_ref() == Some(&call.caller.account);
    let (word, id) = parsed.resource.split_once('/')?;
    Some(id).filter(|it| here && word == T::WORD && is_id(it))
}

/// Whether `text` is a UUID in lower case.
pub(crate) fn is_id(text: &str) -> bool {
    let groups = text.split('-').map(str::len);
    let digits = text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    digits && groups.eq([8, 4, 4, 4, 12])
}

/// The resource `id` of `call`'s account and Region.
pub(crate) async fn find<T: What>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    id: &str,
) -> Result<Option<Kept<T>>, store::Error> {
    txn.find(&table::<T>(), &(&call.caller.account, call.region, id)).await
}

/// Lets `operation` touch the resource that `given` names: asks the policies, checks the model's
/// constraints, and only then says whether there is one.
pub(crate) async fn admit<T: What, O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    given: Option<&Text>,
) -> Result<(Permit, Kept<T>), Error> {
    let given = given.map_or("", Text::as_str);
    let id = id_in::<T>(call, given);
    let found = match id {
        Some(id) => find::<T>(call, txn, id).await?,
        None => None,
    };
    let arn = id.map(|it| arn::<T>(call, it));
    let tags = found.as_ref().map(|it| &it.tags);
    let keys = Tagged(tags);
    let resource = arn.as_deref().or(Some(given).filter(|it| !it.is_empty()));
    let target = Target { keys: &keys, ..Target::of(&call.caller.account, resource) };
    let permit = call.admit(operation, target)?;
    Ok((permit, found.ok_or(Error::NotFound(T::CALLED))?))
}

/// Lets `operation` make a resource: it is asked about as any of its kind, for it has no name yet. Giving it
/// `tags` is asked about as tagging a resource that has one.
///
/// Source: Service Authorization Reference, "AWS Identity and Access Management Roles Anywhere".
pub(crate) fn admit_new<T: What, O: Operation>(
    call: &Call<'_>,
    operation: &O,
    tags: Option<&Tags>,
) -> Result<Permit, Error> {
    let permit = call.permit(operation, O::ACTION, call.own_account())?;
    if tags.is_some() {
        let arn = arn::<T>(call, &Uuid::random(call.entropy).to_string());
        call.permit(operation, TAG, Target::of(&call.caller.account, Some(&arn)))?;
    }
    call.validate(operation)?;
    Ok(permit)
}

const TAG: Action = Action("rolesanywhere:TagResource");

/// The tags of a resource, as conditions ask for them.
struct Tagged<'a>(Option<&'a BTreeMap<String, String>>);

impl Context for Tagged<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        tag(self.0?, key.strip_prefix("aws:").filter(|it| it.starts_with("resourcetag/"))?)
    }
}

impl<T: What> Kept<T> {
    /// A new resource of `call`'s account and Region.
    pub(crate) fn new(call: &Call<'_>, name: Option<&Text>, what: T) -> Self {
        let id = Uuid::random(call.entropy).to_string();
        Self {
            arn: arn::<T>(call, &id),
            id,
            name: name.map_or("", Text::as_str).to_owned(),
            enabled: false,
            created: call.now,
            updated: call.now,
            tags: BTreeMap::new(),
            what,
        }
    }

    /// The same, switched on or off.
    pub(crate) fn switched(self, enabled: bool) -> Self {
        Self { enabled, ..self }
    }

    /// The same, as changed by `call` and written.
    pub(crate) fn saved(self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Self, store::Error> {
        let changed = Self { updated: call.now, ..self };
        changed.write(call, txn)?;
        Ok(changed)
    }

    /// Writes it as it is.
    pub(crate) fn write(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<(), store::Error> {
        txn.save(&table::<T>(), &(&call.caller.account, call.region, &*self.id), self)
    }

    /// Removes it.
    pub(crate) fn remove(&self, call: &Call<'_>, txn: &mut Txn<'_>) {
        txn.remove(&table::<T>(), &(&call.caller.account, call.region, &*self.id));
    }
}

/// An answer with one resource.
#[derive(Debug)]
pub struct One<T>(pub(crate) Kept<T>);

impl<T: What> Serialize for One<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut out = out.serialize_map(Some(1))?;
        out.serialize_entry(T::MEMBER, &T::shown(&self.0))?;
        out.end()
    }
}

/// What an audit record tells of an answer with one resource.
#[expect(clippy::unnecessary_wraps, reason = "as `Operation::elements` has it")]
pub(crate) fn told<T: What>(answer: &One<T>) -> Option<serde_json::Value> {
    let Kept { id, arn, name, enabled, .. } = &answer.0;
    let told = serde_json::json!({ "id": id, "arn": arn, "name": name, "enabled": enabled });
    Some(serde_json::json!({ T::MEMBER: told }))
}

/// An answer with a page of resources.
#[derive(Debug)]
pub struct Page<T> {
    rows: Vec<Kept<T>>,
    next: Option<String>,
}

impl<T: What> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut out = out.serialize_map(None)?;
        let rows: Vec<_> = self.rows.iter().map(T::listed).collect();
        out.serialize_entry(T::MEMBERS, &rows)?;
        if let Some(next) = &self.next {
            out.serialize_entry("nextToken", next)?;
        }
        out.end()
    }
}

/// The page that `size` and `token` ask for.
pub(crate) async fn page<T: What>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    (size, token): (Option<Integer>, Option<&Text>),
) -> Result<Page<T>, Error> {
    let (account, region) = (&call.caller.account, call.region);
    let prefix = Path::new("s").with(account).with(region.as_str()).with(T::ROW).below();
    let mut range = KeyRange::prefix(&prefix);
    if let Some(token) = token {
        let after = page_token::read(T::MEMBERS, token.as_str());
        let after = after.ok_or_else(|| Error::Invalid("Invalid nextToken".to_owned()))?;
        range.from = Bound::Excluded(format!("{prefix}{after}"));
    }
    let size = size.and_then(|it| usize::try_from(it.get()).ok()).unwrap_or(MOST);
    let page = txn.page::<Kept<T>>(range, size.clamp(1, MOST), false).await?;
    let rows: Vec<_> = page.rows.into_iter().map(|it| it.1).collect();
    let last = rows.last().filter(|_| page.more);
    let next = last.map(|it| page_token::write(T::MEMBERS, &it.id));
    Ok(Page { rows, next })
}

/// The most rows of a page, which are also those of one that says no number.
const MOST: usize = 50;

/// A resource of any kind that has tags.
pub(crate) enum AnyKept {
    Anchor(Kept<TrustAnchor>),
    Crl(Kept<Crl>),
    Profile(Kept<Profile>),
}

impl AnyKept {
    /// As [`admit`], for the kind that the ARN `given` says.
    pub(crate) async fn admit<O: Operation>(
        call: &Call<'_>,
        txn: &mut Txn<'_>,
        operation: &O,
        given: Option<&Text>,
    ) -> Result<(Permit, Self), Error> {
        let arn = Arn::parse(given.map_or("", Text::as_str)).ok();
        match arn.and_then(|it| it.resource.split_once('/')).map(|it| it.0) {
            Some(Profile::WORD) => {
                let (permit, found) = admit(call, txn, operation, given).await?;
                Ok((permit, Self::Profile(found)))
            }
            Some(Crl::WORD) => {
                let (permit, found) = admit(call, txn, operation, given).await?;
                Ok((permit, Self::Crl(found)))
            }
            _ => {
                let (permit, found) = admit(call, txn, operation, given).await?;
                Ok((permit, Self::Anchor(found)))
            }
        }
    }

    /// Its tags.
    pub(crate) fn tags(&mut self) -> &mut BTreeMap<String, String> {
        match self {
            Self::Anchor(it) => &mut it.tags,
            Self::Crl(it) => &mut it.tags,
            Self::Profile(it) => &mut it.tags,
        }
    }

    /// Writes it as it is.
    pub(crate) fn write(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<(), store::Error> {
        match self {
            Self::Anchor(it) => it.write(call, txn),
            Self::Crl(it) => it.write(call, txn),
            Self::Profile(it) => it.write(call, txn),
        }
    }
}
