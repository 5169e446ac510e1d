//! DescribeKey: what is known of a key.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::shown::KeyMetadata;
use crate::{crypto, lookup};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which key.
    pub struct DescribeKey {
        key_id: Text,
        #[serde(skip_serializing)]
        grant_tokens: List<Text>,
    }
}

/// What is known of a key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    key_metadata: KeyMetadata,
}

impl Operation for DescribeKey {
    const NAME: &'static str = "DescribeKey";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:DescribeKey");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        lookup::token_constraints(found, self.grant_tokens.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let own = lookup::Sought::own(self.key_id.as_ref());
        let sought = lookup::Sought { aliases: true, across: true, ..own };
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        crypto::check_tokens(self.grant_tokens.as_ref())?;
        Ok(Answer::new(permit, Output { key_metadata: KeyMetadata::of(&key) }))
    }
}
