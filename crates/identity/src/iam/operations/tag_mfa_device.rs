//! TagMFADevice: adds tags to a device, or gives those that are there another value.

use crate::iam::tags::TagsGiven;
use crate::iam::{Error, SOURCE, devices, names, tags};
use crate::mfa;
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which device, and the tags.
    pub struct TagMFADevice {
        serial_number: Text,
        tags: TagsGiven,
    }
}

impl Operation for TagMFADevice {
    const NAME: &'static str = "TagMFADevice";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:TagMFADevice");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::serial(found, self.serial_number.as_ref());
        found.required("tags", self.tags.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, mut device) =
            devices::admit(call, txn, self, self.serial_number.as_ref()).await?;
        device.tags = tags::merged(&device.tags, self.tags.as_ref())?;
        mfa::save(txn, &call.caller.account, &device)?;
        Ok(Answer::new(permit, ()))
    }
}
