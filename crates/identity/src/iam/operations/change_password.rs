//! ChangePassword: the caller, a user, chooses another password.

use crate::iam::{Error, SOURCE, logins, names};
use crate::login;
use crate::password::Hash;
use policy::engine::{Attached, Grammar, Policy};
use service::{Action, Answer, Call, Kind, Operation, Permit, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::SecretText;

input! {
    /// The password that there is, and the next one.
    pub struct ChangePassword {
        #[serde(skip_serializing)]
        old_password: SecretText,
        #[serde(skip_serializing)]
        new_password: SecretText,
    }
}

impl Operation for ChangePassword {
    const NAME: &'static str = "ChangePassword";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ChangePassword");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("oldPassword", self.old_password.as_ref());
        names::password(found, "oldPassword", self.old_password.as_ref());
        found.required("newPassword", self.new_password.as_ref());
        names::password(found, "newPassword", self.new_password.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let permit = self.admit(call, txn).await?;
        let caller = call.caller;
        if caller.kind != Kind::User {
            return Err(Error::OfOthers("Only IAM Users can change their own password"));
        }
        let place = (&caller.account, caller.principal_id.as_str());
        let found = login::find(txn, place.0, place.1).await?;
        let mut login = found.ok_or_else(|| logins::missing(&caller.user_name))?;
        let both = self.old_password.as_ref().zip(self.new_password.as_ref());
        let (old, new) = both.ok_or(Error::OldPassword)?;
        if login.is_barred(call.now) {
            return Err(Error::Guesses);
        }
        let slow = logins::slow(call)?;
        let right = Hash::any(vec![login.hash.clone()], old.value(), &slow).await;
        if !right.ok_or(Error::Hashing)? {
            login.was_wrong(call.now);
            login::save(txn, place, &login)?;
            return Err(Error::OldPassword);
        }
        let hash = logins::hashed(call, txn, (new.value(), Some(&login)), &slow).await?;
        let mut login = login.changed(hash, call.now);
        login.reset_required = false;
        login::save(txn, place, &login)?;
        Ok(Answer::new(permit, ()))
    }
}

impl ChangePassword {
    /// Asks the caller's policies, and the account's rules for passwords: they may let every user change its own.
    async fn admit(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Permit, Error> {
        let caller = call.caller;
        let rules = login::rules(txn, &caller.account).await?;
        let lets = rules.is_some_and(|it| it.users_change) && caller.kind == Kind::User;
        let policy = lets.then(|| Policy::compile(EVERY_USER, Grammar::Resource)).transpose()?;
        let policies: Vec<Attached<'_>> =
            policy.iter().map(|policy| Attached { id: "password-policy", policy }).collect();
        let of_user = Target::of(&caller.account, Some(&caller.arn));
        Ok(call.admit(self, Target { policies: &policies, ..of_user })?)
    }
}

/// What it is about is always the caller.
const EVERY_USER: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"iam:ChangePassword"}]}"#;
