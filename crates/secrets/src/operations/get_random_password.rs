//! GetRandomPassword: a password drawn from chosen classes of characters.

use crate::Error;
use crate::random_password::{Recipe, RecipeError, draw};
use base::Sensitive;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::json::secret_text;
use wire::members::{Boolean, Integer, Text};

input! {
    /// How long, and of which characters.
    pub struct GetRandomPassword {
        password_length: Integer,
        exclude_characters: Text,
        exclude_numbers: Boolean,
        exclude_punctuation: Boolean,
        exclude_uppercase: Boolean,
        exclude_lowercase: Boolean,
        include_space: Boolean,
        require_each_included_type: Boolean,
    }
}

/// The password.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(serialize_with = "secret_text")]
    random_password: Sensitive,
}

impl Operation for GetRandomPassword {
    const NAME: &'static str = "GetRandomPassword";
    const ACTION: Action = Action("secretsmanager:GetRandomPassword");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.range("passwordLength", self.password_length, 1..=4096);
        found.length("excludeCharacters", self.exclude_characters.as_ref(), 0..=4096);
    }

    async fn run(&self, call: &Call<'_>, _txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let random_password = draw(&self.recipe(), call.entropy).map_err(|error| match error {
            RecipeError::EmptyAlphabet => Error::PasswordAlphabet,
            RecipeError::TooShort => Error::PasswordTooShort,
        })?;
        Ok(Answer::new(permit, Output { random_password }))
    }
}

impl GetRandomPassword {
    fn recipe(&self) -> Recipe {
        let kept = |excluded: Option<Boolean>| !excluded.is_some_and(Boolean::get);
        Recipe {
            length: self.password_length.map_or(32, |it| usize::try_from(it.get()).unwrap_or(32)),
            exclude: self
                .exclude_characters
                .as_ref()
                .map(|it| it.as_str().to_owned())
                .unwrap_or_default(),
            numbers: kept(self.exclude_numbers),
            punctuation: kept(self.exclude_punctuation),
            uppercase: kept(self.exclude_uppercase),
            lowercase: kept(self.exclude_lowercase),
            space: self.include_space.is_some_and(Boolean::get),
            require_each: self.require_each_included_type.is_none_or(Boolean::get),
        }
    }
}
