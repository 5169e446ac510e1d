//! DescribeSecret: everything about a secret but its values. Works while deletion is scheduled.

use crate::input::input;
use crate::operations::shown::Shown;
use crate::{Error, limits, lookup};
use service::{Action, Answer, Call, Operation};
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
        found.required("secretId", self.secret_id.as_ref());
        found.length("secretId", self.secret_id.as_ref(), limits::SECRET_ID);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Shown>, Error> {
        let found = lookup::find(call, txn, self.secret_id.as_ref()).await?;
        let permit = found.admit(call, self)?;
        let (_, secret) = found.existing()?;
        Ok(Answer::new(permit, Shown::described(secret)))
    }
}
