//! ListPolicyTags: the tags of a managed policy.

use crate::iam::page::Ask;
use crate::iam::policies::Managed;
use crate::iam::tags::TagPage;
use crate::iam::{Error, SOURCE, names, page, policies};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which policy, and from where.
    pub struct ListPolicyTags {
        policy_arn: Text,
        marker: Text,
        max_items: Integer,
    }
}

impl Operation for ListPolicyTags {
    const NAME: &'static str = "ListPolicyTags";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListPolicyTags");
    const READ_ONLY: bool = true;
    type Output = TagPage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policyArn", self.policy_arn.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<TagPage>, Error> {
        let (permit, found) = policies::admit(call, txn, self, self.policy_arn.as_ref()).await?;
        let policy = found.existing()?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let none = Vec::new();
        let tags = match &policy {
            Managed::Own(policy) => &policy.tags,
            Managed::Aws(_) => &none,
        };
        Ok(Answer::new(permit, TagPage::of(tags, ask)?))
    }
}
