//! How MySQL is told of passwords: in clear text, which it keeps out of its own logs.

use super::link::Link;
use super::quote::{Account, text};
use super::{secret, shown};
use crate::Failure;
use base::Sensitive;

/// The account must say its current password to have another.
const CURRENT_REQUIRED: u16 = 3892;

/// Changes the password of who is logged in.
pub(super) async fn change_own(
    link: &mut Link,
    from: &Sensitive,
    to: &Sensitive,
) -> Result<(), Failure> {
    let to = text(shown(to)?);
    let statement = secret(&["ALTER USER USER() IDENTIFIED BY ", &to]);
    match link.try_secret(&statement).await? {
        Err((Some(CURRENT_REQUIRED), _)) => {
            let from = text(shown(from)?);
            link.run_secret(&secret(&[&statement, " REPLACE ", &from])).await
        }
        done => done.map_err(|it| it.1),
    }
}

/// Gives `account` the password `to`, and no other but `keep`.
pub(super) async fn change(
    link: &mut Link,
    account: &Account,
    to: &Sensitive,
    keep: Option<&Sensitive>,
) -> Result<(), Failure> {
    let (user, to) = (account.user.as_str(), shown(to)?);
    let Some(keep) = keep.filter(|_| link.server.overlaps()) else {
        return only(link, account, to).await;
    };
    let keep = shown(keep)?;
    // An account has two passwords at most, so these are all.
    if link.admits(user, keep).await? {
        if link.admits(user, to).await? {
            return Ok(());
        }
        retain(link, account, to).await?;
        if link.admits(user, keep).await? {
            return Ok(());
        }
    }
    // The one to keep wasn't the first one: what is retained is always that.
    set(link, account, keep).await?;
    retain(link, account, to).await
}

/// Gives `account` the password `to`, and no other.
pub(super) async fn only(link: &mut Link, account: &Account, to: &str) -> Result<(), Failure> {
    // A rule against using passwords again would refuse the one that it has.
    if !link.admits(&account.user, to).await? {
        set(link, account, to).await?;
    }
    if !link.server.overlaps() {
        return Ok(());
    }
    link.run(&format!("ALTER USER {account} DISCARD OLD PASSWORD")).await?;
    if link.admits(&account.user, to).await? {
        return Ok(());
    }
    // It was the second one, which is gone.
    set(link, account, to).await
}

async fn set(link: &mut Link, account: &Account, to: &str) -> Result<(), Failure> {
    let head = format!("ALTER USER {account} IDENTIFIED BY ");
    link.run_secret(&secret(&[&head, &text(to)])).await
}

async fn retain(link: &mut Link, account: &Account, to: &str) -> Result<(), Failure> {
    let head = format!("ALTER USER {account} IDENTIFIED BY ");
    link.run_secret(&secret(&[&head, &text(to), " RETAIN CURRENT PASSWORD"])).await
}
