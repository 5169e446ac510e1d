//! ListMFADevices: the devices of a user.

use crate::iam::page::Ask;
use crate::iam::shown::ShownDevice;
use crate::iam::{Error, SOURCE, devices, keys, names, page};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Whose, the caller's if nobody is named, and from where.
    pub struct ListMFADevices {
        user_name: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of devices.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(rename = "MFADevices")]
    devices: Vec<ShownDevice>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for ListMFADevices {
    const NAME: &'static str = "ListMFADevices";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListMFADevices");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::optional(found, "userName", self.user_name.as_ref(), 128);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, user) = keys::admit_owner(call, txn, self, self.user_name.as_ref()).await?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let mut devices = devices::of_user(txn, &call.caller.account, &user).await?;
        devices.sort_by(|one, other| one.serial.cmp(&other.serial));
        let shown = devices.iter().map(|it| (it.serial.as_str(), ShownDevice::of(it, &user)));
        let (devices, marker) = ask.of_items(shown)?;
        Ok(Answer::new(permit, Output { devices, is_truncated: marker.is_some(), marker }))
    }
}
