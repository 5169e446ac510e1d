//! Users for a while, and the end of connections.
//!
//! A login that was made for a lease is told from others by its number. Statements that people write make it
//! themselves: behind the password of their `CREATE LOGIN` or `CREATE USER` the number is added.

use super::accounts::{Account, sid};
use super::databases;
use super::link::Link;
use super::quote::{name, secret, text};
use super::shown;
use crate::{Failure, Lease};
use zeroize::Zeroizing;

/// Whom users of leases are marked as made after: no user is called so.
const NOBODY: &str = "";

/// How often a login is removed whose connections are still ending.
const TRIES: usize = 5;

/// Connections are still open.
const CONNECTED: u32 = 15_434;

/// Makes the user of `lease`.
pub(super) async fn grant(link: &mut Link, lease: &Lease<'_>) -> Result<(), Failure> {
    shown(lease.password)?;
    if let Some(found) = Account::find(link, lease.user).await? {
        own(&found)?;
        // What an earlier try has left may not be all of it.
        drop_all(link, &found).await?;
    }
    let home = link.home.clone();
    let made = make(link, lease).await;
    if matches!(made, Err(Failure::Refused(_) | Failure::Invalid(_))) {
        link.enter(&home).await?;
        if let Some(left) = Account::find(link, lease.user).await?.filter(|it| own(it).is_ok()) {
            drop_all(link, &left).await?;
        }
    }
    made?;
    link.enter(&home).await
}

async fn make(link: &mut Link, lease: &Lease<'_>) -> Result<(), Failure> {
    let own = own_way(link);
    let creation = if lease.creation.is_empty() { &own[..] } else { lease.creation };
    for statement in creation {
        let password = text(shown(lease.password)?);
        let words: Vec<_> = statement.split_whitespace().take(2).map(str::to_uppercase).collect();
        let password = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["CREATE", "LOGIN"] => numbered(&password, &sid(false, lease.user, NOBODY)),
            ["CREATE", "USER"] => numbered(&password, &sid(true, lease.user, NOBODY)),
            _ => password,
        };
        let statement = filled(statement, lease, &password)?;
        link.run_secret(&statement).await?;
    }
    Ok(())
}

/// What makes one that may log in and nothing else: into the database that the administrator has opened.
fn own_way(link: &Link) -> Vec<String> {
    let [login, user, kept] = [
        "CREATE LOGIN {{name}} WITH PASSWORD = {{password}}",
        "CREATE USER {{name}} FOR LOGIN {{name}}",
        "CREATE USER {{name}} WITH PASSWORD = {{password}}",
    ]
    .map(str::to_owned);
    match (link.home.as_str(), link.narrow) {
        ("master", _) => vec![login],
        (_, true) => vec![kept],
        (_, false) => vec![login, user],
    }
}

fn numbered(password: &str, sid: &str) -> Zeroizing<String> {
    secret(&[password, ", SID = ", sid])
}

/// That what was found was made for a lease.
fn own(found: &Account) -> Result<(), Failure> {
    if found.made_after(NOBODY) {
        return Ok(());
    }
    let told = format!("the user `{}` exists and was not made for a lease", found.name);
    Err(Failure::Refused(told))
}

/// Removes it, and ends what it has open.
pub(super) async fn revoke(link: &mut Link, lease: &Lease<'_>) -> Result<(), Failure> {
    let Some(found) = Account::find(link, lease.user).await? else { return Ok(()) };
    own(&found)?;
    // Nobody comes back while connections end.
    let lock = if found.contained {
        format!("DENY CONNECT TO {} CASCADE", name(&found.name))
    } else {
        format!("ALTER LOGIN {} DISABLE", name(&found.name))
    };
    link.run(&lock).await?;
    disconnect(link, &found.name).await?;
    for statement in lease.revocation {
        link.run_secret(&filled(statement, lease, &text(""))?).await?;
    }
    let home = link.home.clone();
    link.enter(&home).await?;
    match Account::find(link, lease.user).await? {
        Some(found) => drop_all(link, &found).await,
        None => disconnect(link, lease.user).await,
    }
}

async fn drop_all(link: &mut Link, found: &Account) -> Result<(), Failure> {
    disconnect(link, &found.name).await?;
    let home = link.home.clone();
    let all = if found.contained { vec![home.clone()] } else { databases::all(link).await? };
    for database in all {
        if let Some(user) = databases::user(link, &database, &found.sid).await? {
            link.enter(&database).await?;
            drop_user(link, &user.name).await?;
        }
    }
    link.enter(&home).await?;
    if found.contained {
        return Ok(());
    }
    let statement = format!("DROP LOGIN {}", name(&found.name));
    for _ in 1..TRIES {
        match link.try_secret(&statement).await? {
            Err((Some(CONNECTED), _)) => {
                // The server waits, not we.
                link.run("WAITFOR DELAY '00:00:00.200'").await?;
                disconnect(link, &found.name).await?;
            }
            done => return done.map_err(|it| it.1),
        }
    }
    link.run(&statement).await
}

/// Removes a user of the database that was entered, and what of its own is empty.
///
/// What it owns is never handed to anybody: modules may act as their owner, and who owns what they use isn't asked
/// for a right.
async fn drop_user(link: &mut Link, user: &str) -> Result<(), Failure> {
    let left = |failure| match failure {
        Failure::Refused(told) => {
            let told = format!("the user {} is still there: {told}", name(user));
            let hint = "hint: drop what it made, or say in `revocation` what becomes of it";
            Failure::Refused(format!("{told}\n{hint}"))
        }
        other => other,
    };
    for (kind, asked) in [
        ("SCHEMA", "SELECT name FROM sys.schemas WHERE principal_id"),
        (
            "ROLE",
            "SELECT name FROM sys.database_principals WHERE type = 'R' AND owning_principal_id",
        ),
    ] {
        let asked = format!("{asked} = DATABASE_PRINCIPAL_ID({})", *text(user));
        for owned in link.ask(&asked).await?.into_iter().flatten().flatten() {
            link.run(&format!("DROP {kind} {}", name(&owned))).await.map_err(left)?;
        }
    }
    link.run(&format!("DROP USER {}", name(user))).await.map_err(left)
}

/// Ends all connections of `user`.
pub(super) async fn disconnect(link: &mut Link, user: &str) -> Result<(), Failure> {
    /// It has gone by itself.
    const GONE: u32 = 6106;
    let asked = format!(
        "SELECT CONVERT(nvarchar(20), session_id) FROM sys.dm_exec_sessions \
         WHERE is_user_process = 1 AND session_id <> @@SPID AND login_name = {}",
        *text(user)
    );
    for id in link.ask(&asked).await?.into_iter().flatten().flatten() {
        if let Ok(id) = id.parse::<u32>() {
            match link.try_secret(&format!("KILL {id}")).await? {
                Ok(()) | Err((Some(GONE), _)) => {}
                Err((_, failure)) => return Err(failure),
            }
        }
    }
    Ok(())
}

/// `statement` with what is said of `lease`. What is filled in isn't looked at again.
fn filled(
    statement: &str,
    lease: &Lease<'_>,
    password: &str,
) -> Result<Zeroizing<String>, Failure> {
    // Room for all that is filled in, so that nothing is copied to a larger one.
    let room = 2 * (lease.user.len() + password.len() + lease.expiration.len()) + 6;
    let places = statement.matches("{{").count();
    let mut out = Zeroizing::new(String::with_capacity(statement.len() + places * room));
    let mut rest = statement;
    while let Some((before, after)) = rest.split_once("{{") {
        let unknown = || Failure::Invalid("a statement has `{{` without a known name".to_owned());
        let (what, after) = after.split_once("}}").ok_or_else(unknown)?;
        out.push_str(before);
        match what {
            "name" => out.push_str(&name(lease.user)),
            "password" => out.push_str(password),
            "expiration" => out.push_str(&text(lease.expiration)),
            _ => return Err(unknown()),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Sensitive;

    #[test]
    fn what_is_filled_in_is_quoted_and_final() {
        let password = Sensitive::from("a'{{name}}".to_owned());
        let (creation, revocation) = (&[][..], &[][..]);
        let lease =
            Lease { user: "v]1", password: &password, creation, revocation, expiration: "2026" };
        let template = "CREATE LOGIN {{name}} WITH PASSWORD = {{password}} -- {{expiration}}";
        let password = numbered(&text("a'{{name}}"), "0x01");
        let statement = filled(template, &lease, &password).expect("filled");
        let expected = "CREATE LOGIN [v]]1] WITH PASSWORD = N'a''{{name}}', SID = 0x01 -- N'2026'";
        assert_eq!(statement.as_str(), expected);
        for wrong in ["{{", "{{other}}", "{{name}"] {
            assert!(matches!(filled(wrong, &lease, ""), Err(Failure::Invalid(_))), "{wrong}");
        }
    }
}
