//! Users for a while, and the end of connections.

use super::link::Link;
use super::quote::{Account, text};
use super::server::Maker;
use super::{accounts, secret, shown};
use crate::{Failure, Lease, mariadb};
use mysql_async::Row;
use zeroize::Zeroizing;

/// Whom users of leases are marked as made after: no user is called so.
const NOBODY: &str = "";

/// Makes the user of `lease`.
pub(super) async fn grant(link: &mut Link, lease: &Lease<'_>) -> Result<(), Failure> {
    let password = shown(lease.password)?;
    let found = accounts::all(link, lease.user).await?;
    own(link, lease, &found).await?;
    // What an earlier try has left may not be all of it.
    drop_all(link, &found).await?;
    let made = make(link, lease, password).await;
    if matches!(made, Err(Failure::Refused(_) | Failure::Invalid(_))) {
        // Nothing is undone by the server itself: each of these statements stands for itself.
        let left = accounts::all(link, lease.user).await?;
        drop_all(link, &left).await?;
    }
    made
}

async fn make(link: &mut Link, lease: &Lease<'_>, password: &str) -> Result<(), Failure> {
    if lease.creation.is_empty() {
        let account = Account { user: lease.user.to_owned(), host: "%".to_owned() };
        let head = format!("CREATE USER {account} IDENTIFIED BY ");
        link.run_secret(&secret(&[&head, &quoted(link, password)])).await?;
    }
    for statement in lease.creation {
        let statement = filled(statement, lease, &quoted(link, password))?;
        link.run_secret(&statement).await?;
    }
    if link.server.marks() {
        for account in accounts::all(link, lease.user).await? {
            match link.server.maker {
                Maker::MariaDb => mariadb::admit(link, &account, password, Some(NOBODY)).await?,
                Maker::MySql => {
                    let mark = r#"{"strongroom": {"lease": true}}"#;
                    link.run(&format!("ALTER USER {account} ATTRIBUTE '{mark}'")).await?;
                }
            }
        }
    }
    Ok(())
}

/// A password as it stands after `IDENTIFIED BY`.
fn quoted(link: &Link, password: &str) -> Zeroizing<String> {
    match link.server.maker {
        Maker::MariaDb => mariadb::quoted(password),
        Maker::MySql => text(password),
    }
}

/// That what was `found` was made for a lease: it says so, or, made by half, has this one's password.
async fn own(link: &mut Link, lease: &Lease<'_>, found: &[Account]) -> Result<(), Failure> {
    let mut all = true;
    for account in found {
        all &= marked(link, account).await?;
    }
    if all || link.proves(lease.user, shown(lease.password)?).await? {
        return Ok(());
    }
    let told = format!("the user `{}` exists and was not made for a lease", lease.user);
    Err(Failure::Refused(told))
}

async fn marked(link: &mut Link, account: &Account) -> Result<bool, Failure> {
    if !link.server.marks() {
        return Ok(false);
    }
    match link.server.maker {
        Maker::MariaDb => Ok(mariadb::methods(link, account).await?.made_after(NOBODY)),
        Maker::MySql => Ok(accounts::attribute(link, account, "lease").await?.is_some()),
    }
}

/// Removes it. What it made stays nobody's: views and routines whose definer is gone do nothing for anybody.
pub(super) async fn revoke(link: &mut Link, lease: &Lease<'_>) -> Result<(), Failure> {
    let found = accounts::all(link, lease.user).await?;
    if !found.is_empty() {
        own(link, lease, &found).await?;
        lock(link, &found).await?;
        // Who can't be sent away is tried once more, after the end.
        let _ = disconnect(link, lease.user).await;
        for statement in lease.revocation {
            link.run_secret(&filled(statement, lease, "''")?).await?;
        }
    }
    let left = accounts::all(link, lease.user).await?;
    drop_all(link, &left).await?;
    // After it: who is gone can't come back, but stays until it is sent away.
    disconnect(link, lease.user).await
}

/// Has nobody come in any more, whatever the statements that people wrote do next.
async fn lock(link: &mut Link, accounts: &[Account]) -> Result<(), Failure> {
    for account in accounts {
        // One made by half is known by its password, which nobody was told: locked it would be known no more.
        if link.server.locks() && (!link.server.marks() || marked(link, account).await?) {
            link.run(&format!("ALTER USER {account} ACCOUNT LOCK")).await?;
        }
    }
    Ok(())
}

/// Ends all connections of `user`.
pub(super) async fn disconnect(link: &mut Link, user: &str) -> Result<(), Failure> {
    /// It has gone by itself.
    const UNKNOWN: u16 = 1094;
    let statement = match link.server.maker {
        Maker::MySql if (8, 0, 22) <= link.server.version => {
            "SELECT ID FROM performance_schema.processlist WHERE USER = ? AND ID <> CONNECTION_ID()"
        }
        _ => {
            "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = ? AND ID <> CONNECTION_ID()"
        }
    };
    let found: Vec<Row> = link.ask(statement, (user,)).await?;
    for id in found.iter().filter_map(|it| it.get::<u64, _>(0)) {
        match link.try_secret(&format!("KILL {id}")).await? {
            Ok(()) | Err((Some(UNKNOWN), _)) => {}
            Err((_, failure)) => return Err(failure),
        }
    }
    Ok(())
}

async fn drop_all(link: &mut Link, accounts: &[Account]) -> Result<(), Failure> {
    for account in accounts {
        link.run(&format!("DROP USER IF EXISTS {account}")).await?;
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
        out.push_str(&match what {
            "name" => text(lease.user),
            "password" => Zeroizing::new(password.to_owned()),
            "expiration" => text(lease.expiration),
            _ => return Err(unknown()),
        });
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
            Lease { user: "v'1", password: &password, creation, revocation, expiration: "2026" };
        let template = "CREATE USER {{name}}@'%' IDENTIFIED BY {{password}} -- {{expiration}}";
        let statement = filled(template, &lease, "'a''{{name}}'").expect("filled");
        let expected = "CREATE USER 'v''1'@'%' IDENTIFIED BY 'a''{{name}}' -- '2026'";
        assert_eq!(statement.as_str(), expected);
        assert_eq!(filled("DROP USER x", &lease, "").expect("filled").as_str(), "DROP USER x");
        for wrong in ["{{", "{{other}}", "{{name}"] {
            assert!(matches!(filled(wrong, &lease, ""), Err(Failure::Invalid(_))), "{wrong}");
        }
    }
}
