//! GetSubject: who was given sessions by certificate.

use super::SOURCE;
use crate::kept::{self, One};
use crate::rows::Subject;
use crate::{Error, limits};
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

rest_input! {
    /// Which one.
    pub struct GetSubject {
        subject_id: Text,
    }
}

impl Operation for GetSubject {
    const NAME: &'static str = "GetSubject";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:GetSubject");
    const READ_ONLY: bool = true;
    type Output = One<Subject>;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::identifier::<Subject>(found, self.subject_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<One<Subject>>, Error> {
        let (permit, found) = kept::admit(call, txn, self, self.subject_id.as_ref()).await?;
        Ok(Answer::new(permit, One(found)))
    }
}
