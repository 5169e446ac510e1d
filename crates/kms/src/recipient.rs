//! Recipients in an enclave, which answers aren't sealed for yet.

use serde::Deserialize;
use wire::members::{Blob, Text};

/// `RecipientInfo`: read, so that it can be refused.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RecipientGiven {
    key_encryption_algorithm: Option<Text>,
    attestation_document: Option<Blob>,
}
