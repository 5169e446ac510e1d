//! Passwords of users as operations see them: which are allowed, and what is shown of them.

use crate::iam::Error;
use crate::iam::keys::admit_owner;
use crate::login::{self, Login};
use crate::password::Hash;
use crate::user::User;
use base::{Sensitive, Timestamp};
use serde::Serialize;
use service::{Call, Operation, Permit, Slow};
use std::sync::Arc;
use store::Txn;
use wire::members::Text;
use wire::query::instant;

/// That a user has a password.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ShownLogin {
    user_name: String,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
    password_reset_required: bool,
}

impl ShownLogin {
    /// That of `user`.
    pub(crate) fn of(user: &User, login: &Login) -> Self {
        Self {
            user_name: user.name.clone(),
            create_date: login.created,
            password_reset_required: login.reset_required,
        }
    }

    /// What an audit record tells of it.
    pub(crate) fn recorded(&self) -> serde_json::Value {
        let (user, created) = (&self.user_name, self.create_date.to_string());
        let reset = self.password_reset_required;
        serde_json::json!({ "userName": user, "createDate": created, "passwordResetRequired": reset })
    }
}

/// Asks whether the caller may do `operation` to the user `name`, or to itself if nobody is named, and loads
/// that user and its password.
pub(crate) async fn admit<O: Operation>(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    operation: &O,
    name: Option<&Text>,
) -> Result<(Permit, Arc<User>, Login), Error> {
    let (permit, user) = admit_owner(call, txn, operation, name).await?;
    let found = login::find(txn, &call.caller.account, &user.id).await?;
    let login = found.ok_or_else(|| missing(&user.name))?;
    Ok((permit, user, login))
}

/// That the user `name` has no password.
pub(crate) fn missing(name: &str) -> Error {
    Error::Missing(format!("Login Profile for User {name} cannot be found."))
}

/// The slow work of this request.
///
/// # Errors
///
/// [`Error::Busy`].
pub(crate) fn slow(call: &Call<'_>) -> Result<Slow, Error> {
    Slow::of(&call.caller.account).ok_or(Error::Busy)
}

/// The hash of `password`, if the account's rules allow it after `before`.
///
/// # Errors
///
/// [`Error::Password`], [`Error::Hashing`].
pub(crate) async fn hashed(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    (password, before): (&Sensitive, Option<&Login>),
    slow: &Slow,
) -> Result<Hash, Error> {
    let rules = login::rules(txn, &call.caller.account).await?;
    let allowed = match &rules {
        Some(rules) => rules.allow(password),
        None => login::allowed_by_default(password),
    };
    if !allowed {
        return Err(Error::Password(REFUSED));
    }
    let remembered = rules.and_then(|it| it.remembered).map_or(0, usize::from);
    let former = before.into_iter().flat_map(|it| [&it.hash].into_iter().chain(&it.former));
    let former: Vec<Hash> = former.take(remembered).cloned().collect();
    if Hash::any(former, password, slow).await.ok_or(Error::Hashing)? {
        return Err(Error::Password(REFUSED));
    }
    Hash::of(password, (slow, call.entropy)).await.ok_or(Error::Hashing)
}

const REFUSED: &str = "Password does not conform to the account password policy.";
