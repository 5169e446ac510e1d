//! DeleteFunction: a function goes, with its policy. Its package follows later.

use super::{Nothing, SOURCE};
use crate::names::LATEST;
use crate::permissions::policies;
use crate::{Error, limits, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which.
    pub struct DeleteFunction {
        function_name: Text,
        qualifier: Text,
    }
}

impl Operation for DeleteFunction {
    const NAME: &'static str = "DeleteFunction";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "DeleteFunction20150331";
    const ACTION: Action = Action("lambda:DeleteFunction");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        limits::qualifier(found, self.qualifier.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Error> {
        let named = (self.function_name.as_ref(), self.qualifier.as_ref());
        let (permit, found) = lookup::admit(call, txn, self, named).await?;
        if found.qualifier.as_deref() == Some(LATEST) {
            let text = "$LATEST version cannot be deleted without deleting the function.";
            return Err(Error::Invalid(text.to_owned()));
        }
        let kept = found.changeable()?;
        kept.remove(txn);
        if found.policy.is_some() {
            txn.remove(&policies(), &kept.place());
        }
        Ok(Answer::new(permit, Nothing {}))
    }
}
