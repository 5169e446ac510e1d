//! GetAccountPasswordPolicy: what the account asks of its users' passwords.

use crate::iam::{Error, SOURCE};
use crate::login::{self, Kind as Rule, Rules};
use policy::engine::{Attached, Grammar, Policy};
use serde::Serialize;
use service::{Action, Answer, Call, Kind, Operation, Target, input};
use store::Txn;
use wire::Violations;

input! {
    /// Nothing: the account is the caller's.
    pub struct GetAccountPasswordPolicy {
    }
}

/// What the account asks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    password_policy: Shown,
}

/// The rules.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the members are AWS's")]
pub struct Shown {
    minimum_password_length: u16,
    require_symbols: bool,
    require_numbers: bool,
    require_uppercase_characters: bool,
    require_lowercase_characters: bool,
    allow_users_to_change_password: bool,
    expire_passwords: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_password_age: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_reuse_prevention: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hard_expiry: Option<bool>,
}

impl Shown {
    fn of(rules: &Rules) -> Self {
        Self {
            minimum_password_length: rules.shortest,
            require_symbols: rules.kinds.contains(&Rule::Symbol),
            require_numbers: rules.kinds.contains(&Rule::Number),
            require_uppercase_characters: rules.kinds.contains(&Rule::Uppercase),
            require_lowercase_characters: rules.kinds.contains(&Rule::Lowercase),
            allow_users_to_change_password: rules.users_change,
            expire_passwords: rules.days.is_some(),
            max_password_age: rules.days,
            password_reuse_prevention: rules.remembered,
            hard_expiry: rules.hard,
        }
    }
}

impl Operation for GetAccountPasswordPolicy {
    const NAME: &'static str = "GetAccountPasswordPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetAccountPasswordPolicy");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, _: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let account = &call.caller.account;
        let rules = login::rules(txn, account).await?;
        // Who may change its password may see what it has to be like.
        let users_change = rules.as_ref().is_some_and(|it| it.users_change);
        let lets = users_change && call.caller.kind == Kind::User;
        let policy = lets.then(|| Policy::compile(EVERY_USER, Grammar::Resource)).transpose()?;
        let policies: Vec<Attached<'_>> =
            policy.iter().map(|policy| Attached { id: "password-policy", policy }).collect();
        let permit = call.admit(self, Target { policies: &policies, ..call.own_account() })?;
        let rules = rules.ok_or_else(|| missing(account))?;
        Ok(Answer::new(permit, Output { password_policy: Shown::of(&rules) }))
    }
}

const EVERY_USER: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"iam:GetAccountPasswordPolicy"}]}"#;

/// That the account has no rules of its own.
pub(crate) fn missing(account: &base::AccountId) -> Error {
    Error::Missing(format!("The Password Policy with domain name {account} cannot be found."))
}
