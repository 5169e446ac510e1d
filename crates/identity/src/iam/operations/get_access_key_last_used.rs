//! GetAccessKeyLastUsed: when, and for what, an access key was last used.

use crate::access_key;
use crate::iam::{Error, SOURCE, keys};
use crate::last_use::{self, LastUse};
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;
use wire::query::instant_option;

input! {
    /// Which key.
    pub struct GetAccessKeyLastUsed {
        access_key_id: Text,
    }
}

/// Whose it is, and its last use.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    user_name: String,
    access_key_last_used: Shown,
}

/// The last use of an access key; without a date if there was none.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shown {
    #[serde(serialize_with = "instant_option")]
    last_used_date: Option<Timestamp>,
    service_name: String,
    region: String,
}

impl Shown {
    fn of(last: Option<LastUse>) -> Self {
        let (service_name, region, last_used_date) = match last {
            Some(it) => (it.service, it.region, Some(it.at)),
            None => ("N/A".to_owned(), "N/A".to_owned(), None),
        };
        Self { last_used_date, service_name, region }
    }
}

impl Operation for GetAccessKeyLastUsed {
    const NAME: &'static str = "GetAccessKeyLastUsed";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetAccessKeyLastUsed");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        keys::constraints(found, self.access_key_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let account = &call.caller.account;
        let id = self.access_key_id.as_ref().map_or("", Text::as_str);
        let key = access_key::find_key(txn, id).await?.filter(|it| it.account == *account);
        let named = format!("access key {id}");
        let arn = key.as_ref().map(|it| it.arn.as_str());
        let target = Target { named: Some(&named), ..Target::of(account, arn) };
        let permit = call.admit(self, target)?;
        let key = key.ok_or_else(|| Error::KeyUnknown(id.to_owned()))?;
        let last = last_use::find(txn, account, id).await?;
        let access_key_last_used = Shown::of(last);
        Ok(Answer::new(permit, Output { user_name: key.user_name, access_key_last_used }))
    }
}
