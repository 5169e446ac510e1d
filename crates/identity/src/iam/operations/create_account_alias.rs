//! CreateAccountAlias: gives the account another name, in place of the one it has.

use crate::iam::{Error, SOURCE, aliases};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// The name.
    pub struct CreateAccountAlias {
        account_alias: Text,
    }
}

impl Operation for CreateAccountAlias {
    const NAME: &'static str = "CreateAccountAlias";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreateAccountAlias");
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
        aliases::create(call, txn, self.account_alias.as_ref()).await?;
        Ok(Answer::new(permit, ()))
    }
}
