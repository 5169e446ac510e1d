//! GetLoginProfile: whether a user has a password, and since when.

use crate::iam::logins::{self, ShownLogin};
use crate::iam::{Error, SOURCE, names};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which user; the caller, if none is named.
    pub struct GetLoginProfile {
        user_name: Text,
    }
}

/// That the user has a password.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    login_profile: ShownLogin,
}

impl Operation for GetLoginProfile {
    const NAME: &'static str = "GetLoginProfile";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetLoginProfile");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::optional(found, "userName", self.user_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, user, login) = logins::admit(call, txn, self, self.user_name.as_ref()).await?;
        Ok(Answer::new(permit, Output { login_profile: ShownLogin::of(&user, &login) }))
    }
}
