//! ListMFADeviceTags: the tags of a device.

use crate::iam::page::Ask;
use crate::iam::tags::TagPage;
use crate::iam::{Error, SOURCE, devices, names, page};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which device, and from where.
    pub struct ListMFADeviceTags {
        serial_number: Text,
        marker: Text,
        max_items: Integer,
    }
}

impl Operation for ListMFADeviceTags {
    const NAME: &'static str = "ListMFADeviceTags";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListMFADeviceTags");
    const READ_ONLY: bool = true;
    type Output = TagPage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::serial(found, self.serial_number.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<TagPage>, Error> {
        let (permit, device) = devices::admit(call, txn, self, self.serial_number.as_ref()).await?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        Ok(Answer::new(permit, TagPage::of(&device.tags, ask)?))
    }
}
