//! A user that may do what another may.

use super::accounts::{Account, made_after, note, run};
use super::link::{Admits, Ask};
use super::quote::{quoted, secret, shown};
use super::rights::{Rights, between};
use crate::Failure;
use crate::marker::hexadecimal;
use aws_lc_rs::digest::{SHA256, digest};
use base::Sensitive;
use zeroize::Zeroizing;

/// How often the two are compared again: what is taken of one column is taken of all.
const ROUNDS: usize = 3;

/// The two users of a secret that alternates.
pub(super) struct Pair {
    pub(super) like: Account,
    pub(super) user: Account,
    /// Whether `user` is still to be made.
    pub(super) new: bool,
    /// Whether it was, or will be, made after `like`: else `like` was made after it.
    pub(super) made: bool,
}

/// Finds both, and that one was made after the other. Names are as the database keeps them.
pub(super) async fn pair(link: &mut dyn Ask, like: &str, user: &str) -> Result<Pair, Failure> {
    let like = Account::the(link, like).await?;
    let Some(found) = Account::find(link, user).await? else {
        let user = Account { name: user.to_owned(), rolling: false, ..like.clone() };
        return Ok(Pair { like, user, new: true, made: true });
    };
    let made = made_after(link, user, &like.name).await?;
    if made || made_after(link, &like.name, user).await? {
        return Ok(Pair { like, user: found, new: false, made });
    }
    let told = format!("{} exists and wasn't made after {}", quoted(user), quoted(&like.name));
    Err(Failure::Refused(format!("{told}: it is somebody else's, and keeps its password")))
}

/// Makes `user`, or makes it be what `like` is.
///
/// On the way back `user` is what `like` was made after, so its rights are left alone: people grant and revoke by
/// that name, also while the other is in use.
pub(super) async fn mirror(
    link: &mut dyn Ask,
    like: &str,
    user: &str,
    password: &Sensitive,
) -> Result<(), Failure> {
    shown(password)?;
    let half = nobodys(password);
    let pair = match pair(link, like, user).await {
        // One that was begun here has that password, which nobody was ever told, and may not log in.
        Err(Failure::Refused(_)) if link.admits(user, &half).await? == Admits::NotYet => {
            note(link, user, like).await?;
            pair(link, like, user).await?
        }
        other => other?,
    };
    if pair.new {
        let head = format!("CREATE USER {} IDENTIFIED BY ", quoted(user));
        let half = super::quote::password(&half)?;
        run(link, &secret(&[&head, &half, &pair.user.settings])).await?;
        note(link, user, like).await?;
    }
    if pair.made {
        align(link, &pair).await?;
    }
    // Last, so that who can log in with it has all rights.
    let user = Account::the(link, user).await?;
    user.admit(link, password, false).await
}

/// A password that nobody is ever told, until all rights are there: who may do half must not log in. It follows
/// from the one that comes after it, so that nobody else can make it, and has a character of each kind.
fn nobodys(password: &Sensitive) -> Sensitive {
    let made = [b"strongroom: not yet ", password.expose()].concat();
    let digest = digest(&SHA256, &Zeroizing::new(made));
    let digest = digest.as_ref().get(..12).unwrap_or_default();
    Sensitive::from(format!("Aa1_{}", hexadecimal(digest)))
}

/// Gives and takes until `user` is what `like` is.
async fn align(link: &mut dyn Ask, pair: &Pair) -> Result<(), Failure> {
    let mut last = String::new();
    for _ in 0..=ROUNDS {
        let statements = differences(link, pair).await?;
        let Some(statement) = statements.last() else { return Ok(()) };
        last.clone_from(statement);
        for statement in statements {
            run(link, &statement).await?;
        }
    }
    Err(Failure::Refused(format!("the server took a statement without effect: {last}")))
}

/// The statements after which `user` has what `like` has.
pub(super) async fn differences(link: &mut dyn Ask, pair: &Pair) -> Result<Vec<String>, Failure> {
    let (like, user) = (&pair.like.name, &pair.user.name);
    let mut statements = Vec::new();
    if let Some(found) = Account::find(link, user).await?
        && found.settings != pair.like.settings
    {
        statements.push(format!("ALTER USER {}{}", quoted(user), pair.like.settings));
    }
    let wanted = Rights::of(link, like).await?;
    let had = Rights::of(link, user).await?;
    statements.extend(between(&had, &wanted, user));
    Ok(statements)
}
