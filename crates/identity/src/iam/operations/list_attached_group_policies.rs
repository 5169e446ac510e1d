//! ListAttachedGroupPolicies: the managed policies of a group.

use crate::entities::Group;
use crate::iam::attachments::AttachedPolicy;
use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, attachments, holder, names, page};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which group, and from where.
    pub struct ListAttachedGroupPolicies {
        group_name: Text,
        path_prefix: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of policies.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    attached_policies: Vec<AttachedPolicy>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for ListAttachedGroupPolicies {
    const NAME: &'static str = "ListAttachedGroupPolicies";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListAttachedGroupPolicies");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "groupName", self.group_name.as_ref(), 128);
        names::policy_path(found, "pathPrefix", self.path_prefix.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) =
            holder::admit::<Group, _>(call, txn, self, self.group_name.as_ref()).await?;
        let given = found.existing()?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let (attached_policies, marker) =
            attachments::attached(&given.given, self.path_prefix.as_ref(), ask)?;
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { attached_policies, is_truncated, marker }))
    }
}
