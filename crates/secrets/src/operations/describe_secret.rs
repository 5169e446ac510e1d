//! DescribeSecret: everything about a secret but its values. Works while deletion is scheduled.

use crate::operations::shown::Shown;
use crate::{Error, lookup};
use service::{Action, Answer, Call, Operation, input};
use std::sync::Arc;
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which secret.
    pub struct DescribeSecret {
        secret_id: Text,
    }
}

impl Operation for DescribeSecret {
    const NAME: &'static str = "DescribeSecret";
    const ACTION: Action = Action("secretsmanager:DescribeSecret");
    const READ_ONLY: bool = true;
    type Output = Shown;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Shown>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (_, secret) = found.existing()?;
        Ok(Answer::new(permit, Shown::described(Arc::unwrap_or_clone(secret))))
    }
}
