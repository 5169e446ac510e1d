//! Grants: leave for one principal to use one key.
//!
//! Source: KMS Developer Guide, "Grants in KMS"; API Reference, CreateGrant.

use crate::exception::Exception;
use crate::rows::regional;
use crate::{KmsKey, Place};
use base::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};
use service::{Caller, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// Leave for one principal to use one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    /// The id of the key.
    pub(crate) key: String,
    pub(crate) name: Option<String>,
    pub(crate) created: Timestamp,
    /// The account of the one who made it.
    pub(crate) issuer: AccountId,
    pub(crate) terms: Terms,
}

store::json_record!(Grant, 1);

/// What a grant says, whoever made it and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) grantee: Party,
    pub(crate) retiring: Option<Party>,
    /// What the grantee may do: names as in [`OPERATIONS`].
    pub(crate) operations: BTreeSet<String>,
    /// The encryption context must be this one.
    pub(crate) equals: Option<BTreeMap<String, String>>,
    /// The encryption context must hold these pairs.
    pub(crate) subset: Option<BTreeMap<String, String>>,
}

impl Terms {
    /// The value of `kms:GrantConstraintType`.
    pub(crate) fn constraint_type(&self) -> Option<&'static str> {
        let subset = || self.subset.as_ref().map(|_| "EncryptionContextSubset");
        self.equals.as_ref().map(|_| "EncryptionContextEquals").or_else(subset)
    }

    /// The encryption context that the grantee is held to.
    pub(crate) fn context(&self) -> Option<&BTreeMap<String, String>> {
        self.equals.as_ref().or(self.subset.as_ref())
    }
}

/// A principal of a grant: users, roles and roles' sessions stay who they were when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Party {
    pub(crate) arn: String,
    pub(crate) id: Option<String>,
}

/// What a caller wants to do by a grant.
pub(crate) struct Asked<'a> {
    /// `Decrypt`.
    pub(crate) operation: &'a str,
    /// The encryption context.
    pub(crate) context: &'a [(&'a str, &'a str)],
    /// The grant to be made, of CreateGrant.
    pub(crate) child: Option<&'a Terms>,
}

/// The operations that a grant can be for, in the model's order.
pub(crate) const OPERATIONS: &[&str] = &[
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
    "Encapsulate",
    "Decapsulate",
];

/// Of those, the ones that a symmetric encryption key can do.
pub(crate) const SYMMETRIC_OPERATIONS: &[&str] = &[
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
];

/// Operations without encryption context, which constraints don't bind.
const WITHOUT_CONTEXT: &[&str] = &["CreateGrant", "DescribeKey", "RetireGrant"];

/// Grants of one key at most.
pub(crate) const MOST: u32 = 50_000;

/// Rows read at once when looking for a grant.
const PORTION: usize = 200;

impl Terms {
    /// Whether a grant with these terms lets its grantee do what is asked.
    pub(crate) fn allow(&self, asked: &Asked<'_>) -> bool {
        self.operations.contains(asked.operation)
            && asked.child.is_none_or(|it| it.is_within(self))
            && (WITHOUT_CONTEXT.contains(&asked.operation) || self.bind(asked.context))
    }

    fn bind(&self, context: &[(&str, &str)]) -> bool {
        let has = |name: &str, value: &str| context.contains(&(name, value));
        let all = |it: &BTreeMap<String, String>| it.iter().all(|it| has(it.0, it.1));
        self.equals.as_ref().is_none_or(|it| it.len() == context.len() && all(it))
            && self.subset.as_ref().is_none_or(all)
    }

    /// Whether it gives nothing that `parent` doesn't.
    fn is_within(&self, parent: &Self) -> bool {
        let holds = |has: &Option<BTreeMap<String, String>>, wanted: &BTreeMap<String, String>| {
            has.as_ref().is_some_and(|has| wanted.iter().all(|it| has.get(it.0) == Some(it.1)))
        };
        self.operations.is_subset(&parent.operations)
            && parent.equals.as_ref().is_none_or(|it| self.equals.as_ref() == Some(it))
            && parent
                .subset
                .as_ref()
                .is_none_or(|wanted| holds(&self.equals, wanted) || holds(&self.subset, wanted))
    }
}

impl Party {
    /// What stands for it in rows: its unique id, or its ARN if it has none.
    pub(crate) fn key(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.arn)
    }

    /// Whether `caller` is it.
    pub(crate) fn is(&self, caller: &Caller) -> bool {
        names_of(caller).contains(&self.key())
    }
}

/// Under which names `caller` may stand in a grant.
fn names_of(caller: &Caller) -> Vec<&str> {
    match &caller.kind {
        // A session stands by its role's id, not by its ARN, which a later role's session may have.
        Kind::RoleSession { role_id, .. } => vec![role_id, &caller.principal_id],
        Kind::User => vec![&caller.principal_id, &caller.arn],
        Kind::FederatedUser { .. }
        | Kind::Root
        | Kind::Service { .. }
        | Kind::WebIdentity { .. } => vec![&caller.arn],
    }
}

/// A grant's id, as it stands in the rows that lead to it.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Pointer(String);

store::json_record!(Pointer, 1);

/// How many grants a key has.
#[derive(Default, Serialize, Deserialize)]
struct Count(u32);

store::json_record!(Count, 1);

type Row<'a> = (Place<'a>, &'a str, &'a str);

const fn grants<'a>() -> Table<Row<'a>, Grant> {
    Table::new(|(place, key, id)| regional(*place).with("grant").with(key).with(id).key())
}

const fn counts<'a>() -> Table<(Place<'a>, &'a str), Count> {
    Table::new(|(place, key)| regional(*place).with("grant-count").with(key).key())
}

const TO: &str = "grant-to";
const ENDS: &str = "grant-ends";

/// The way to a grant by one of its principals: table, principal, key, grant.
const fn pointers<'a>() -> Table<(Place<'a>, [&'a str; 4]), Pointer> {
    Table::new(|(place, parts)| {
        let [table, rest @ ..] = parts;
        rest.iter().fold(regional(*place).with(table), Path::with).key()
    })
}

/// Whether a grant of `key` lets `caller` do what is asked.
pub(crate) async fn covers(
    txn: &mut Txn<'_>,
    key: &KmsKey,
    caller: &Caller,
    asked: &Asked<'_>,
) -> Result<bool, store::Error> {
    if !OPERATIONS.contains(&asked.operation) {
        return Ok(false);
    }
    for name in names_of(caller) {
        let found = first_to(txn, key, name, |it| it.terms.allow(asked)).await?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first grant of `key` to the principal called `name` that is `wanted`.
pub(crate) async fn first_to(
    txn: &mut Txn<'_>,
    key: &KmsKey,
    name: &str,
    wanted: impl Fn(&Grant) -> bool + Send,
) -> Result<Option<Grant>, store::Error> {
    let place = key.place();
    let path = regional(place).with(TO).with(name).with(&key.id);
    let mut range = KeyRange::prefix(&path.below());
    loop {
        let page = txn.page::<Pointer>(range.clone(), PORTION, false).await?;
        for (_, Pointer(id)) in &page.rows {
            let grant = txn.find(&grants(), &(place, &key.id, id)).await?;
            if let Some(grant) = grant.filter(&wanted) {
                return Ok(Some(grant));
            }
        }
        let Some((last, _)) = page.rows.into_iter().next_back().filter(|_| page.more) else {
            return Ok(None);
        };
        range.from = Bound::Excluded(last);
    }
}

/// The grant `id` of `key`.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    key: &KmsKey,
    id: &str,
) -> Result<Option<Grant>, store::Error> {
    txn.find(&grants(), &(key.place(), &key.id, id)).await
}

/// Up to `limit` grants of `key` after the one called `after`, and whether more follow.
pub(crate) async fn page_of_key(
    txn: &mut Txn<'_>,
    key: &KmsKey,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Grant>, bool), store::Error> {
    let place = key.place();
    let mut range = KeyRange::prefix(&regional(place).with("grant").with(&key.id).below());
    if let Some(after) = after {
        range.from = Bound::Excluded(grants().key(&(place, &key.id, after)));
    }
    let page = txn.page::<Grant>(range, limit, false).await?;
    Ok((page.rows.into_iter().map(|it| it.1).collect(), page.more))
}

/// Up to `limit` grants of all keys in `place` that the principal `name` may retire, each with the
/// position after it, and whether more follow.
pub(crate) async fn page_of_retiring(
    txn: &mut Txn<'_>,
    place: Place<'_>,
    name: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<(String, Grant)>, bool), store::Error> {
    let below = regional(place).with(ENDS).with(name).below();
    let mut range = KeyRange::prefix(&below);
    if let Some(after) = after {
        range.from = Bound::Excluded(format!("{below}{after}"));
    }
    let page = txn.page::<Pointer>(range, limit, false).await?;
    let mut found = Vec::with_capacity(page.rows.len());
    for (row, Pointer(id)) in page.rows {
        let Some(position) = row.strip_prefix(&below) else { continue };
        let key = position.split('/').next().unwrap_or_default();
        let grant = txn.find(&grants(), &(place, key, &id)).await?;
        found.extend(grant.map(|it| (position.to_owned(), it)));
    }
    Ok((found, page.more))
}

impl Grant {
    fn pointers(&self) -> Vec<[&str; 4]> {
        let Self { id, key, terms, .. } = self;
        let to = [TO, terms.grantee.key(), key, id];
        let ends = terms.retiring.as_ref().map(|it| [ENDS, it.key(), key, id]);
        std::iter::once(to).chain(ends).collect()
    }

    /// Adds it to those of `key`.
    pub(crate) async fn insert(&self, txn: &mut Txn<'_>, key: &KmsKey) -> Result<(), Exception> {
        let place = key.place();
        let Count(count) = txn.find(&counts(), &(place, &key.id)).await?.unwrap_or_default();
        if count >= MOST {
            let text = "The maximum number of grants for this key has been reached.";
            return Err(Exception::Limit(text.to_owned()));
        }
        txn.save(&counts(), &(place, &key.id), &Count(count + 1))?;
        txn.save(&grants(), &(place, &key.id, &self.id), self)?;
        for pointer in self.pointers() {
            txn.save(&pointers(), &(place, pointer), &Pointer(self.id.clone()))?;
        }
        Ok(())
    }

    /// Removes it from those of `key`.
    pub(crate) async fn remove(&self, txn: &mut Txn<'_>, key: &KmsKey) -> Result<(), store::Error> {
        let place = key.place();
        let Count(count) = txn.find(&counts(), &(place, &key.id)).await?.unwrap_or_default();
        txn.save(&counts(), &(place, &key.id), &Count(count.saturating_sub(1)))?;
        txn.remove(&grants(), &(place, &key.id, &self.id));
        for pointer in self.pointers() {
            txn.remove(&pointers(), &(place, pointer));
        }
        Ok(())
    }
}

/// Removes up to `limit` grants of `key`; tells whether some are left. The last takes the count along.
pub(crate) async fn remove_some(
    txn: &mut Txn<'_>,
    key: &KmsKey,
    limit: usize,
) -> Result<bool, store::Error> {
    let (found, more) = page_of_key(txn, key, None, limit).await?;
    for grant in &found {
        grant.remove(txn, key).await?;
    }
    if !more {
        txn.remove(&counts(), &(key.place(), &key.id));
    }
    Ok(more)
}
