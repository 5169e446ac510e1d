//! RemovePermission: takes a statement out of a function's policy.

use super::{Nothing, SOURCE};
use crate::permissions::{no_statement, policies};
use crate::{Error, limits, lookup};
use base::Uuid;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which, of which function.
    pub struct RemovePermission {
        function_name: Text,
        statement_id: Text,
        qualifier: Text,
        revision_id: Text,
    }
}

impl Operation for RemovePermission {
    const NAME: &'static str = "RemovePermission";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "RemovePermission20150331v2";
    const ACTION: Action = Action("lambda:RemovePermission");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        limits::qualifier(found, self.qualifier.as_ref());
        found.required("statementId", self.statement_id.as_ref());
        found.length("statementId", self.statement_id.as_ref(), 1..=100);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Error> {
        let named = (self.function_name.as_ref(), self.qualifier.as_ref());
        let (permit, found) = lookup::admit(call, txn, self, named).await?;
        let kept = found.changeable()?;
        let sid = self.statement_id.as_ref().map_or("", Text::as_str);
        let former = found.policy.as_ref().ok_or_else(|| no_statement(sid))?;
        if self.revision_id.as_ref().is_some_and(|it| it.as_str() != former.revision()) {
            return Err(Error::Revision("GetPolicy"));
        }
        match former.without(sid, Uuid::random(call.entropy).to_string())? {
            Some(policy) => txn.save(&policies(), &kept.place(), &policy)?,
            None => txn.remove(&policies(), &kept.place()),
        }
        Ok(Answer::new(permit, Nothing {}))
    }
}
