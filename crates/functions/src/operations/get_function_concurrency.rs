//! GetFunctionConcurrency: nothing is reserved for any function.

use super::{Nothing, SOURCE};
use crate::{Error, limits, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Whose.
    pub struct GetFunctionConcurrency {
        function_name: Text,
    }
}

impl Operation for GetFunctionConcurrency {
    const NAME: &'static str = "GetFunctionConcurrency";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "GetFunctionConcurrency20190930";
    const ACTION: Action = Action("lambda:GetFunctionConcurrency");
    const READ_ONLY: bool = true;
    type Output = Nothing;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Error> {
        let named = (self.function_name.as_ref(), None);
        let (permit, found) = lookup::admit(call, txn, self, named).await?;
        found.existing()?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
