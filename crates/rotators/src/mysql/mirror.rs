//! A user that may do what another may.

use super::link::Link;
use super::quote::{Account, name, text, usable};
use super::rights::between;
use super::server::Maker;
use super::{accounts, passwords, secret, shown};
use crate::{Failure, mariadb};
use base::Sensitive;

/// The two users of a secret that alternates.
pub(super) struct Pair {
    pub(super) like: Account,
    pub(super) user: Account,
    /// Whether `user` is still to be made.
    pub(super) new: bool,
    /// Whether it was, or will be, made after `like`: else `like` was made after it.
    pub(super) made: bool,
}

/// Finds both, and that one was made after the other.
pub(super) async fn pair(link: &mut Link, like: &str, user: &str) -> Result<Pair, Failure> {
    for name in [like, user] {
        usable(name, link.server.longest_name())?;
    }
    if !link.server.marks() {
        let told = "a server of this version can't tell a user that was made here from another's";
        return Err(Failure::Refused(format!("{told}: alternating users need a newer one")));
    }
    let like = accounts::the(link, like).await?;
    let Some(user) = accounts::find(link, user).await? else {
        let user = Account { user: user.to_owned(), host: like.host.clone() };
        return Ok(Pair { like, user, new: true, made: true });
    };
    let made = was_made(link, &user, &like.user).await?;
    if made || was_made(link, &like, &user.user).await? {
        return Ok(Pair { like, user, new: false, made });
    }
    let told = format!("{user} exists and wasn't made after {}", name(&like.user));
    Err(Failure::Refused(format!("{told}: it is somebody else's, and keeps its password")))
}

async fn was_made(link: &mut Link, account: &Account, like: &str) -> Result<bool, Failure> {
    match link.server.maker {
        Maker::MariaDb => Ok(mariadb::methods(link, account).await?.made_after(like)),
        Maker::MySql => {
            Ok(accounts::attribute(link, account, "made_after").await?.as_deref() == Some(like))
        }
    }
}

/// Makes `user`, or makes it be what `like` is.
///
/// On the way back `user` is what `like` was made after, so its rights are left alone: people grant and revoke by
/// that name, also while the other is in use.
pub(super) async fn mirror(
    link: &mut Link,
    like: &str,
    user: &str,
    password: &Sensitive,
) -> Result<(), Failure> {
    let password = shown(password)?;
    let mut pair = pair(link, like, user).await?;
    if pair.made {
        let conditions = accounts::conditions(link, &pair.like).await?;
        if pair.new {
            create(link, &pair, password, &conditions).await?;
        } else {
            follow(link, &mut pair.user, &pair.like.host).await?;
            link.run(&format!("ALTER USER {}{conditions}", pair.user)).await?;
        }
        align(link, &pair).await?;
    }
    let after = pair.made.then_some(pair.like.user.as_str());
    // Last, so that who can log in with it has all rights.
    match link.server.maker {
        Maker::MariaDb => mariadb::admit(link, &pair.user, password, after).await,
        Maker::MySql => {
            if pair.made {
                link.run(&format!("ALTER USER {} ACCOUNT UNLOCK", pair.user)).await?;
            }
            passwords::only(link, &pair.user, password).await
        }
    }
}

/// Makes `user`, marked as ours, and not able to log in yet.
async fn create(
    link: &mut Link,
    pair: &Pair,
    password: &str,
    conditions: &str,
) -> Result<(), Failure> {
    let (user, like) = (&pair.user, &pair.like);
    if link.server.maker == Maker::MariaDb {
        mariadb::methods(link, like).await?.only_passwords(like)?;
        return mariadb::create(link, user, &like.user, password, conditions).await;
    }
    let plugin = accounts::plugin(link, like).await?;
    let head = format!("CREATE USER {user} IDENTIFIED WITH {plugin} BY ");
    let mark = serde_json::json!({"strongroom": {"made_after": like.user}}).to_string();
    let tail = format!("{conditions} ACCOUNT LOCK ATTRIBUTE {}", *text(&mark));
    link.run_secret(&secret(&[&head, &text(password), &tail])).await
}

/// Lets `user` come from `host`, whatever it was made for.
async fn follow(link: &mut Link, user: &mut Account, host: &str) -> Result<(), Failure> {
    if user.host == host {
        return Ok(());
    }
    let to = Account { user: user.user.clone(), host: host.to_owned() };
    link.run(&format!("RENAME USER {user} TO {to}")).await?;
    *user = to;
    Ok(())
}

/// Gives and takes rights until `user` has those of `like`.
async fn align(link: &mut Link, pair: &Pair) -> Result<(), Failure> {
    for statement in differences(link, &pair.like, &pair.user).await? {
        link.run(&statement).await?;
    }
    match differences(link, &pair.like, &pair.user).await?.first() {
        None => Ok(()),
        Some(it) => {
            Err(Failure::Refused(format!("the server took a statement without effect: {it}")))
        }
    }
}

/// The statements after which `user` has the rights and roles of `like`.
pub(super) async fn differences(
    link: &mut Link,
    like: &Account,
    user: &Account,
) -> Result<Vec<String>, Failure> {
    let wanted = accounts::rights(link, like).await?;
    let had = accounts::rights(link, user).await?;
    let mut statements = between(&had, &wanted, user);
    if link.server.maker == Maker::MySql && link.server.version < (8, 0, 0) {
        return Ok(statements);
    }
    let roles = accounts::default_roles(link, like).await?;
    if roles != accounts::default_roles(link, user).await? {
        statements.push(match link.server.maker {
            Maker::MariaDb => format!("SET DEFAULT ROLE {roles} FOR {user}"),
            Maker::MySql => format!("ALTER USER {user} DEFAULT ROLE {roles}"),
        });
    }
    Ok(statements)
}
