//! UpdateLoginProfile: gives a user another password, or has it choose one.

use crate::iam::{Error, SOURCE, logins, names};
use crate::login;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, SecretText, Text};

input! {
    /// Whose, and what changes.
    pub struct UpdateLoginProfile {
        user_name: Text,
        #[serde(skip_serializing)]
        password: SecretText,
        password_reset_required: Boolean,
    }
}

impl Operation for UpdateLoginProfile {
    const NAME: &'static str = "UpdateLoginProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UpdateLoginProfile");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 64);
        names::password(found, "password", self.password.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, user, mut login) =
            logins::admit(call, txn, self, self.user_name.as_ref()).await?;
        if let Some(password) = &self.password {
            let hash =
                logins::hashed(call, txn, (password.value(), Some(&login)), &logins::slow(call)?)
                    .await?;
            login = login.changed(hash, call.now);
        }
        if let Some(required) = self.password_reset_required {
            login.reset_required = required.get();
        }
        login::save(txn, (&call.caller.account, &user.id), &login)?;
        Ok(Answer::new(permit, ()))
    }
}
