//! What falls due without a request: keys that rotate, keys whose waiting period has ended.
//!
//! Work is found by the table of due rows, a prefix ordered by instant: never by looking at all keys. Each
//! transaction carries its audit records, so a step may be killed anywhere.

use crate::due::{self, DUE, Due};
use crate::key::{Rotation, RotationType};
use crate::operations::SOURCE;
use crate::rows::{aliases, keys};
use crate::{Error, KeyState, KmsKey, Place, Scope, grant, material};
use base::{AccountId, Entropy, Region, Timestamp, Uuid};
use envelope::Keyring;
use service::Ports;
use service::audit::{self, OUTBOX};
use std::ops::Bound;
use std::time::Duration;
use store::{KeyRange, Txn};

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
    let due = match first_due(&mut txn, KeyRange::prefix(due::PREFIX)).await {
        Ok(Some(due)) => due,
        Ok(None) => return Ok(None),
        Err(damage @ store::Error::Corrupt { .. }) => {
            work.mend().await?;
            return Err(damage.into());
        }
        Err(error) => return Err(error.into()),
    };
    if due.at > now {
        return Ok(Some(due.at));
    }
    let outcome = work.perform(txn, &due).await;
    match outcome {
        Ok(()) | Err(Error::Store(store::Error::Unavailable(_) | store::Error::Full)) => (),
        Err(_) => work.postpone(due).await?,
    }
    outcome.map(|()| Some(now))
}

async fn first_due(txn: &mut Txn<'_>, range: KeyRange) -> Result<Option<Due>, store::Error> {
    let page = txn.page::<Due>(range, 1, false).await?;
    Ok(page.rows.into_iter().next().map(|(_, due)| due))
}

impl Work<'_> {
    async fn perform(&self, mut txn: Txn<'_>, due: &Due) -> Result<(), Error> {
        let place = Place::named(&due.account, &due.region);
        let key = txn.find(&keys(), &(place, due.key.as_str())).await?;
        let owner = due.owner();
        match key.zip(owner) {
            Some((key, owner)) if self.has_ended(&key) => self.shred(txn, due, key, &owner).await,
            Some((key, owner)) if self.must_rotate(&key) => {
                self.rotate(txn, due, key, &owner).await
            }
            // Nothing is left to do: the row must go all the same, or it would be found for ever.
            _ => {
                due.remove(&mut txn);
                committed(txn).await.map(drop)
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
        mut txn: Txn<'_>,
        event: &str,
        key: &KmsKey,
        owner: &(AccountId, Region),
    ) -> Result<bool, Error> {
        let record = self.record(event, key, owner);
        let record = record.ok_or_else(|| store::Error::Unavailable("no audit record".into()))?;
        txn.save(&OUTBOX, &record, &record)?;
        let done = committed(txn).await?;
        if done {
            // The outbox holds the record: the journal gets it now or when it can again.
            let _later = self.ports.trail.append_committed(&[record]).await;
        }
        Ok(done)
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
        let place = (account, region);
        let mut record = audit::of_service(place, self.now, Uuid::random(self.entropy), told)?;
        // What services do by themselves is recorded as Secrets Manager's.
        record.json = record.json.replace("secretsmanager.amazonaws.com", SOURCE);
        Some(record)
    }

    /// Lets others go first. The row that is left then leads to the key, or to nothing, and goes.
    async fn postpone(&self, due: Due) -> Result<(), Error> {
        let mut txn = store::begin(self.ports.backend);
        due.remove(&mut txn);
        Due { at: self.now.plus(LATER), ..due }.save(&mut txn)?;
        Ok(txn.commit().await?)
    }

    /// Sets the damaged rows aside that stand before the first whole one. Those whose keys still tell what
    /// they said are written anew: the key they lead to says what is to be done.
    async fn mend(&self) -> Result<(), Error> {
        let mut txn = store::begin(self.ports.backend);
        let mut range = KeyRange::prefix(due::PREFIX);
        for _ in 0..PORTION {
            let found = first_due(&mut txn, range.clone()).await;
            let Err(store::Error::Corrupt { key, .. }) = found else { break };
            txn.set_aside(&key).await?;
            if let Some(due) = Due::of_key(&key) {
                txn.save(&DUE, &due, &due)?;
            }
            range.from = Bound::Excluded(key);
        }
        Ok(txn.commit().await?)
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
