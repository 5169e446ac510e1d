//! What falls due without a request: keys that rotate, material that expires, keys whose waiting period has ended.
//!
//! Work is found by the table of due rows, a prefix ordered by instant: never by looking at all keys. Each
//! transaction carries its audit records, so a step may be killed anywhere.

use crate::due::Due;
use crate::key::{Origin, Rotation, RotationType};
use crate::operations::SOURCE;
use crate::rows::{aliases, keys};
use crate::{Error, KeyState, KmsKey, Place, Scope, grant, import, material};
use base::{AccountId, Entropy, Region, Timestamp, Uuid};
use envelope::Keyring;
use service::due;
use service::{Ports, audit, commit_recorded};
use std::time::Duration;
use store::Txn;

/// Rows removed in one transaction: bounds its size and the time others wait for it.
const PORTION: usize = 100;

/// How long a key is left alone whose rows can't be read.
const LATER: Duration = Duration::from_hours(1);

/// What a step brings along.
struct Work<'a> {
    ports: Ports<'a>,
    keyring: &'a Keyring,
    entropy: &'a dyn Entropy,
    now: Timestamp,
}

/// Does one piece of what is due at `now`. Tells when the next is due, if anything is.
///
/// A key whose waiting period has ended loses its material in the store and in the keyring: what was encrypted
/// under it can't be opened any more. Backups from before still hold the material, wrapped.
///
/// # Errors
///
/// What was to be done was not done, and is found again by the next step; by one of the next hour if the
/// key is damaged, so that one key's damage stops no other's work.
pub async fn step(
    ports: Ports<'_>,
    keyring: &Keyring,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let work = Work { ports, keyring, entropy, now };
    let mut txn = store::begin(ports.backend);
    let Some(due) = due::first::<Due>(&mut txn, ports.backend).await? else { return Ok(None) };
    if due.at > now {
        return Ok(Some(due.at));
    }
    let outcome = work.perform(txn, &due).await;
    match outcome {
        Ok(()) | Err(Error::Store(store::Error::Unavailable(_) | store::Error::Full)) => (),
        Err(_) => due::postpone(ports.backend, due, now.plus(LATER)).await?,
    }
    outcome.map(|()| Some(now))
}

impl Work<'_> {
    async fn perform(&self, mut txn: Txn<'_>, due: &Due) -> Result<(), Error> {
        let place = Place::named(&due.account, &due.region);
        let key = txn.find(&keys(), &(place, due.key.as_str())).await?;
        let owner = due.owner();
        match key.zip(owner) {
            Some((key, owner)) if self.has_ended(&key) => self.shred(txn, due, key, &owner).await,
            Some((key, owner)) if import::first_ended(&key, self.now).is_some() => {
                self.expire(txn, key, &owner).await
            }
            Some((key, owner)) if self.must_rotate(&key) => {
                self.rotate(txn, due, key, &owner).await
            }
            // Nothing is left to do: the row must go all the same, or it would be found for ever. It may be
            // that imported material was deleted, of which the keyring still knows.
            found => {
                due.remove(&mut txn);
                let done = committed(txn).await?;
                if done && found.is_some_and(|(key, _)| key.origin == Origin::External) {
                    self.keyring.forget();
                }
                Ok(())
            }
        }
    }

    fn has_ended(&self, key: &KmsKey) -> bool {
        key.state == KeyState::PendingDeletion && key.deletion.is_some_and(|it| it.date <= self.now)
    }

    fn must_rotate(&self, key: &KmsKey) -> bool {
        key.state == KeyState::Enabled && key.rotation.is_some_and(|it| it.next <= self.now)
    }

    async fn rotate(
        &self,
        mut txn: Txn<'_>,
        due: &Due,
        mut key: KmsKey,
        owner: &(AccountId, Region),
    ) -> Result<(), Error> {
        let (keyring, entropy, now) = (self.keyring, self.entropy, self.now);
        let scope = Scope { keyring, entropy, now, account: &owner.0, region: &owner.1 };
        material::rotate(&mut txn, &scope, &mut key, RotationType::Automatic).await?;
        due.remove(&mut txn);
        if let Some(Rotation { days, .. }) = key.rotation {
            let next = now.plus(Duration::from_hours(24 * u64::from(days)));
            key.rotation = Some(Rotation { days, next });
            Due::of(&key, next).save(&mut txn)?;
        }
        key.save(&mut txn)?;
        self.commit(txn, "RotateKey", &key, owner).await.map(drop)
    }

    /// Destroys one material whose time is over. The due row stays: the step that finds nothing more removes
    /// it, and makes the keyring forget.
    async fn expire(
        &self,
        mut txn: Txn<'_>,
        mut key: KmsKey,
        owner: &(AccountId, Region),
    ) -> Result<(), Error> {
        if let Some(id) = import::first_ended(&key, self.now) {
            import::discard(&mut txn, &mut key, id);
        }
        key.save(&mut txn)?;
        self.commit(txn, "DeleteExpiredKeyMaterial", &key, owner).await.map(drop)
    }

    /// Destroys the material first, then what else there is of the key, portion by portion.
    async fn shred(
        &self,
        mut txn: Txn<'_>,
        due: &Due,
        key: KmsKey,
        owner: &(AccountId, Region),
    ) -> Result<(), Error> {
        let more = material::destroy(&mut txn, &key, PORTION).await?
            || grant::remove_some(&mut txn, &key, PORTION).await?;
        if more {
            committed(txn).await?;
            self.keyring.forget();
            return Ok(());
        }
        for name in key.alias_names() {
            let name = name.strip_prefix("alias/").unwrap_or_default();
            txn.remove(&aliases(), &(key.place(), name));
        }
        if let Some(rotation) = key.rotation {
            Due::of(&key, rotation.next).remove(&mut txn);
        }
        txn.remove(&keys(), &(key.place(), key.id.as_str()));
        due.remove(&mut txn);
        let done = self.commit(txn, "DeleteKey", &key, owner).await?;
        if done {
            self.keyring.forget();
        }
        Ok(())
    }

    /// Commits with the record of `event`; `false` if somebody changed what `txn` has read.
    async fn commit(
        &self,
        txn: Txn<'_>,
        event: &str,
        key: &KmsKey,
        owner: &(AccountId, Region),
    ) -> Result<bool, Error> {
        let record = self.record(event, key, owner);
        let record = record.ok_or_else(|| store::Error::Unavailable("no audit record".into()))?;
        Ok(commit_recorded(txn, &[record], self.ports.trail).await?)
    }

    fn record(
        &self,
        event: &str,
        key: &KmsKey,
        (account, region): &(AccountId, Region),
    ) -> Option<audit::Encoded> {
        let request_id = Uuid::random(self.entropy).to_string();
        let details = serde_json::json!({ "keyId": key.arn });
        let told = (event, &details, request_id.as_str());
        let when = (self.now, Uuid::random(self.entropy));
        audit::of_service(SOURCE, (account, region), when, told)
    }
}

/// Commits; `false` if somebody changed what `txn` has read.
async fn committed(txn: Txn<'_>) -> Result<bool, Error> {
    match txn.commit().await {
        Ok(()) => Ok(true),
        Err(store::Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
