//! Small secrets directly under a partition key: access keys' secrets, signing keys.

use crate::codec::{Reader, Writer};
use crate::partition::{load_generation, located};
use crate::{Error, Place, Scope, partition_key};
use base::Sensitive;
use envelope::{Aad, Label, OpenError};
use store::Txn;

/// What a small secret is for, and whose it is. It opens as nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose<'a> {
    /// What it is: `access-key`, `trail-signing`. Fixed in the program.
    pub what: &'static str,
    /// Which one: an access key id, a row's key.
    pub whose: &'a str,
}

/// Seals `plaintext` under the key of `place`, bound to `purpose`. The scope's account and Region
/// don't matter here.
///
/// # Errors
///
/// Those of [`partition_key`], and [`Error::Seal`] if it is too long.
pub async fn seal_local(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    place: Place<'_>,
    purpose: Purpose<'_>,
    plaintext: &Sensitive,
) -> Result<Vec<u8>, Error> {
    let kek = partition_key(txn, scope, place).await?;
    let aad = purpose.aad(place, kek.generation);
    let sealed = envelope::seal(&kek.key, &aad, plaintext.expose(), scope.entropy)?;
    Ok(Writer::default().raw(&kek.generation.to_be_bytes()).raw(&sealed).done())
}

/// What [`seal_local`] has sealed for exactly this `place` and `purpose`.
///
/// # Errors
///
/// - [`Error::Damaged`]: changed, or moved from another place or purpose.
/// - [`Error::Missing`], [`Error::Root`]: the partition key can't be had.
pub async fn open_local(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    place: Place<'_>,
    purpose: Purpose<'_>,
    sealed: &[u8],
) -> Result<Sensitive, Error> {
    let Purpose { what, whose } = purpose;
    let damaged = |reason| Error::Damaged { what: format!("{what} `{whose}`"), reason };
    let mut reader = Reader(sealed);
    let generation = reader.raw().ok_or_else(|| damaged(OpenError::Foreign))?;
    let generation = u32::from_be_bytes(generation);
    let kek = load_generation(txn, scope.keyring, place, generation).await?;
    envelope::open(&kek, &purpose.aad(place, generation), reader.0).map_err(damaged)
}

impl Purpose<'_> {
    fn aad(self, place: Place<'_>, generation: u32) -> Aad {
        let aad = located(Label::Local, place).number(generation.into());
        aad.field(self.what).field(self.whose)
    }
}
