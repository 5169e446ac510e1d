//! GetFunctionCodeSigningConfig: no function has one.

use super::SOURCE;
use crate::{Error, limits, lookup};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Whose.
    pub struct GetFunctionCodeSigningConfig {
        function_name: Text,
    }
}

/// The name, and an empty ARN.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    code_signing_config_arn: &'static str,
    function_name: String,
}

impl Operation for GetFunctionCodeSigningConfig {
    const NAME: &'static str = "GetFunctionCodeSigningConfig";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "GetFunctionCodeSigningConfig20200630";
    const ACTION: Action = Action("lambda:GetFunctionCodeSigningConfig");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let named = (self.function_name.as_ref(), None);
        let (permit, found) = lookup::admit(call, txn, self, named).await?;
        let function_name = found.existing()?.name.clone();
        Ok(Answer::new(permit, Output { code_signing_config_arn: "", function_name }))
    }
}
