//! How many secrets a partition holds, counted in stripes so that creations seldom meet on a row.

use crate::Error;
use crate::secret::{Place, SecretId};
use serde::{Deserialize, Serialize};
use store::{Table, Txn};

/// A stripe's counter.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Count(u64);

store::json_record!(Count, 1);

/// Stripes are named by the last two hex digits of a secret's id, which are random.
const STRIPES: u64 = 256;
/// From this quota on, a stripe well below its share stands for the others.
const LARGE: u64 = 100 * STRIPES;

fn counts<'a>() -> Table<(&'a Place, &'a str), Count> {
    Table::new(|(place, stripe)| place.path("secret-count").with_shown(stripe).key())
}

/// Counts the new secret `id`, if `quota` leaves room for it.
pub(crate) async fn add(
    txn: &mut Txn<'_>,
    place: &Place,
    id: &SecretId,
    quota: Option<u64>,
) -> Result<(), Error> {
    let stripe = stripe(id);
    let own = txn.find(&counts(), &(place, stripe)).await?.unwrap_or_default();
    if let Some(quota) = quota {
        let clearly_below = quota >= LARGE && own.0 < quota / STRIPES / 2;
        if !clearly_below && total(txn, place).await? >= quota {
            return Err(Error::SecretQuota);
        }
    }
    txn.save(&counts(), &(place, stripe), &Count(own.0 + 1))?;
    Ok(())
}

/// Takes the removed secret `id` off the count.
pub(crate) async fn subtract(txn: &mut Txn<'_>, place: &Place, id: &SecretId) -> Result<(), Error> {
    let stripe = stripe(id);
    let own = txn.find(&counts(), &(place, stripe)).await?.unwrap_or_default();
    txn.save(&counts(), &(place, stripe), &Count(own.0.saturating_sub(1)))?;
    Ok(())
}

async fn total(txn: &mut Txn<'_>, place: &Place) -> Result<u64, Error> {
    let mut total = 0;
    for stripe in 0..STRIPES {
        let stripe = format!("{stripe:02x}");
        let count = txn.glance(&counts(), &(place, stripe.as_str())).await?;
        total += count.unwrap_or_default().0;
    }
    Ok(total)
}

fn stripe(id: &SecretId) -> &str {
    let id = id.as_str();
    id.get(id.len().saturating_sub(2)..).unwrap_or_default()
}
