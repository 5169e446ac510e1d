//! ListGroupPolicies: the names of the inline policies of a group.

use crate::entities::Group;
use crate::iam::attachments::InlinePage;
use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, holder, names, page};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which group, and from where.
    pub struct ListGroupPolicies {
        group_name: Text,
        marker: Text,
        max_items: Integer,
    }
}

impl Operation for ListGroupPolicies {
    const NAME: &'static str = "ListGroupPolicies";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListGroupPolicies");
    const READ_ONLY: bool = true;
    type Output = InlinePage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "groupName", self.group_name.as_ref(), 128);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<InlinePage>, Error> {
        let (permit, found) =
            holder::admit::<Group, _>(call, txn, self, self.group_name.as_ref()).await?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        Ok(Answer::new(permit, InlinePage::of(&*found.existing()?, ask)?))
    }
}
