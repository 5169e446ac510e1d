//! What a server keeps of a user.

use super::link::Link;
use super::quote::{name as quoted, secret, text, usable};
use super::shown;
use crate::Failure;
use crate::marker::mark;
use base::Sensitive;

/// A login, or a user whose password its database keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// As the server spells it.
    pub(super) name: String,
    /// Whether the database keeps its password.
    pub(super) contained: bool,
    /// In digits, `0x` before them.
    pub(super) sid: String,
    /// What else is kept of it, as the end of a `CREATE` or `ALTER`.
    pub(super) settings: String,
}

impl Account {
    /// The one called `user`; `None` if there is none, or if it can't be seen.
    pub(super) async fn find(link: &mut Link, user: &str) -> Result<Option<Self>, Failure> {
        usable(user)?;
        let found = match Self::contained(link, user).await? {
            None => Self::login(link, user).await?,
            found => found,
        };
        match found {
            Some(it) if it.name != user => {
                let told = format!("the server spells the user's name {}", quoted(&it.name));
                Err(Failure::Refused(format!("{told}: so must the secret")))
            }
            found => Ok(found),
        }
    }

    /// The same; one that isn't there is refused.
    pub(super) async fn the(link: &mut Link, user: &str) -> Result<Self, Failure> {
        let found = Self::find(link, user).await?;
        found.ok_or_else(|| Failure::Refused(format!("there is no user {}", quoted(user))))
    }

    async fn contained(link: &mut Link, user: &str) -> Result<Option<Self>, Failure> {
        let asked = format!(
            "SELECT name, CONVERT(nvarchar(200), sid, 1), default_schema_name \
             FROM sys.database_principals WHERE authentication_type = 2 AND name = {}",
            *text(user)
        );
        let Some([Some(name), Some(sid), schema]) = link.ask_row(&asked).await? else {
            return Ok(None);
        };
        let settings = schema.map(|it| format!(", DEFAULT_SCHEMA = {}", quoted(&it)));
        Ok(Some(Self { name, contained: true, sid, settings: settings.unwrap_or_default() }))
    }

    async fn login(link: &mut Link, user: &str) -> Result<Option<Self>, Failure> {
        let asked = format!(
            "SELECT name, CONVERT(nvarchar(200), sid, 1), default_database_name, \
             default_language_name, IIF(is_policy_checked = 1, N'ON', N'OFF'), \
             IIF(is_expiration_checked = 1, N'ON', N'OFF') FROM sys.sql_logins WHERE name = {}",
            *text(user)
        );
        let Some([Some(name), Some(sid), database, language, policy, expiration]) =
            link.ask_row(&asked).await?
        else {
            return Ok(None);
        };
        let mut settings = String::new();
        if !link.narrow {
            for (key, value) in [("DATABASE", database), ("LANGUAGE", language)] {
                if let Some(value) = value {
                    settings = format!("{settings}, DEFAULT_{key} = {}", quoted(&value));
                }
            }
            for (key, value) in [("POLICY", policy), ("EXPIRATION", expiration)] {
                settings.extend([", CHECK_", key, " = ", value.as_deref().unwrap_or("OFF")]);
            }
        }
        Ok(Some(Self { name, contained: false, sid, settings }))
    }

    /// What it is, in a statement.
    pub(super) fn kind(&self) -> &'static str {
        kind(self.contained)
    }

    /// Whether it was made here to be what `like` is.
    pub(super) fn made_after(&self, like: &str) -> bool {
        self.sid.eq_ignore_ascii_case(&sid(self.contained, &self.name, like))
    }

    /// Gives it the password `to`.
    pub(super) async fn admit(&self, link: &mut Link, to: &Sensitive) -> Result<(), Failure> {
        self.refuse_elsewhere(link)?;
        let to_text = text(shown(to)?);
        // A rule against using passwords again would refuse the one that it has.
        if link.admits(&self.name, to).await? {
            return Ok(());
        }
        let head = format!("ALTER {} {} WITH PASSWORD = ", self.kind(), quoted(&self.name));
        link.run_secret(&secret(&[&head, &to_text])).await
    }

    /// Refuses a login that can only be changed elsewhere.
    pub(super) fn refuse_elsewhere(&self, link: &Link) -> Result<(), Failure> {
        if !link.narrow || self.contained || link.home == "master" {
            return Ok(());
        }
        let told = format!("{} is a login, which Azure SQL changes only in `master`", self.name);
        Err(Failure::Refused(format!("{told}: let the secret's `dbname` say that")))
    }
}

/// What a user is, in a statement.
pub(super) fn kind(contained: bool) -> &'static str {
    if contained { "USER" } else { "LOGIN" }
}

/// By what a user that was made here is told from somebody else's: a number that the server keeps, and that nobody
/// but its maker chooses. It names both, as no two may have the same.
pub(super) fn sid(contained: bool, user: &str, like: &str) -> String {
    let mark = mark(&format!("{like}\0{user}"), 16);
    // Of users that databases keep, numbers begin so: S-1-9-3.
    let head = if contained { "010500000000000903000000" } else { "" };
    format!("0x{head}{mark}")
}
