//! Seals why a call was denied, in a transaction of its own: the call's is not committed.

use crate::front::Front;
use async_trait::async_trait;
use base::AccountId;
use service::{Call, Confidant};

#[async_trait]
impl Confidant for Front {
    async fn seal(&self, call: &Call<'_>, account: &AccountId, message: &[u8]) -> Option<String> {
        let Call { keyring, entropy, now, region, .. } = *call;
        let scope = kms::Scope { keyring, entropy, now, account, region };
        let mut txn = store::begin(&*self.backend);
        let sealed = identity::authorization::seal(&mut txn, &scope, account, message).await;
        match sealed {
            // An account that has no key is none: who is told of it makes none.
            Ok(_) if txn.writes_anything() => None,
            Ok(text) => Some(text),
            Err(error) => {
                // The denial stands, and its record says that it is one.
                tracing::error!(cause = service::chain(&error), "a denial can't be explained");
                None
            }
        }
    }
}
