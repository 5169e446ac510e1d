//! GetFunctionConfiguration: how a function runs.

use super::SOURCE;
use crate::shown::{Configuration, configuration};
use crate::{Error, limits, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Whose.
    pub struct GetFunctionConfiguration {
        function_name: Text,
        qualifier: Text,
    }
}

impl Operation for GetFunctionConfiguration {
    const NAME: &'static str = "GetFunctionConfiguration";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "GetFunctionConfiguration20150331v2";
    const ACTION: Action = Action("lambda:GetFunctionConfiguration");
    const READ_ONLY: bool = true;
    type Output = Configuration;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        limits::qualifier(found, self.qualifier.as_ref());
    }

    async fn run(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<Answer<Configuration>, Error> {
        let named = (self.function_name.as_ref(), self.qualifier.as_ref());
        let (permit, found) = lookup::admit(call, txn, self, named).await?;
        let kept = found.existing()?;
        let shown = configuration(call, txn, &kept, found.qualifier.as_deref()).await?;
        Ok(Answer::new(permit, shown))
    }
}
