//! DisableOutboundWebIdentityFederation: the account's principals can't have tokens for elsewhere any more.

use crate::iam::{Error, SOURCE};
use crate::settings;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;

input! {
    /// Nothing: the account is the caller's.
    pub struct DisableOutboundWebIdentityFederation {
    }
}

impl Operation for DisableOutboundWebIdentityFederation {
    const NAME: &'static str = "DisableOutboundWebIdentityFederation";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DisableOutboundWebIdentityFederation");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, _: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        let mut settings = settings::find(txn, account).await?;
        if settings.issuer().is_none() {
            return Err(Error::FederationDisabled);
        }
        settings.disable();
        settings::save(txn, account, &settings)?;
        Ok(Answer::new(permit, ()))
    }
}
