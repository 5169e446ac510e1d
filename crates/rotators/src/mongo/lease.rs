//! Logins that are made for a while.
//!
//! A remark of ours tells them from users that people made: nothing else is ever removed.

use super::failure::{Said, USER_NOT_FOUND};
use super::link::{Link, array};
use super::session::{TRIES, about, forbidden, secret};
use super::users::{User, usable};
use crate::{Failure, Lease};
use bson::raw::cstr;
use bson::{RawDocumentBuf, rawdoc};
use serde::Deserialize;

/// A statement of a lease: what its user may do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Creation {
    db: Option<String>,
    roles: Vec<Role>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Role {
    Here(String),
    Somewhere { role: String, db: Option<String> },
}

/// Makes the login, or finds that it has been made.
pub(super) async fn grant(link: &mut Link, lease: &Lease<'_>) -> Result<(), Failure> {
    usable(lease.user)?;
    // Said before there is a login: nothing may keep one from its end.
    if !lease.revocation.is_empty() {
        let told = "there is nothing but `dropUser` to end a login, so no statements for it";
        return Err(Failure::Invalid(told.to_owned()));
    }
    let secret = secret(link, lease.user, lease.password)?;
    let roles = roles(link, lease)?;
    let mut tries = 1..TRIES;
    loop {
        let found = find(link, lease.user).await?;
        let mut command = match &found {
            Some(found) => about(link, cstr!("updateUser"), lease.user, found),
            None => about(link, cstr!("createUser"), lease.user, &User::default()),
        };
        command.append(cstr!("roles"), array(&roles));
        command.append(cstr!("customData"), rawdoc! { "strongroom": { "lease": true } });
        match link.change(command, Some(&secret)).await? {
            // Somebody else was first with the same: what was made is found now.
            Err(said) if said.is_duplicate() && tries.next().is_some() => {}
            done => return done.map_err(|it| forbidden(link, lease.user, &it)),
        }
    }
}

/// Removes the login, and ends what it was doing. Nobody owns anything here.
pub(super) async fn revoke(link: &mut Link, lease: &Lease<'_>) -> Result<(), Failure> {
    usable(lease.user)?;
    if find(link, lease.user).await?.is_none() {
        return Ok(());
    }
    let removed = link.change(rawdoc! { "dropUser": lease.user }, None).await?;
    // Its connections are nobody's from here on; what runs on them ends by this, where it may be said.
    let _ = end(link, lease.user).await?;
    match removed {
        // Somebody else was first with the same.
        Err(said) if said.code != USER_NOT_FOUND => Err(forbidden(link, lease.user, &said)),
        _ => Ok(()),
    }
}

/// Ends what `user` is doing.
pub(super) async fn end(link: &mut Link, user: &str) -> Result<Result<(), Said>, Failure> {
    let whose = rawdoc! { "user": user, "db": link.home.as_str() };
    let command = rawdoc! { "killAllSessions": [whose] };
    Ok(link.try_ask("admin", command).await?.map(drop))
}

/// The user of a lease.
async fn find(link: &mut Link, user: &str) -> Result<Option<User>, Failure> {
    let found = User::find(link, user).await?;
    if found.as_ref().is_some_and(|it| !it.leased) {
        let told = format!("the user `{user}` exists and was not made for a lease");
        return Err(Failure::Refused(told));
    }
    Ok(found)
}

/// What the statements of `lease` let its user do: `{"roles": [{"role": "read", "db": "shop"}]}`. They say nothing of
/// names and passwords, so nothing is filled in.
fn roles(link: &Link, lease: &Lease<'_>) -> Result<Vec<RawDocumentBuf>, Failure> {
    let mut roles = Vec::new();
    for statement in lease.creation {
        let wrong = |told: &str| Failure::Refused(format!("a statement of the lease {told}"));
        let told = r#"is not of the form {"roles": [{"role": "read", "db": "shop"}]}"#;
        let it: Creation = serde_json::from_str(statement).map_err(|_| wrong(told))?;
        if it.db.is_some_and(|it| it != link.home) {
            return Err(wrong("names another database than `dbname` does"));
        }
        for role in it.roles {
            let (role, db) = match role {
                Role::Here(role) => (role, None),
                Role::Somewhere { role, db } => (role, db),
            };
            roles.push(rawdoc! { "role": role, "db": db.unwrap_or_else(|| link.home.clone()) });
        }
    }
    Ok(roles)
}
