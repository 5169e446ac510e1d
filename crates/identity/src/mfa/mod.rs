//! Second factors: virtual devices that show a code every thirty seconds, and whose they are.
//!
//! Read [`Device`] first, then `attempts.rs` (what its codes are taken for).
//!
//! Invariants:
//!
//! - A seed is shown once, when the device is made; the store holds it sealed, bound to the device's row.
//! - A code is good once: the row that says so is read and written in the transaction that takes it, so of two
//!   requests that show the same code one is refused.
//! - A wrong code is counted in the store even though the operation fails.
//!
//! Absent: devices of the root user, hardware devices, security keys.

mod attempts;
mod seed;
mod totp;

use crate::{Error, sealed};
use attempts::Attempts;
use base::{AccountId, Sensitive, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// A virtual device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    /// What it is found by: `arn:aws:iam::111122223333:mfa/path/name`.
    pub(crate) serial: String,
    /// Whose it is, if it is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<Owner>,
    /// Tags in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<(String, String)>,
    /// The seed, sealed by `kms`.
    #[serde(with = "sealed")]
    sealed: Vec<u8>,
    #[serde(default)]
    attempts: Attempts,
}

/// Whose a device is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// The name of the user.
    pub(crate) name: String,
    /// Its unique id.
    pub(crate) id: String,
    /// Since when.
    pub(crate) since: Timestamp,
}

/// What only the answer to a device's making shows.
pub(crate) struct Seed {
    /// The seed to the base of 32.
    pub(crate) letters: Sensitive,
    /// A PNG of its QR code.
    pub(crate) picture: Sensitive,
}

store::json_record!(Device, 1);

/// Devices, by account and serial number in lower case: no two differ in their case only.
const fn devices<'a>() -> Table<(&'a AccountId, &'a str), Device> {
    Table::new(|(account, serial)| row(account, serial))
}

fn row(account: &AccountId, serial: &str) -> String {
    Path::new("a").with(account).with("mfa-device").with(serial.to_ascii_lowercase()).key()
}

/// What the rows of all devices of `account` begin with.
pub(crate) fn prefix(account: &AccountId) -> String {
    Path::new("a").with(account).with("mfa-device").below()
}

/// The device `serial` of `account`, if there is one.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    account: &AccountId,
    serial: &str,
) -> Result<Option<Device>, store::Error> {
    if !serial.starts_with("arn:") || serial.len() > LONGEST {
        return Ok(None);
    }
    Ok(txn.find(&devices(), &(account, serial)).await?.filter(|it| it.serial == serial))
}

/// All devices of `account`.
pub(crate) async fn all(
    txn: &mut Txn<'_>,
    account: &AccountId,
) -> Result<Vec<Device>, store::Error> {
    let page = txn.page::<Device>(KeyRange::prefix(&prefix(account)), MOST, false).await?;
    Ok(page.rows.into_iter().map(|it| it.1).collect())
}

/// The most devices of an account: as many as users. Source: IAM User Guide, "IAM and AWS STS quotas".
pub(crate) const MOST: usize = 5000;

/// Whether a device of `account` has the serial number, whatever the case.
pub(crate) async fn is_taken(
    txn: &mut Txn<'_>,
    account: &AccountId,
    serial: &str,
) -> Result<bool, store::Error> {
    txn.exists(&row(account, serial)).await
}

/// The longest serial number.
pub(crate) const LONGEST: usize = 256;

/// Writes `device`.
pub(crate) fn save(
    txn: &mut Txn<'_>,
    account: &AccountId,
    device: &Device,
) -> Result<(), store::Error> {
    txn.save(&devices(), &(account, &device.serial), device)
}

/// Removes the device `serial`.
pub(crate) fn remove(txn: &mut Txn<'_>, account: &AccountId, serial: &str) {
    txn.remove(&devices(), &(account, serial));
}

/// Makes the device `serial` of the scope's account, whose name is `name`, without writing it.
///
/// # Errors
///
/// Those of [`kms::seal_local`].
pub(crate) async fn make(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    (serial, name): (&str, &str),
) -> Result<(Device, Seed), Error> {
    let mut seed = Sensitive::new(vec![0; seed::LEN]);
    scope.entropy.fill(seed.expose_mut());
    let place = kms::Place::global(scope.account);
    let sealed = kms::seal_local(txn, scope, place, purpose(serial), &seed).await?;
    let letters = seed::letters(&seed);
    let picture = seed::picture(&letters, name, scope.account).map_err(Error::Picture)?;
    let (serial, attempts) = (serial.to_owned(), Attempts::default());
    Ok((
        Device { serial, owner: None, tags: Vec::new(), sealed, attempts },
        Seed { letters, picture },
    ))
}

/// How codes are shown.
#[derive(Clone, Copy)]
pub(crate) enum Codes<'a> {
    /// One, to begin a session.
    One(&'a Sensitive),
    /// Two in a row, to show that one has the device.
    Two([&'a Sensitive; 2]),
    /// Two in a row, to set the device's clock right.
    Resync([&'a Sensitive; 2]),
}

impl Device {
    /// Takes `codes` for the only time, and writes down that it did, or that they were wrong.
    ///
    /// # Errors
    ///
    /// The seed can't be opened, or the store's.
    pub(crate) async fn take(
        &mut self,
        txn: &mut Txn<'_>,
        scope: &kms::Scope<'_>,
        codes: Codes<'_>,
    ) -> Result<bool, Error> {
        let place = kms::Place::global(scope.account);
        let purpose = purpose(&self.serial);
        let seed = kms::open_local(txn, scope, place, purpose, &self.sealed).await?;
        let (attempts, now) = (&mut self.attempts, scope.now);
        let right = match codes {
            Codes::One(code) => attempts.take(&seed, code, now),
            Codes::Two(codes) => attempts.take_two(&seed, codes, now),
            Codes::Resync(codes) => attempts.resync(&seed, codes, now),
        };
        save(txn, scope.account, self)?;
        Ok(right)
    }

    /// Whether it is enabled for the user whose unique id is `id`.
    pub(crate) fn is_of(&self, id: &str) -> bool {
        self.owner.as_ref().is_some_and(|it| it.id == id)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("Device");
        out.field("serial", &self.serial).field("owner", &self.owner).finish_non_exhaustive()
    }
}

fn purpose(serial: &str) -> kms::Purpose<'_> {
    kms::Purpose { what: "mfa", whose: serial }
}

/// What the device with the seed `letters` shows `steps` steps after `now`.
#[cfg(test)]
pub(crate) fn shown_by(letters: &[u8], now: Timestamp, steps: i64) -> String {
    let digit = |it: &u8| {
        u8::try_from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|x| x == it)?).ok()
    };
    let mut seed = Vec::new();
    for group in letters.chunks(8) {
        let bits = group
            .iter()
            .fold(0_u64, |bits, it| bits << 5 | u64::from(digit(it).expect("a letter")));
        seed.extend_from_slice(&bits.to_be_bytes()[3..]);
    }
    let code = totp::code(&Sensitive::new(seed), totp::step(now) + steps);
    str::from_utf8(code.expose()).expect("digits").to_owned()
}
