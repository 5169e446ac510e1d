//! A second factor that is shown to begin a session: the serial number of a device of the caller, and its code.

use super::Error;
use crate::mfa::{self, Codes};
use base::Timestamp;
use policy::engine::Values;
use service::{Call, Caller, Kind};
use store::Txn;
use wire::members::{SecretText, Text};

/// What a call shows.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) serial: Option<&'a Text>,
    pub(super) code: Option<&'a SecretText>,
}

impl Shown<'_> {
    /// What policies see of it, before the code is looked at: it is right, or the call fails afterwards. So a
    /// caller who isn't allowed to begin the session can't try codes.
    pub(super) fn condition(self, key: &str) -> Option<Values<'static>> {
        self.serial.zip(self.code)?;
        match key {
            "aws:multifactorauthpresent" => Some(Values::bool(true)),
            "aws:multifactorauthage" => Some(Values::one("0")),
            _ => None,
        }
    }

    /// Takes the code: when it was shown, or `None` if nothing is shown.
    ///
    /// # Errors
    ///
    /// [`Error::Code`]: it is wrong, or was used before. [`Error::Denied`]: only half of it is shown, or the
    /// device is nobody's or somebody else's.
    pub(super) async fn take(
        self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<Option<Timestamp>, Error> {
        let (serial, code) = match (self.serial, self.code) {
            (None, None) => return Ok(None),
            (Some(serial), Some(code)) => (serial, code),
            _ => return Err(Error::Denied(HALF.to_owned())),
        };
        let Call { keyring, entropy, now, region, .. } = *call;
        let account = &call.caller.account;
        let found = match user_of(call.caller) {
            Some(user) => {
                mfa::find(txn, account, serial.as_str()).await?.filter(|it| it.is_of(user))
            }
            None => None,
        };
        let mut device = found.ok_or_else(|| Error::Denied(DEVICE.to_owned()))?;
        let scope = kms::Scope { keyring, entropy, now, account, region };
        let right = device.take(txn, &scope, Codes::One(code.value())).await?;
        if right { Ok(Some(now)) } else { Err(Error::Code) }
    }
}

/// Users have devices, whether they sign with a key of their own or with that of a session.
fn user_of(caller: &Caller) -> Option<&str> {
    (caller.kind == Kind::User).then_some(caller.principal_id.as_str())
}

const HALF: &str =
    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";
const DEVICE: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your \
                      MFA serial number is valid and associated with this user.";
