//! ReEncrypt: a blob's plaintext under another key or context, without leaving the server.

use crate::access::SYMMETRIC;
use crate::context::{self, ContextGiven};
use crate::crypto::{self, Source};
use crate::exception::Exception;
use crate::lookup::Sought;
use crate::operations::SOURCE;
use crate::{ciphertext, limits, lookup};
use base::Sensitive;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::json::blob;
use wire::members::{Blob, Boolean, List, Text};

input! {
    /// The blob, what it is bound to, and what it is to be bound to.
    pub struct ReEncrypt {
        #[serde(skip_serializing)]
        ciphertext_blob: Blob,
        source_encryption_context: ContextGiven,
        source_key_id: Text,
        destination_key_id: Text,
        destination_encryption_context: ContextGiven,
        source_encryption_algorithm: Text,
        destination_encryption_algorithm: Text,
        #[serde(skip_serializing)]
        grant_tokens: List<Text>,
        dry_run: Boolean,
        dry_run_modifiers: List<Text>,
    }
}

/// The new blob, and both keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(serialize_with = "blob")]
    ciphertext_blob: Sensitive,
    source_key_id: String,
    key_id: String,
    source_encryption_algorithm: &'static str,
    destination_encryption_algorithm: &'static str,
    source_key_material_id: String,
    destination_key_material_id: String,
}

const TO: Action = Action("kms:ReEncryptTo");

impl Operation for ReEncrypt {
    const NAME: &'static str = "ReEncrypt";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:ReEncryptFrom");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        found.required("ciphertextBlob", self.ciphertext_blob.as_ref());
        found.blob("ciphertextBlob", self.ciphertext_blob.as_ref(), limits::CIPHERTEXT);
        found.length("sourceKeyId", self.source_key_id.as_ref(), limits::KEY_ID);
        found.required("destinationKeyId", self.destination_key_id.as_ref());
        found.length("destinationKeyId", self.destination_key_id.as_ref(), limits::KEY_ID);
        let (from, to) =
            (&self.source_encryption_algorithm, &self.destination_encryption_algorithm);
        crypto::algorithm(found, "sourceEncryptionAlgorithm", from.as_ref());
        crypto::algorithm(found, "destinationEncryptionAlgorithm", to.as_ref());
        lookup::token_constraints(found, self.grant_tokens.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let from = context::pairs(self.source_encryption_context.as_ref());
        let to = context::pairs(self.destination_encryption_context.as_ref());
        let (blob, given) = (self.ciphertext_blob.as_ref(), self.source_key_id.as_ref());
        let other = self.destination_arn(call, txn).await;
        let source = Source { blob, given, context: &from, other: other.as_deref() };
        let (_, key, blob) = crypto::source(call, txn, (self, Self::ACTION), source).await?;
        let target = self.destination_key_id.as_ref();
        let target = target.ok_or_else(|| Exception::no_key(""))?;
        let (found, permit) =
            crypto::destination(call, txn, (self, TO), (target, &key.arn), &to).await?;
        let other = found.key.clone().ok_or_else(|| found.missing())?;
        crypto::unsupported(self.dry_run_modifiers.as_ref(), "DryRunModifiers")?;
        let tokens = self.grant_tokens.as_ref();
        crypto::check(&key, self.source_encryption_algorithm.as_ref(), &from, tokens)?;
        crypto::check(&other, self.destination_encryption_algorithm.as_ref(), &to, tokens)?;
        let scope = lookup::scope(call);
        let plaintext = blob.open(txn, &scope, &key, &from).await?;
        let fresh = ciphertext::encrypt(txn, &scope, &other, &to, &plaintext).await?;
        crypto::dry_run(self.dry_run)?;
        let output = Output {
            ciphertext_blob: fresh,
            source_key_id: key.arn.clone(),
            key_id: other.arn.clone(),
            source_encryption_algorithm: SYMMETRIC,
            destination_encryption_algorithm: SYMMETRIC,
            source_key_material_id: blob.material().to_string(),
            destination_key_material_id: other.current()?.to_string(),
        };
        Ok(Answer::new(permit, output))
    }
}

impl ReEncrypt {
    /// The ARN that the destination has, or would have; why there is none is told later, to who may know.
    async fn destination_arn(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Option<String> {
        let given = self.destination_key_id.as_ref()?;
        let sought = Sought::used(Some(given), &[]);
        let found = lookup::find(call, txn, TO, given.as_str(), sought).await;
        found.ok().map(|it| it.arn)
    }
}
