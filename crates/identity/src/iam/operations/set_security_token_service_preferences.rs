//! SetSecurityTokenServicePreferences: of which version the global endpoint's session tokens are. Those of this
//! server are good in every Region, whatever is set.

use crate::iam::{Error, SOURCE};
use crate::settings;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which version.
    pub struct SetSecurityTokenServicePreferences {
        global_endpoint_token_version: Text,
    }
}

impl Operation for SetSecurityTokenServicePreferences {
    const NAME: &'static str = "SetSecurityTokenServicePreferences";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:SetSecurityTokenServicePreferences");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        let version = self.global_endpoint_token_version.as_ref();
        found.required("globalEndpointTokenVersion", version);
        found.one_of("globalEndpointTokenVersion", version, &["v1Token", "v2Token"]);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        let mut settings = settings::find(txn, account).await?;
        let version = self.global_endpoint_token_version.as_ref().map(Text::as_str);
        settings.set_token_version(if version == Some("v2Token") { 2 } else { 1 });
        settings::save(txn, account, &settings)?;
        Ok(Answer::new(permit, ()))
    }
}
