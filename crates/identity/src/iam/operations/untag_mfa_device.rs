//! UntagMFADevice: takes tags from a device.

use crate::iam::{Error, SOURCE, devices, names, tags};
use crate::mfa;
use policy::engine::Values;
use service::context::tag_keys;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which device, and the names of the tags.
    pub struct UntagMFADevice {
        serial_number: Text,
        tag_keys: List<Text>,
    }
}

impl Operation for UntagMFADevice {
    const NAME: &'static str = "UntagMFADevice";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UntagMFADevice");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::serial(found, self.serial_number.as_ref());
        tags::key_constraints(found, self.tag_keys.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tag_keys(self.tag_keys.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, mut device) =
            devices::admit(call, txn, self, self.serial_number.as_ref()).await?;
        device.tags = tags::without(&device.tags, self.tag_keys.as_ref());
        mfa::save(txn, &call.caller.account, &device)?;
        Ok(Answer::new(permit, ()))
    }
}
