//! GenerateRandom: random bytes, and nothing kept of them.

use crate::access::Asker;
use crate::crypto;
use crate::exception::Exception;
use crate::limits;
use crate::operations::SOURCE;
use crate::recipient::RecipientGiven;
use base::Sensitive;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::json::blob;
use wire::members::{Integer, Structure, Text};

input! {
    /// How many bytes.
    pub struct GenerateRandom {
        number_of_bytes: Integer,
        custom_key_store_id: Text,
        #[serde(skip_serializing)]
        recipient: Structure<RecipientGiven>,
    }
}

/// The bytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(serialize_with = "blob")]
    plaintext: Sensitive,
}

impl Operation for GenerateRandom {
    const NAME: &'static str = "GenerateRandom";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:GenerateRandom");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        found.range("numberOfBytes", self.number_of_bytes, limits::NUMBER_OF_BYTES);
        found.length("customKeyStoreId", self.custom_key_store_id.as_ref(), 1..=64);
    }

    async fn run(&self, call: &Call<'_>, _: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let permit = call.admit(self, Asker(call).target())?;
        crypto::no_recipient(self.recipient.as_ref())?;
        crypto::unsupported(self.custom_key_store_id.as_ref(), "CustomKeyStoreId")?;
        let size = self.number_of_bytes.and_then(|it| usize::try_from(it.get()).ok());
        let missing = || Exception::Invalid("NumberOfBytes is required.".to_owned());
        let mut plaintext = Sensitive::new(vec![0; size.ok_or_else(missing)?]);
        call.entropy.fill(plaintext.expose_mut());
        Ok(Answer::new(permit, Output { plaintext }))
    }
}
