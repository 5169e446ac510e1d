//! UpdateAccountPasswordPolicy: sets what the account asks of its users' passwords. What isn't given is as it was
//! at first.

use crate::iam::{Error, SOURCE};
use crate::login::{self, Kind, Rules};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Integer};

input! {
    /// The rules.
    pub struct UpdateAccountPasswordPolicy {
        minimum_password_length: Integer,
        require_symbols: Boolean,
        require_numbers: Boolean,
        require_uppercase_characters: Boolean,
        require_lowercase_characters: Boolean,
        allow_users_to_change_password: Boolean,
        max_password_age: Integer,
        password_reuse_prevention: Integer,
        hard_expiry: Boolean,
    }
}

impl Operation for UpdateAccountPasswordPolicy {
    const NAME: &'static str = "UpdateAccountPasswordPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UpdateAccountPasswordPolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.range("minimumPasswordLength", self.minimum_password_length, 6..=128);
        found.range("maxPasswordAge", self.max_password_age, 1..=1095);
        found.range("passwordReusePrevention", self.password_reuse_prevention, 1..=24);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let permit = call.admit(self, call.own_account())?;
        login::save_rules(txn, &call.caller.account, &self.rules())?;
        Ok(Answer::new(permit, ()))
    }
}

impl UpdateAccountPasswordPolicy {
    fn rules(&self) -> Rules {
        let is = |it: Option<Boolean>| it.is_some_and(Boolean::get);
        let kinds = [
            (self.require_symbols, Kind::Symbol),
            (self.require_numbers, Kind::Number),
            (self.require_uppercase_characters, Kind::Uppercase),
            (self.require_lowercase_characters, Kind::Lowercase),
        ];
        let small = |it: Integer| u16::try_from(it.get()).ok();
        Rules {
            shortest: self.minimum_password_length.and_then(small).unwrap_or(6),
            kinds: kinds.into_iter().filter(|it| is(it.0)).map(|it| it.1).collect(),
            users_change: is(self.allow_users_to_change_password),
            days: self.max_password_age.and_then(small),
            remembered: self.password_reuse_prevention.and_then(|it| u8::try_from(it.get()).ok()),
            hard: self.hard_expiry.map(Boolean::get),
        }
    }
}
