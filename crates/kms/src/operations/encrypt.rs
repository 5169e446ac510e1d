//! Encrypt: up to 4,096 bytes under a key.

use crate::access::SYMMETRIC;
use crate::context::{self, ContextGiven};
use crate::exception::Exception;
use crate::lookup::{self, Sought};
use crate::operations::SOURCE;
use crate::{ciphertext, crypto, limits};
use base::Sensitive;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::json::blob;
use wire::members::{Blob, Boolean, List, Text};

input! {
    /// Under which key, what, and bound to what.
    pub struct Encrypt {
        key_id: Text,
        #[serde(skip_serializing)]
        plaintext: Blob,
        encryption_context: ContextGiven,
        #[serde(skip_serializing)]
        grant_tokens: List<Text>,
        encryption_algorithm: Text,
        dry_run: Boolean,
    }
}

/// The blob, and what it is under.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(serialize_with = "blob")]
    ciphertext_blob: Sensitive,
    key_id: String,
    encryption_algorithm: &'static str,
}

impl Operation for Encrypt {
    const NAME: &'static str = "Encrypt";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:Encrypt");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        found.required("plaintext", self.plaintext.as_ref());
        found.blob("plaintext", self.plaintext.as_ref(), limits::PLAINTEXT);
        lookup::token_constraints(found, self.grant_tokens.as_ref());
        crypto::algorithm(found, "encryptionAlgorithm", self.encryption_algorithm.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let pairs = context::pairs(self.encryption_context.as_ref());
        let sought = Sought::used(self.key_id.as_ref(), &pairs);
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        let (algorithm, tokens) = (self.encryption_algorithm.as_ref(), self.grant_tokens.as_ref());
        crypto::check(&key, algorithm, &pairs, tokens)?;
        let nothing = Sensitive::default();
        let plaintext = self.plaintext.as_ref().map_or(&nothing, Blob::value);
        let scope = lookup::scope(call);
        let blob = ciphertext::encrypt(txn, &scope, &key, &pairs, plaintext).await?;
        crypto::dry_run(self.dry_run)?;
        let output = Output {
            ciphertext_blob: blob,
            key_id: key.arn.clone(),
            encryption_algorithm: SYMMETRIC,
        };
        Ok(Answer::new(permit, output))
    }
}
