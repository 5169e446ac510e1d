//! EnableMFADevice: gives a device to a user, who shows by two codes in a row that it has it.

use crate::iam::{Error, SOURCE, devices, documents, holder};
use crate::mfa::{self, Codes, Owner};
use crate::user::User;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{SecretText, Text};

input! {
    /// Whose it becomes, which device, and what it shows.
    pub struct EnableMFADevice {
        user_name: Text,
        serial_number: Text,
        #[serde(skip_serializing)]
        authentication_code1: SecretText,
        #[serde(skip_serializing)]
        authentication_code2: SecretText,
    }
}

impl Operation for EnableMFADevice {
    const NAME: &'static str = "EnableMFADevice";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:EnableMFADevice");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        let which = (self.user_name.as_ref(), self.serial_number.as_ref());
        devices::constraints(found, which, self.codes());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let user = found.existing()?;
        let mut device = devices::load(call, txn, self.serial_number.as_ref()).await?;
        if device.owner.is_some() {
            return Err(Error::Taken("MFA Device is already in use.".to_owned()));
        }
        if user.devices.len() >= devices::MOST {
            return Err(documents::exceeded("MFADevicesPerUser", devices::MOST));
        }
        let codes = Codes::Two(devices::both(self.codes())?);
        devices::prove(call, txn, &mut device, codes).await?;
        let (name, id) = (user.name.clone(), user.id.clone());
        device.owner = Some(Owner { name, id, since: call.now });
        mfa::save(txn, &call.caller.account, &device)?;
        let all = user.devices.iter().cloned().chain([device.serial]).collect();
        devices::save_user(call, txn, &user, all)?;
        Ok(Answer::new(permit, ()))
    }
}

impl EnableMFADevice {
    fn codes(&self) -> devices::Shown<'_> {
        [self.authentication_code1.as_ref(), self.authentication_code2.as_ref()]
    }
}
