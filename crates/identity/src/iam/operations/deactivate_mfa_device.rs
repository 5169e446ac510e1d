//! DeactivateMFADevice: takes a device from a user.

use crate::iam::{Error, SOURCE, devices, keys, names};
use crate::mfa;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Whose, the caller's if nobody is named, and which device.
    pub struct DeactivateMFADevice {
        user_name: Text,
        serial_number: Text,
    }
}

impl Operation for DeactivateMFADevice {
    const NAME: &'static str = "DeactivateMFADevice";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeactivateMFADevice");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::optional(found, "userName", self.user_name.as_ref(), 128);
        names::serial(found, self.serial_number.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, user) = keys::admit_owner(call, txn, self, self.user_name.as_ref()).await?;
        let mut device = devices::load_of(call, txn, &user, self.serial_number.as_ref()).await?;
        let others = user.devices.iter().filter(|it| **it != device.serial).cloned().collect();
        devices::save_user(call, txn, &user, others)?;
        device.owner = None;
        mfa::save(txn, &call.caller.account, &device)?;
        Ok(Answer::new(permit, ()))
    }
}
