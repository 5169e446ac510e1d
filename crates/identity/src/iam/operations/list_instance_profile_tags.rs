//! ListInstanceProfileTags: the tags of an instance profile.

use crate::iam::page::Ask;
use crate::iam::tags::TagPage;
use crate::iam::{Error, SOURCE, names, page, profiles};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which profile, and from where.
    pub struct ListInstanceProfileTags {
        instance_profile_name: Text,
        marker: Text,
        max_items: Integer,
    }
}

impl Operation for ListInstanceProfileTags {
    const NAME: &'static str = "ListInstanceProfileTags";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListInstanceProfileTags");
    const READ_ONLY: bool = true;
    type Output = TagPage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "instanceProfileName", self.instance_profile_name.as_ref(), 128);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<TagPage>, Error> {
        let (permit, profile) =
            profiles::admit(call, txn, self, self.instance_profile_name.as_ref()).await?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        Ok(Answer::new(permit, TagPage::of(&profile.tags, ask)?))
    }
}
