//! DeleteAccountPasswordPolicy: the account asks nothing of its own of passwords any more.

use crate::iam::operations::get_account_password_policy::missing;
use crate::iam::{Error, SOURCE};
use crate::login;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;

input! {
    /// Nothing: the account is the caller's.
    pub struct DeleteAccountPasswordPolicy {
    }
}

impl Operation for DeleteAccountPasswordPolicy {
    const NAME: &'static str = "DeleteAccountPasswordPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteAccountPasswordPolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, _: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        if login::rules(txn, account).await?.is_none() {
            return Err(missing(account));
        }
        login::remove_rules(txn, account);
        Ok(Answer::new(permit, ()))
    }
}
