//! GenerateDataKey: fresh bytes, plain and under a key.

use crate::context::{self, ContextGiven};
use crate::exception::Exception;
use crate::lookup::{self, Sought};
use crate::operations::SOURCE;
use crate::recipient::RecipientGiven;
use crate::{ciphertext, crypto};
use base::Sensitive;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::json::blob;
use wire::members::{Boolean, Integer, List, Structure, Text};

input! {
    /// Under which key, how much, and bound to what.
    pub struct GenerateDataKey {
        key_id: Text,
        encryption_context: ContextGiven,
        number_of_bytes: Integer,
        key_spec: Text,
        #[serde(skip_serializing)]
        grant_tokens: List<Text>,
        #[serde(skip_serializing)]
        recipient: Structure<RecipientGiven>,
        dry_run: Boolean,
    }
}

/// The bytes, plain and as a blob.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(serialize_with = "blob")]
    ciphertext_blob: Sensitive,
    #[serde(serialize_with = "blob")]
    plaintext: Sensitive,
    key_id: String,
    key_material_id: String,
}

impl Operation for GenerateDataKey {
    const NAME: &'static str = "GenerateDataKey";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:GenerateDataKey");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        crypto::size_constraints(found, self.key_spec.as_ref(), self.number_of_bytes);
        lookup::token_constraints(found, self.grant_tokens.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let pairs = context::pairs(self.encryption_context.as_ref());
        let sought = Sought::used(self.key_id.as_ref(), &pairs);
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        let size = crypto::size(self.key_spec.as_ref(), self.number_of_bytes)?;
        crypto::no_recipient(self.recipient.as_ref())?;
        crypto::check(&key, None, &pairs, self.grant_tokens.as_ref())?;
        let mut plaintext = Sensitive::new(vec![0; size]);
        call.entropy.fill(plaintext.expose_mut());
        let scope = lookup::scope(call);
        let blob = ciphertext::encrypt(txn, &scope, &key, &pairs, &plaintext).await?;
        crypto::dry_run(self.dry_run)?;
        let output = Output {
            ciphertext_blob: blob,
            plaintext,
            key_id: key.arn.clone(),
            key_material_id: key.current()?.to_string(),
        };
        Ok(Answer::new(permit, output))
    }
}
