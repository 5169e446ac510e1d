//! DeleteVirtualMFADevice: removes a device that is nobody's any more.

use crate::iam::{Error, SOURCE, devices, names};
use crate::mfa;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which device.
    pub struct DeleteVirtualMFADevice {
        serial_number: Text,
    }
}

impl Operation for DeleteVirtualMFADevice {
    const NAME: &'static str = "DeleteVirtualMFADevice";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteVirtualMFADevice");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::serial(found, self.serial_number.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, device) = devices::admit(call, txn, self, self.serial_number.as_ref()).await?;
        if device.owner.is_some() {
            return Err(Error::Hangs("MFA VirtualDevice in use. Must deactivate first"));
        }
        mfa::remove(txn, &call.caller.account, &device.serial);
        Ok(Answer::new(permit, ()))
    }
}
