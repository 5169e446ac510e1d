//! ListResourceTags: the tags of a key.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::tags::TagShown;
use crate::{listing, lookup};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which key, how many, and from where.
    pub struct ListResourceTags {
        key_id: Text,
        limit: Integer,
        marker: Text,
    }
}

/// A page of tags.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tags: Vec<TagShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

impl Operation for ListResourceTags {
    const NAME: &'static str = "ListResourceTags";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:ListResourceTags");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        listing::constraints(found, self.limit, self.marker.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        let scope = format!("tags/{}", key.id);
        let after = listing::after(&scope, self.marker.as_ref())?;
        let limit = listing::limit(self.limit, 50);
        let all = key
            .tags
            .iter()
            .map(|(name, value)| TagShown { tag_key: name.clone(), tag_value: value.clone() });
        let (tags, truncated) =
            listing::cut(all, |it| it.tag_key.as_str(), after.as_deref(), limit);
        let last = tags.last().map(|it| it.tag_key.as_str());
        let next_marker = listing::next(&scope, last, truncated);
        Ok(Answer::new(permit, Output { tags, next_marker, truncated }))
    }
}
