//! CreateLoginProfile: gives a user a password.

use crate::iam::keys::admit_owner;
use crate::iam::logins::{self, ShownLogin};
use crate::iam::{Error, SOURCE, names};
use crate::login::{self, Login};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, SecretText, Text};

input! {
    /// Whose, and which; the caller's, if nobody is named.
    pub struct CreateLoginProfile {
        user_name: Text,
        #[serde(skip_serializing)]
        password: SecretText,
        password_reset_required: Boolean,
    }
}

/// That the user has a password.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    login_profile: ShownLogin,
}

impl Operation for CreateLoginProfile {
    const NAME: &'static str = "CreateLoginProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreateLoginProfile");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::optional(found, "userName", self.user_name.as_ref(), 64);
        found.required("password", self.password.as_ref());
        names::password(found, "password", self.password.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, user) = admit_owner(call, txn, self, self.user_name.as_ref()).await?;
        let account = &call.caller.account;
        if login::find(txn, account, &user.id).await?.is_some() {
            let name = &user.name;
            return Err(Error::Taken(format!("Login Profile for user {name} already exists.")));
        }
        let Some(password) = &self.password else { return Err(logins::missing(&user.name)) };
        let hash =
            logins::hashed(call, txn, (password.value(), None), &logins::slow(call)?).await?;
        let reset_required = self.password_reset_required.is_some_and(Boolean::get);
        let login = Login::new(hash, reset_required, call.now);
        login::save(txn, (account, &user.id), &login)?;
        Ok(Answer::new(permit, Output { login_profile: ShownLogin::of(&user, &login) }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "loginProfile": output.login_profile.recorded() }))
    }
}
