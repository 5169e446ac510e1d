//! Decrypt: what a blob holds, if the encryption context is the one it was bound to.

use crate::access::SYMMETRIC;
use crate::context::{self, ContextGiven};
use crate::crypto::{self, Source};
use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::recipient::RecipientGiven;
use crate::{limits, lookup};
use base::Sensitive;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::json::blob;
use wire::members::{Blob, Boolean, List, Structure, Text};

input! {
    /// The blob, what it is bound to, and maybe which key it must be under.
    pub struct Decrypt {
        #[serde(skip_serializing)]
        ciphertext_blob: Blob,
        encryption_context: ContextGiven,
        #[serde(skip_serializing)]
        grant_tokens: List<Text>,
        key_id: Text,
        encryption_algorithm: Text,
        #[serde(skip_serializing)]
        recipient: Structure<RecipientGiven>,
        dry_run: Boolean,
        dry_run_modifiers: List<Text>,
    }
}

/// The plaintext, and what it was under.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    key_id: String,
    #[serde(serialize_with = "blob")]
    plaintext: Sensitive,
    encryption_algorithm: &'static str,
    key_material_id: String,
}

impl Operation for Decrypt {
    const NAME: &'static str = "Decrypt";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:Decrypt");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        found.required("ciphertextBlob", self.ciphertext_blob.as_ref());
        found.blob("ciphertextBlob", self.ciphertext_blob.as_ref(), limits::CIPHERTEXT);
        lookup::token_constraints(found, self.grant_tokens.as_ref());
        found.length("keyId", self.key_id.as_ref(), limits::KEY_ID);
        crypto::algorithm(found, "encryptionAlgorithm", self.encryption_algorithm.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let pairs = context::pairs(self.encryption_context.as_ref());
        let (blob, given) = (self.ciphertext_blob.as_ref(), self.key_id.as_ref());
        let source = Source { blob, given, context: &pairs, other: None };
        let (permit, key, blob) = crypto::source(call, txn, (self, Self::ACTION), source).await?;
        crypto::no_recipient(self.recipient.as_ref())?;
        crypto::unsupported(self.dry_run_modifiers.as_ref(), "DryRunModifiers")?;
        let (algorithm, tokens) = (self.encryption_algorithm.as_ref(), self.grant_tokens.as_ref());
        crypto::check(&key, algorithm, &pairs, tokens)?;
        let plaintext = blob.open(txn, &lookup::scope(call), &key, &pairs).await?;
        crypto::dry_run(self.dry_run)?;
        let output = Output {
            key_id: key.arn.clone(),
            plaintext,
            encryption_algorithm: SYMMETRIC,
            key_material_id: blob.material().to_string(),
        };
        Ok(Answer::new(permit, output))
    }
}
