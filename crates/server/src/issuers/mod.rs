//! The keys of issuers: asked for when a token needs them, and remembered for a while.
//!
//! Who shows a token hasn't proven anything yet when its issuer's keys are needed. So an issuer is asked only
//! if the role's account knows it, by one request at a time. It is left alone for a [`PAUSE`] when it didn't answer,
//! and when it was asked for newer keys: who sends tokens with invented keys makes us ask six times a minute.

mod address;
mod fetch;
mod vouch;

pub(crate) use fetch::Fetcher;
pub use fetch::FetcherError;

use async_trait::async_trait;
use base::Timestamp;
use oidc::{Issuer, Keys, keys_address};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// What is behind an address: `fetch` asks the network, tests answer themselves.
#[async_trait]
pub(crate) trait Documents: Send + Sync {
    /// The document at `address`, of an issuer whose certificate one with a SHA-1 of `thumbprints` may vouch
    /// for.
    async fn read(&self, address: &str, thumbprints: &[String]) -> Result<Vec<u8>, Unreachable>;
}

/// Why there is no document, for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreachable(pub(crate) String);

/// Keys of issuers, as they were fetched lately.
pub(crate) struct Issuers {
    documents: Box<dyn Documents>,
    known: Lock<BTreeMap<Asked, Arc<Mutex<Found>>>>,
}

/// An issuer, and who may vouch for its certificate: one account's word doesn't count for another's.
type Asked = (String, Vec<String>);

#[derive(Default)]
struct Found {
    keys: Option<Arc<Keys>>,
    /// When they were fetched.
    at: Timestamp,
    /// When it was last asked in vain, or for newer keys.
    paused: Option<Timestamp>,
}

/// All of an issuer's documents must be there within this time.
const LONGEST: Duration = Duration::from_secs(5);
/// Keys count for so long.
const LIFETIME: Duration = Duration::from_hours(1);
/// An issuer is left alone for so long.
const PAUSE: Duration = Duration::from_secs(10);
/// So many issuers are remembered.
const MOST: usize = 1000;

impl Issuers {
    /// Nothing is known yet.
    pub(crate) fn new(documents: Box<dyn Documents>) -> Self {
        Self { documents, known: Lock::default() }
    }

    /// The keys of `issuer`, none of them older than an hour; `None` if they can't be had. Keys `other` than
    /// those that were found wanting, if there may be newer ones.
    pub(crate) async fn keys(
        &self,
        issuer: &Issuer,
        thumbprints: &[String],
        (other, now): (Option<&Arc<Keys>>, Timestamp),
    ) -> Option<Arc<Keys>> {
        let found = self.found(issuer, thumbprints);
        let mut found = found.lock().await;
        if let Some(keys) = found.good(other, now) {
            return Some(keys);
        }
        if found.paused.is_some_and(|it| now.since(it) < PAUSE) {
            return None;
        }
        // Noted first: who goes away before the answer has asked all the same.
        found.paused = Some(now);
        let late = |_| Err(Unreachable(format!("no answer within {LONGEST:?}")));
        match timeout(LONGEST, self.fetch(issuer, thumbprints)).await.unwrap_or_else(late) {
            Ok(keys) => {
                let keys = Arc::new(keys);
                (found.keys, found.at) = (Some(Arc::clone(&keys)), now);
                found.paused = other.map(|_| now);
                Some(keys)
            }
            Err(error) => {
                tracing::warn!(issuer = issuer.as_str(), %error, "the issuer's keys can't be had");
                None
            }
        }
    }

    async fn fetch(&self, issuer: &Issuer, thumbprints: &[String]) -> Result<Keys, Unreachable> {
        let document = self.documents.read(&issuer.discovery(), thumbprints).await?;
        let strange = || Unreachable("its discovery document is not its own".to_owned());
        let address = keys_address(&document, issuer).ok_or_else(strange)?;
        let document = self.documents.read(&address, thumbprints).await?;
        Keys::parse(&document).map_err(|error| Unreachable(error.to_string()))
    }

    fn found(&self, issuer: &Issuer, thumbprints: &[String]) -> Arc<Mutex<Found>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = (issuer.as_str().to_owned(), thumbprints.to_vec());
        if MOST <= known.len() && !known.contains_key(&asked) {
            make_room(&mut known);
        }
        Arc::clone(known.entry(asked).or_default())
    }
}

/// Forgets the issuer that was asked longest ago, in vain first. Those that are being asked right now stay.
fn make_room(known: &mut BTreeMap<Asked, Arc<Mutex<Found>>>) {
    let age = |found: &Mutex<Found>| found.try_lock().ok().map(|it| it.at);
    let eldest = known.iter().filter_map(|(asked, found)| Some((age(found)?, asked))).min();
    let eldest = eldest.map(|it| it.1.clone()).or_else(|| known.keys().next().cloned());
    eldest.and_then(|it| known.remove(&it));
}

impl Found {
    /// The keys, if they still count and aren't those that were found wanting.
    fn good(&self, other: Option<&Arc<Keys>>, now: Timestamp) -> Option<Arc<Keys>> {
        let keys = self.keys.as_ref().filter(|_| now.since(self.at) < LIFETIME)?;
        let is_wanting = other.is_some_and(|it| Arc::ptr_eq(it, keys));
        (!is_wanting).then(|| Arc::clone(keys))
    }
}

#[cfg(test)]
mod tests;
