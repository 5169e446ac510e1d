//! GetMFADevice: a device of a user.

use crate::iam::{Error, SOURCE, devices, keys, names};
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;
use wire::query::instant_option;

input! {
    /// Which device, and whose: the caller's, if nobody is named.
    pub struct GetMFADevice {
        serial_number: Text,
        user_name: Text,
    }
}

/// The device.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    user_name: String,
    serial_number: String,
    #[serde(serialize_with = "instant_option")]
    enable_date: Option<Timestamp>,
}

impl Operation for GetMFADevice {
    const NAME: &'static str = "GetMFADevice";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetMFADevice");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::serial(found, self.serial_number.as_ref());
        names::optional(found, "userName", self.user_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, user) = keys::admit_owner(call, txn, self, self.user_name.as_ref()).await?;
        let device = devices::load_of(call, txn, &user, self.serial_number.as_ref()).await?;
        let enable_date = device.owner.map(|it| it.since);
        Ok(Answer::new(
            permit,
            Output { user_name: user.name.clone(), serial_number: device.serial, enable_date },
        ))
    }
}
