//! Packages that no function has any more are removed, some time later.

use crate::function::{Has, having};
use crate::{CodeStore, Error};
use base::Timestamp;
use std::time::Duration;
use store::{Backend, KeyRange};

/// How long a package is left alone: a function that names it may be under way to its commit.
pub const GRACE: Duration = Duration::from_hours(1);

/// Removes the packages that were last kept some time before `now` and that no function has. Gives their number.
///
/// # Errors
///
/// The store's, or [`Error::Storage`]: what is left is found again.
pub async fn sweep(
    backend: &dyn Backend,
    code: &dyn CodeStore,
    now: Timestamp,
) -> Result<usize, Error> {
    let before = now.minus(GRACE);
    let mut removed = 0;
    for sha256 in code.older(before).await.map_err(Error::Storage)? {
        let range = KeyRange::prefix(&having(&sha256));
        let owners = store::begin(backend).page::<Has>(range, 1, false).await?;
        if owners.rows.is_empty() {
            code.remove(&sha256, before).await.map_err(Error::Storage)?;
            removed += 1;
        }
    }
    Ok(removed)
}
