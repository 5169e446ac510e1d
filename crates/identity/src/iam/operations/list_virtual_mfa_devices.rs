//! ListVirtualMFADevices: the virtual devices of the account.

use crate::iam::page::Ask;
use crate::iam::shown::ShownUser;
use crate::iam::{Error, SOURCE, page};
use crate::mfa::{self, Device};
use crate::user;
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};
use wire::query::instant_option;

input! {
    /// Those that are somebody's, those that are not, or all; and from where.
    pub struct ListVirtualMFADevices {
        assignment_status: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of devices.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(rename = "VirtualMFADevices")]
    devices: Vec<Virtual>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// A device, without its seed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Virtual {
    serial_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<ShownUser>,
    #[serde(serialize_with = "instant_option")]
    enable_date: Option<Timestamp>,
}

impl Operation for ListVirtualMFADevices {
    const NAME: &'static str = "ListVirtualMFADevices";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListVirtualMFADevices");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        let states = ["Assigned", "Unassigned", "Any"];
        found.one_of("assignmentStatus", self.assignment_status.as_ref(), &states);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let state = self.assignment_status.as_ref().map_or("Any", Text::as_str);
        let wants = |it: &Device| match state {
            "Assigned" => it.owner.is_some(),
            "Unassigned" => it.owner.is_none(),
            _ => true,
        };
        let (rows, marker) = ask.of_rows(txn, &mfa::prefix(account), wants).await?;
        let mut devices = Vec::with_capacity(rows.len());
        for device in rows {
            let owner = device.owner;
            let user = match &owner {
                Some(it) => user::find(txn, account, &it.name).await?,
                None => None,
            };
            devices.push(Virtual {
                serial_number: device.serial,
                user: user.map(|it| ShownUser::listed(&it)),
                enable_date: owner.map(|it| it.since),
            });
        }
        Ok(Answer::new(permit, Output { devices, is_truncated: marker.is_some(), marker }))
    }
}
