//! GetParametersForImport: a public key to wrap material with, and the token that goes with it.

use crate::exception::Exception;
use crate::import_token::{self, ImportToken, LIFETIME};
use crate::operations::SOURCE;
use crate::state::Act;
use crate::{condition, lookup};
use base::{Sensitive, Timestamp};
use envelope::transport::WrappingKey;
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Slow, input};
use store::Txn;
use wire::Violations;
use wire::json::{blob, instant};
use wire::members::Text;

input! {
    /// For which key, and how its material will be wrapped.
    pub struct GetParametersForImport {
        key_id: Text,
        wrapping_algorithm: Text,
        wrapping_key_spec: Text,
    }
}

/// What a client needs to send its material.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    key_id: String,
    #[serde(serialize_with = "blob")]
    import_token: Sensitive,
    #[serde(serialize_with = "blob")]
    public_key: Sensitive,
    #[serde(serialize_with = "instant")]
    parameters_valid_to: Timestamp,
}

impl Operation for GetParametersForImport {
    const NAME: &'static str = "GetParametersForImport";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:GetParametersForImport");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        found.required("wrappingAlgorithm", self.wrapping_algorithm.as_ref());
        let algorithm = self.wrapping_algorithm.as_ref();
        found.one_of("wrappingAlgorithm", algorithm, import_token::ALGORITHMS);
        found.required("wrappingKeySpec", self.wrapping_key_spec.as_ref());
        found.one_of("wrappingKeySpec", self.wrapping_key_spec.as_ref(), import_token::SPECS);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "wrappingalgorithm" => condition::text(self.wrapping_algorithm.as_ref()),
            "wrappingkeyspec" => condition::text(self.wrapping_key_spec.as_ref()),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Prepare)?;
        let name = |it: &Option<Text>| it.as_ref().map(|it| it.as_str().to_owned());
        let wrapping = import_token::wrapping(&name(&self.wrapping_algorithm).unwrap_or_default())?;
        let modulus = import_token::modulus(&name(&self.wrapping_key_spec).unwrap_or_default())?;
        let slow = Slow::of(&call.caller.account).ok_or(Exception::Busy)?;
        let made = slow.run(move || WrappingKey::generate(modulus)).await.flatten();
        let made = made.ok_or(import_token::FAILED)?;
        let public = made.public_der().ok_or(import_token::FAILED)?;
        let ends = call.now.plus(LIFETIME);
        let token = ImportToken { wrapping, ends, key: made };
        let token = token.seal(txn, &lookup::scope(call), &key).await?;
        let output = Output {
            key_id: key.arn.clone(),
            import_token: Sensitive::new(token),
            public_key: Sensitive::new(public),
            parameters_valid_to: ends,
        };
        Ok(Answer::new(permit, output))
    }
}
