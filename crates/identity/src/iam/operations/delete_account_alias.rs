//! DeleteAccountAlias: takes the account's other name away.

use crate::iam::{Error, SOURCE, aliases};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// The name.
    pub struct DeleteAccountAlias {
        account_alias: Text,
    }
}

impl Operation for DeleteAccountAlias {
    const NAME: &'static str = "DeleteAccountAlias";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteAccountAlias");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("accountAlias", self.account_alias.as_ref());
        found.length("accountAlias", self.account_alias.as_ref(), 3..=63);
        aliases::constraints(found, self.account_alias.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let permit = call.admit(self, call.own_account())?;
        aliases::delete(call, txn, self.account_alias.as_ref()).await?;
        Ok(Answer::new(permit, ()))
    }
}
