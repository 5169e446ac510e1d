//! One secret: its metadata, its rows, and what may be done to it.

use crate::Error;
use crate::due::{DUE, Due};
use crate::lease;
use crate::limits;
use crate::policies::StoredPolicy;
use crate::rotation::{self, Rotation};
use crate::stages::{Label, Stages, VersionId};
use base::{AccountId, Entropy, Region, Timestamp};
use policy::engine::Values;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use store::path::Path;
use store::{Table, Txn};

/// The account and Region that hold a secret: nothing crosses from one to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The owner.
    pub account: AccountId,
    /// Where it lives.
    pub region: Region,
}

/// A secret's internal id: its creation in hex milliseconds and eight random hex digits.
///
/// Ids sort by creation, so the table of secrets is the listing by creation date.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretId(pub(crate) String);

impl SecretId {
    fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
        let random = u32::from_be_bytes(entropy.bytes());
        Self(format!("{:012x}{random:08x}", now.millis()))
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One secret without its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    pub(crate) id: SecretId,
    pub(crate) arn: String,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// The key as the user named it; `None` for the AWS managed key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owning_service: Option<String>,
    /// `None` if never tagged; empty after the last tag was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) created: Timestamp,
    pub(crate) changed: Timestamp,
    /// The day of the last read of a value, at 00:00 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accessed: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deletion: Option<Deletion>,
    #[serde(default, skip_serializing_if = "Stages::is_empty")]
    pub(crate) stages: Stages,
    /// How many versions have a row.
    #[serde(default)]
    pub(crate) versions: u32,
    /// When the version clean-up is due, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trim: Option<Timestamp>,
    /// How it rotates; `None` if that was never asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotation: Option<Rotation>,
    /// Of a dynamic secret: the version whose template somebody who may read the administrator's secret has put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agreed: Option<VersionId>,
    /// Whether a resource policy is attached, so that reads needn't look.
    #[serde(default)]
    pub(crate) has_policy: bool,
}

store::json_record!(Secret, 1);

/// A deletion that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deletion {
    /// When DeleteSecret was called: what `DeletedDate` shows.
    pub(crate) requested: Timestamp,
    /// When the secret may be removed.
    pub(crate) due: Timestamp,
}

/// A row that leads to a secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pointer(pub(crate) SecretId);

store::json_record!(Pointer, 1);

/// The secrets of each partition, in order of creation.
pub(crate) fn secrets<'a>() -> Table<(&'a Place, &'a SecretId), Secret> {
    Table::new(|(place, id)| place.path("secret").with(id.as_str()).key())
}

/// Names, of secrets scheduled for deletion too.
pub(crate) fn names<'a>() -> Table<(&'a Place, &'a str), Pointer> {
    Table::new(|(place, name)| place.path("secret-name").rest(name))
}

/// The order of last change.
pub(crate) fn changed<'a>() -> Table<(&'a Place, Timestamp, &'a SecretId), Pointer> {
    Table::new(|(place, at, id)| sorted(place, "secret-changed", *at, id))
}

/// The order of last access.
pub(crate) fn accessed<'a>() -> Table<(&'a Place, Timestamp, &'a SecretId), Pointer> {
    Table::new(|(place, at, id)| sorted(place, "secret-accessed", *at, id))
}

/// Resource policies.
pub(crate) fn policies<'a>() -> Table<(&'a Place, &'a SecretId), StoredPolicy> {
    Table::new(|(place, id)| place.path("secret-policy").with(id.as_str()).key())
}

fn sorted(place: &Place, table: &str, at: Timestamp, id: &SecretId) -> String {
    place
        .path(table)
        .with_shown(format_args!("{:012x}", at.millis().max(0)))
        .with(id.as_str())
        .key()
}

impl Place {
    /// The path of this partition's table `name`.
    pub(crate) fn path(&self, name: &str) -> Path {
        Path::new("s").with(&self.account).with(&self.region).with(name)
    }
}

impl Secret {
    /// A secret that doesn't exist yet, with a fresh ARN.
    pub(crate) fn new(place: &Place, name: &str, now: Timestamp, entropy: &dyn Entropy) -> Self {
        let partition = base::Partition::of(&place.region);
        let Place { account, region } = place;
        let suffix = suffix(entropy);
        Self {
            id: SecretId::new(now, entropy),
            arn: format!(
                "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{suffix}"
            ),
            name: name.to_owned(),
            description: None,
            kms_key_id: None,
            kind: None,
            owning_service: None,
            tags: None,
            created: now,
            changed: now,
            accessed: None,
            deletion: None,
            stages: Stages::default(),
            versions: 0,
            trim: None,
            rotation: None,
            agreed: None,
            has_policy: false,
        }
    }

    /// Whether this secret may be used: not while it is scheduled for deletion.
    pub(crate) fn require_live(&self) -> Result<(), Error> {
        self.deletion.map_or(Ok(()), |_| Err(Error::ScheduledForDeletion))
    }

    /// The value of a condition key of the resource. `key` is in lower case.
    pub(crate) fn condition(&self, key: &str) -> Option<Values<'_>> {
        let (service, name) = key.split_once(':')?;
        match (service, name) {
            ("aws" | "secretsmanager", _) if name.starts_with("resourcetag/") => {
                service::context::tag(self.tags.as_ref()?, name)
            }
            ("secretsmanager", "resource/allowrotationlambdaarn") => {
                self.rotation.as_ref()?.function.as_deref().map(Values::one)
            }
            ("secretsmanager", "resource/type") => self.kind.as_deref().map(Values::one),
            ("secretsmanager", "secretid") => Some(Values::one(&self.arn)),
            _ => None,
        }
    }

    /// Notes a change at `now`. Later than the change before, even within one millisecond.
    pub(crate) fn touch(&mut self, now: Timestamp) {
        self.changed = now.max(self.changed.plus(Duration::from_millis(1)));
    }

    /// Whether a read at `now` would be the first of its day.
    pub(crate) fn unread(&self, now: Timestamp) -> bool {
        self.accessed.is_none_or(|day| day < now.day())
    }

    /// Notes a read at `now`.
    pub(crate) fn mark_read(&mut self, now: Timestamp) {
        self.accessed = self.accessed.max(Some(now.day()));
    }

    /// The version that `label` stands on.
    pub(crate) fn version_of(&self, label: &Label) -> Result<&VersionId, Error> {
        self.stages.holder(label).ok_or_else(|| Error::NoValueForLabel(label.clone()))
    }

    /// Whether the labels fit; called after they were attached.
    pub(crate) fn check_labels(&self) -> Result<(), Error> {
        if self.stages.count() > limits::LABELS_PER_SECRET {
            return Err(Error::LabelQuota);
        }
        Ok(())
    }

    /// Writes the secret's first rows.
    pub(crate) async fn insert(&self, txn: &mut Txn<'_>, place: &Place) -> Result<(), Error> {
        // One in 2^32 for two secrets of one millisecond: the next call draws another id.
        if txn.find(&secrets(), &(place, &self.id)).await?.is_some() {
            return Err(store::Error::Unavailable("the secret's id is taken".into()).into());
        }
        let pointer = Pointer(self.id.clone());
        txn.save(&names(), &(place, self.name.as_str()), &pointer)?;
        txn.save(&changed(), &(place, self.changed, &self.id), &pointer)?;
        txn.save(&accessed(), &(place, Timestamp::default(), &self.id), &pointer)?;
        txn.save(&secrets(), &(place, &self.id), self)?;
        Ok(())
    }

    /// Writes what differs from `before`, the secret as it was loaded.
    pub(crate) fn save(
        &self,
        txn: &mut Txn<'_>,
        place: &Place,
        before: &Self,
    ) -> Result<(), Error> {
        let pointer = Pointer(self.id.clone());
        if self.changed != before.changed {
            txn.remove(&changed(), &(place, before.changed, &self.id));
            txn.save(&changed(), &(place, self.changed, &self.id), &pointer)?;
        }
        if self.accessed != before.accessed {
            txn.remove(&accessed(), &(place, before.accessed.unwrap_or_default(), &self.id));
            txn.save(&accessed(), &(place, self.accessed.unwrap_or_default(), &self.id), &pointer)?;
        }
        if self.next_due() != before.next_due() {
            before.due_row(place).iter().for_each(|it| txn.remove(&DUE, it));
            self.due_row(place).iter().try_for_each(|it| txn.save(&DUE, it, it))?;
        }
        if self.rotation_due() != before.rotation_due() {
            before.rotation_row(place).iter().for_each(|it| txn.remove(&rotation::DUE, it));
            let row = self.rotation_row(place);
            row.iter().try_for_each(|it| txn.save(&rotation::DUE, it, it))?;
        }
        if before.agreed.is_some() && self.template() != before.template() {
            lease::sweep(txn, place, &self.id)?;
        }
        txn.save(&secrets(), &(place, &self.id), self)?;
        Ok(())
    }

    /// Removes every row of the secret but its versions'.
    pub(crate) fn remove(&self, txn: &mut Txn<'_>, place: &Place) -> Result<(), store::Error> {
        if self.agreed.is_some() {
            lease::sweep(txn, place, &self.id)?;
        }
        txn.remove(&names(), &(place, self.name.as_str()));
        txn.remove(&changed(), &(place, self.changed, &self.id));
        txn.remove(&accessed(), &(place, self.accessed.unwrap_or_default(), &self.id));
        txn.remove(&policies(), &(place, &self.id));
        self.due_row(place).iter().for_each(|it| txn.remove(&DUE, it));
        self.rotation_row(place).iter().for_each(|it| txn.remove(&rotation::DUE, it));
        txn.remove(&secrets(), &(place, &self.id));
        Ok(())
    }

    /// When its rotation is to be looked at, if it is.
    pub(crate) fn rotation_due(&self) -> Option<Timestamp> {
        let rotation = self.rotation.as_ref().filter(|_| self.deletion.is_none());
        rotation.and_then(Rotation::row_at)
    }

    fn rotation_row(&self, place: &Place) -> Option<rotation::Due> {
        self.rotation_due().map(|at| rotation::Due {
            at,
            account: place.account.clone(),
            region: place.region.clone(),
            secret: self.id.clone(),
        })
    }

    /// When the next thing falls due for this secret, if anything does.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let deletion = self.deletion.map(|it| it.due);
        [deletion, self.trim].into_iter().flatten().min()
    }

    fn due_row(&self, place: &Place) -> Option<Due> {
        self.next_due().map(|at| Due {
            at,
            account: place.account.clone(),
            region: place.region.clone(),
            secret: self.id.clone(),
        })
    }
}

/// The six random characters at the end of a secret's ARN.
fn suffix(entropy: &dyn Entropy) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..6)
        .filter_map(|_| ALPHABET.get(entropy.below(62) as usize))
        .map(|byte| char::from(*byte))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            account: "111122223333".parse().expect("valid"),
            region: "eu-central-1".parse().expect("valid"),
        }
    }

    #[test]
    fn arn_has_name_and_six_characters() {
        let secret = Secret::new(&place(), "a/b", Timestamp::from_secs(1), &base::SystemEntropy);
        let (head, suffix) = secret.arn.rsplit_once('-').expect("hyphen");
        assert_eq!(head, "arn:aws:secretsmanager:eu-central-1:111122223333:secret:a/b");
        assert!(suffix.len() == 6 && suffix.bytes().all(|it| it.is_ascii_alphanumeric()));
    }

    #[test]
    fn only_the_first_read_of_a_day_counts() {
        let mut secret = Secret::new(&place(), "a", Timestamp::default(), &base::SystemEntropy);
        let noon = Timestamp::from_secs(43_200);
        assert!(secret.unread(noon));
        secret.mark_read(noon);
        assert!(!secret.unread(noon.plus(Duration::from_hours(11))));
        assert!(secret.unread(noon.plus(Duration::from_hours(12))));
        secret.mark_read(noon.plus(Duration::from_hours(12)));
        assert_eq!(secret.accessed, Some(Timestamp::from_secs(86_400)));
    }

    #[test]
    fn each_change_is_later_than_the_one_before() {
        let now = Timestamp::from_secs(5);
        let mut secret = Secret::new(&place(), "a", now, &base::SystemEntropy);
        secret.touch(now);
        let first = secret.changed;
        secret.touch(now);
        assert!(now < first && first < secret.changed);
    }

    /// Draws the same bytes again and again.
    struct Stuck(u8);

    impl Entropy for Stuck {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    #[tokio::test]
    async fn a_second_secret_never_takes_the_id_of_a_first() {
        let (memory, place, now) =
            (store::backends::memory::Memory::new(), place(), Timestamp::from_secs(5));
        let first = Secret::new(&place, "first", now, &Stuck(1));
        let mut txn = store::begin(&memory);
        first.insert(&mut txn, &place).await.expect("the id is free");
        txn.commit().await.expect("alone");

        let same = Secret::new(&place, "second", now, &Stuck(1));
        assert_eq!(same.id, first.id, "one millisecond, one draw");
        let mut txn = store::begin(&memory);
        let refused = same.insert(&mut txn, &place).await;
        assert!(matches!(refused, Err(Error::Store(store::Error::Unavailable(_)))), "{refused:?}");
        assert!(!txn.writes_anything());
        assert_eq!(
            txn.find(&secrets(), &(&place, &first.id)).await.expect("readable"),
            Some(first)
        );

        for other in [
            Secret::new(&place, "second", now, &Stuck(2)),
            Secret::new(&place, "third", now.plus(Duration::from_millis(1)), &Stuck(1)),
        ] {
            other.insert(&mut txn, &place).await.expect("the id is free");
        }
    }

    #[test]
    fn rows_have_readable_keys() {
        let place = place();
        let id = SecretId("0199".to_owned());
        assert_eq!(secrets().key(&(&place, &id)), "s/111122223333/eu-central-1/secret/0199");
        assert_eq!(names().key(&(&place, "a/b")), "s/111122223333/eu-central-1/secret-name/a/b");
    }
}
