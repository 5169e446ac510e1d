//! DeleteLoginProfile: takes a user's password away.

use crate::iam::{Error, SOURCE, logins, names};
use crate::login;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Whose; the caller's, if nobody is named.
    pub struct DeleteLoginProfile {
        user_name: Text,
    }
}

impl Operation for DeleteLoginProfile {
    const NAME: &'static str = "DeleteLoginProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteLoginProfile");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::optional(found, "userName", self.user_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, user, _) = logins::admit(call, txn, self, self.user_name.as_ref()).await?;
        login::remove(txn, &call.caller.account, &user.id);
        Ok(Answer::new(permit, ()))
    }
}
