//! GetMFADevice: a device of a user.

use crate::iam::shown::ShownDevice;
use crate::iam::{Error, SOURCE, devices, keys, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which device, and whose: the caller's, if nobody is named.
    pub struct GetMFADevice {
        serial_number: Text,
        user_name: Text,
    }
}

impl Operation for GetMFADevice {
    const NAME: &'static str = "GetMFADevice";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetMFADevice");
    const READ_ONLY: bool = true;
    type Output = ShownDevice;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::serial(found, self.serial_number.as_ref());
        names::optional(found, "userName", self.user_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<ShownDevice>, Error> {
        let (permit, user) = keys::admit_owner(call, txn, self, self.user_name.as_ref()).await?;
        let device = devices::load_of(call, txn, &user, self.serial_number.as_ref()).await?;
        Ok(Answer::new(permit, ShownDevice::of(&device, &user)))
    }
}
