//! Virtual devices, as operations of IAM find and change them.

use crate::iam::holder::{self, Keys};
use crate::iam::{Error, keys, names};
use crate::mfa::{self, Codes, Device};
use crate::user::User;
use base::{AccountId, Sensitive};
use service::{Call, Operation, Permit, Target};
use store::Txn;
use wire::Violations;
use wire::members::{SecretText, Text};

/// The most devices of one user. Source: IAM User Guide, "IAM and AWS STS quotas".
pub(crate) const MOST: usize = 8;

/// Asks whether the caller may do `operation` to the device `serial`, and loads it.
pub(crate) async fn admit<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    serial: Option<&Text>,
) -> Result<(Permit, Device), Error> {
    let account = &call.caller.account;
    let serial = serial.map_or("", Text::as_str);
    let device = mfa::find(txn, account, serial).await?;
    let tags = device.as_ref().map_or(&[][..], |it| &it.tags);
    let keys = Keys { tags, boundary: None };
    let target = Target { keys: &keys, ..Target::of(account, Some(serial)) };
    let permit = call.admit(operation, target)?;
    Ok((permit, device.ok_or_else(|| unknown(serial))?))
}

/// The device `serial` of the caller's account, once the caller may do something to a user.
pub(crate) async fn load(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    serial: Option<&Text>,
) -> Result<Device, Error> {
    let serial = serial.map_or("", Text::as_str);
    let found = mfa::find(txn, &call.caller.account, serial).await?;
    found.ok_or_else(|| unknown(serial))
}

/// The device `serial`, if it is enabled for `user`.
pub(crate) async fn load_of(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    user: &User,
    serial: Option<&Text>,
) -> Result<Device, Error> {
    let device = load(call, txn, serial).await?;
    if device.is_of(&user.id) { Ok(device) } else { Err(not_of_user()) }
}

/// All devices of `user`.
pub(crate) async fn of_user(
    txn: &mut Txn<'_>,
    account: &AccountId,
    user: &User,
) -> Result<Vec<Device>, Error> {
    let mut devices = Vec::with_capacity(user.devices.len());
    for serial in &user.devices {
        devices.extend(mfa::find(txn, account, serial).await?);
    }
    Ok(devices)
}

/// Takes two codes of `device`, which must be right; afterwards they are used up.
pub(crate) async fn prove(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    device: &mut Device,
    codes: Codes<'_>,
) -> Result<(), Error> {
    let right = device.take(txn, &keys::scope(call), codes).await?;
    if right { Ok(()) } else { Err(Error::Code) }
}

/// The two codes of a call.
pub(crate) type Shown<'a> = [Option<&'a SecretText>; 2];

/// The model's constraints for a call that shows two codes of a user's device.
pub(crate) fn constraints(
    found: &mut Violations,
    (user, serial): (Option<&Text>, Option<&Text>),
    [first, second]: Shown<'_>,
) {
    names::required(found, "userName", user, 128);
    names::serial(found, serial);
    names::code(found, "authenticationCode1", first);
    names::code(found, "authenticationCode2", second);
}

/// Both codes, which the constraints have found to be there.
pub(crate) fn both([first, second]: Shown<'_>) -> Result<[&Sensitive; 2], Error> {
    let both = first.zip(second).map(|(first, second)| [first.value(), second.value()]);
    both.ok_or(Error::Code)
}

/// Notes with the devices of `user` what it is called now.
pub(crate) async fn rename(
    txn: &mut Txn<'_>,
    account: &AccountId,
    user: &User,
) -> Result<(), Error> {
    for mut device in of_user(txn, account, user).await? {
        if let Some(owner) = &mut device.owner {
            user.name.clone_into(&mut owner.name);
        }
        mfa::save(txn, account, &device)?;
    }
    Ok(())
}

/// Writes `user` with other `devices`.
pub(crate) fn save_user(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    user: &User,
    devices: Vec<String>,
) -> Result<(), Error> {
    Ok(holder::save(call, txn, &User { devices, ..user.clone() })?)
}

fn unknown(serial: &str) -> Error {
    Error::Missing(format!("VirtualMFADevice with serial number {serial} doesn't exist."))
}

fn not_of_user() -> Error {
    Error::Missing("MFA Device invalid for user.".to_owned())
}
