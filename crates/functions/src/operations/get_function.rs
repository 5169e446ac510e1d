//! GetFunction: how a function runs, and its tags. Where its package can be fetched is not told: nowhere.

use super::SOURCE;
use crate::shown::{Configuration, configuration};
use crate::{Error, limits, lookup};
use serde::Serialize;
use serde_json::{Value, json};
use service::{Action, Answer, Call, Operation, input};
use std::collections::BTreeMap;
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which.
    pub struct GetFunction {
        function_name: Text,
        qualifier: Text,
    }
}

/// The function.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    configuration: Configuration,
    code: Value,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

impl Operation for GetFunction {
    const NAME: &'static str = "GetFunction";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "GetFunction20150331v2";
    const ACTION: Action = Action("lambda:GetFunction");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        limits::qualifier(found, self.qualifier.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let named = (self.function_name.as_ref(), self.qualifier.as_ref());
        let (permit, found) = lookup::admit(call, txn, self, named).await?;
        let kept = found.existing()?;
        let shown = configuration(call, txn, &kept, found.qualifier.as_deref()).await?;
        let code = json!({ "RepositoryType": "S3" });
        let output = Output { configuration: shown, code, tags: kept.tags.clone() };
        Ok(Answer::new(permit, output))
    }
}
