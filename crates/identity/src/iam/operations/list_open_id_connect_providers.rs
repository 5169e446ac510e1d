//! ListOpenIDConnectProviders: the issuers that the account knows.

use crate::iam::{Error, SOURCE};
use crate::oidc_provider;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;

input! {
    /// Nothing: the account is the caller's.
    pub struct ListOpenIDConnectProviders {
    }
}

/// A provider in the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    arn: String,
}

/// All of them: a hundred at most.
#[derive(Debug, Serialize)]
pub struct Output {
    #[serde(rename = "OpenIDConnectProviderList")]
    list: Vec<Entry>,
}

impl Operation for ListOpenIDConnectProviders {
    const NAME: &'static str = "ListOpenIDConnectProviders";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListOpenIDConnectProviders");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, _: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let all = oidc_provider::all(txn, &call.caller.account).await?;
        let list = all.into_iter().map(|it| Entry { arn: it.arn }).collect();
        Ok(Answer::new(permit, Output { list }))
    }
}
