//! GetUser: a user, or the caller.

use crate::account;
use crate::iam::shown::ShownUser;
use crate::iam::{Error, SOURCE, keys, names};
use serde::Serialize;
use service::{Action, Answer, Call, Kind, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which user; the caller, if none is named.
    pub struct GetUser {
        user_name: Text,
    }
}

/// The user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    user: ShownUser,
}

impl Operation for GetUser {
    const NAME: &'static str = "GetUser";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetUser");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::optional(found, "userName", self.user_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let caller = call.caller;
        if self.user_name.is_none() && caller.kind == Kind::Root {
            let permit = call.admit(self, Target::of(&caller.account, Some(&caller.arn)))?;
            let created =
                account::find(txn, &caller.account).await?.map_or(call.now, |it| it.created);
            let user = ShownUser::root(&caller.principal_id, &caller.arn, created);
            return Ok(Answer::new(permit, Output { user }));
        }
        let (permit, user) = keys::admit_owner(call, txn, self, self.user_name.as_ref()).await?;
        Ok(Answer::new(permit, Output { user: ShownUser::whole(&user) }))
    }
}
