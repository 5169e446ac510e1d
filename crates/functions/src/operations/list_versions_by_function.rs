//! ListVersionsByFunction: the one version that a function has.

use super::SOURCE;
use crate::names::LATEST;
use crate::shown::{Configuration, configuration};
use crate::{Error, limits, lookup};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Whose.
    pub struct ListVersionsByFunction {
        function_name: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// The versions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    versions: Vec<Configuration>,
}

impl Operation for ListVersionsByFunction {
    const NAME: &'static str = "ListVersionsByFunction";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "ListVersionsByFunction20150331";
    const ACTION: Action = Action("lambda:ListVersionsByFunction");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        limits::page(found, self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let named = (self.function_name.as_ref(), None);
        let (permit, found) = lookup::admit(call, txn, self, named).await?;
        let kept = found.existing()?;
        let versions = vec![configuration(call, txn, &kept, Some(LATEST)).await?];
        Ok(Answer::new(permit, Output { versions }))
    }
}
