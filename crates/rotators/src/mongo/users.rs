//! What the server keeps of its users.

use super::DIALECT;
use super::failure::{Said, UNAUTHORIZED};
use super::link::Link;
use crate::Failure;
use bson::{RawArray, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

/// A user.
#[derive(Debug, Default)]
pub(super) struct User {
    /// What it may do: `{ role, db }` each.
    pub(super) roles: RawArrayBuf,
    /// From where it may come, if the server tells.
    pub(super) restrictions: Option<RawArrayBuf>,
    /// Whether it logs in by the newer mechanism only.
    pub(super) only_newer: bool,
    /// Whom it was made after, if it was made here.
    made_after: Option<String>,
    /// Whether it was made for a lease.
    pub(super) leased: bool,
}

impl User {
    /// The user called `name`; `None` if there is none.
    pub(super) async fn find(link: &mut Link, name: &str) -> Result<Option<Self>, Failure> {
        let home = link.home.clone();
        let who = rawdoc! { "user": name, "db": home.as_str() };
        let mut asked = rawdoc! { "usersInfo": who.clone() };
        asked.append(bson::raw::cstr!("showAuthenticationRestrictions"), true);
        let told = match link.try_ask(&home, asked).await? {
            Ok(told) => Ok(told),
            // Not every server knows of them, and not everybody may ask.
            Err(_) => link.try_ask(&home, rawdoc! { "usersInfo": who }).await?,
        };
        Ok(Self::first(&told.map_err(|it| unseen(&it, name))?))
    }

    /// The same; it must be there.
    pub(super) async fn existing(link: &mut Link, name: &str) -> Result<Self, Failure> {
        let found = Self::find(link, name).await?;
        let told = || format!("there is no user `{name}` in the database `{}`", link.home);
        found.ok_or_else(|| Failure::Refused(told()))
    }

    /// The first of the users that `reply` tells.
    pub(super) fn first(reply: &RawDocument) -> Option<Self> {
        let first = reply.get_array("users").ok()?.get_document(0).ok()?;
        let marks = first.get_document("customData").and_then(|it| it.get_document("strongroom"));
        let made_after = marks.as_ref().ok().and_then(|it| it.get_str("made_after").ok());
        let mechanisms = first.get_array("mechanisms").ok();
        let newer = |all: &RawArray| {
            let mut all = all.into_iter().map(|it| it.ok().and_then(RawBsonRef::as_str));
            all.all(|it| it == Some("SCRAM-SHA-256"))
        };
        Some(Self {
            roles: first.get_array("roles").ok()?.to_owned(),
            restrictions: first.get_array("authenticationRestrictions").ok().map(ToOwned::to_owned),
            only_newer: mechanisms.is_some_and(|it| !it.is_empty() && newer(it)),
            made_after: made_after.map(str::to_owned),
            leased: marks.is_ok_and(|it| it.get_bool("lease").unwrap_or_default()),
        })
    }

    /// Whether it was made here, to be what `like` is.
    pub(super) fn made_after(&self, like: &str) -> bool {
        self.made_after.as_deref() == Some(like)
    }
}

/// What is kept of a user that was made to be what `like` is.
pub(super) fn mark(like: &str) -> RawDocumentBuf {
    rawdoc! { "strongroom": { "made_after": like } }
}

fn unseen(said: &Said, name: &str) -> Failure {
    match said.code {
        UNAUTHORIZED => {
            Failure::Refused(format!("error 13 (Unauthorized): `{name}` can't be looked at"))
        }
        _ => said.of_command(),
    }
}

/// `user`, if a server could have it.
pub(super) fn usable(user: &str) -> Result<(), Failure> {
    named("user's name", user)?;
    if DIALECT.longest_name < user.len() {
        let longest = DIALECT.longest_name;
        return Err(Failure::Invalid(format!("the user's name has more than {longest} bytes")));
    }
    Ok(())
}

/// `database`, if a server could keep users there that have passwords.
pub(super) fn usable_database(database: &str) -> Result<(), Failure> {
    named("database's name", database)?;
    if database == "$external" {
        let told = "users of `$external` have no password in the server, so none can be changed";
        return Err(Failure::Invalid(told.to_owned()));
    }
    Ok(())
}

fn named(what: &str, name: &str) -> Result<(), Failure> {
    match name {
        "" => Err(Failure::Invalid(format!("the {what} is empty"))),
        _ if name.contains('\0') => Err(Failure::Invalid(format!("the {what} holds a NUL"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read() {
        let reply = rawdoc! { "ok": 1, "users": [{
            "_id": "admin.app_clone", "user": "app_clone", "db": "admin",
            "customData": mark("app"), "mechanisms": ["SCRAM-SHA-256"],
            "roles": [{ "role": "read", "db": "shop" }],
        }] };
        let it = User::first(&reply).expect("a user");
        assert!(it.made_after("app") && !it.made_after("apq") && !it.leased && it.only_newer);
        let role = it.roles.get_document(0).expect("a role");
        assert_eq!(role.get_str("db").expect("its database"), "shop");
        for (mechanisms, only_newer) in [
            (rawdoc! { "mechanisms": ["SCRAM-SHA-1", "SCRAM-SHA-256"] }, false),
            (rawdoc! { "mechanisms": ["SCRAM-SHA-1"] }, false),
            (rawdoc! { "mechanisms": [] }, false),
            (rawdoc! {}, false),
        ] {
            let mut user = mechanisms;
            user.append(bson::raw::cstr!("roles"), RawArrayBuf::new());
            let it = User::first(&rawdoc! { "users": [user] }).expect("a user");
            assert_eq!(it.only_newer, only_newer);
            assert!(!it.made_after("") && !it.leased);
        }
        assert!(User::first(&rawdoc! { "users": [] }).is_none());
        assert!(User::first(&rawdoc! { "users": "none" }).is_none());
    }

    #[test]
    fn names_have_bounds() {
        for (user, fits) in [("", false), ("a\0", false), (" äö ", true), ("n", true)] {
            assert_eq!(usable(user).is_ok(), fits, "{user:?}");
        }
        assert!(usable(&"n".repeat(256)).is_err() && usable(&"n".repeat(255)).is_ok());
        for (database, fits) in [("admin", true), ("", false), ("$external", false)] {
            assert_eq!(usable_database(database).is_ok(), fits, "{database:?}");
        }
    }
}
