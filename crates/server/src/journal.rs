//! The audit journal of this server: its signing key, and its opening.

use crate::config::{Config, Durability};
use crate::start::StartError;
use base::{Clock, Entropy, Sensitive};
use envelope::Keyring;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Backend, Table};
use trail::{Journal, Options, SigningKey};

/// The key that signs the journal's heads, sealed.
#[derive(Serialize, Deserialize)]
struct Sealed(Vec<u8>);

store::json_record!(Sealed, 1);

const SIGNING_KEY: Table<(), Sealed> = Table::new(|()| "trail-signing-key".to_owned());
const PURPOSE: kms::Purpose<'_> = kms::Purpose { what: "trail-signing", whose: "journal" };

/// Opens the journal in the data folder, and begins it at the first start.
pub(crate) async fn open(
    config: &Config,
    backend: &dyn Backend,
    keyring: &Keyring,
    (clock, entropy): (&Arc<dyn Clock>, &dyn Entropy),
) -> Result<Journal, StartError> {
    let key = loop {
        match signing_key(backend, keyring, (&**clock, entropy)).await {
            Err(kms::Error::Store(store::Error::Conflict { .. })) => (),
            other => break other?,
        }
    };
    let key = SigningKey::from_bytes(&key)?;
    let options = Options {
        durability: match config.audit.durability {
            Durability::Synced => trail::Durability::Synced,
            Durability::Written => trail::Durability::Written,
        },
        segment_bytes: config.audit.segment_bytes,
        ..Options::default()
    };
    let (folder, clock) = (config.server.data.join("journal"), Arc::clone(clock));
    let opened = tokio::task::spawn_blocking(move || Journal::open(&folder, options, key, clock));
    Ok(opened.await.map_err(|_| trail::Error::Closed)??)
}

/// The key that signs heads; made by the first start.
async fn signing_key(
    backend: &dyn Backend,
    keyring: &Keyring,
    (clock, entropy): (&dyn Clock, &dyn Entropy),
) -> Result<Sensitive, kms::Error> {
    let (account, region) = crate::start::nowhere();
    let scope =
        kms::Scope { keyring, entropy, now: clock.now(), account: &account, region: &region };
    let mut txn = store::begin(backend);
    if let Some(Sealed(sealed)) = txn.find(&SIGNING_KEY, &()).await? {
        return kms::open_local(&mut txn, &scope, kms::Place::store(), PURPOSE, &sealed).await;
    }
    let key = SigningKey::generate(entropy);
    let sealed = kms::seal_local(&mut txn, &scope, kms::Place::store(), PURPOSE, &key).await?;
    txn.save(&SIGNING_KEY, &(), &Sealed(sealed))?;
    txn.commit().await?;
    Ok(key)
}
