//! Users for a while. A role tells them from users that people made: nothing else is ever removed.

use super::accounts::{Account, disconnect, forget, made_after, note, run};
use super::link::{Admits, Ask};
use super::quote::{kept, password, quoted, text};
use crate::{Failure, Lease};
use zeroize::Zeroizing;

/// Whom users of leases are marked as made after: no user is called so.
const NOBODY: &str = "";

/// Makes the user of `lease`.
pub(super) async fn grant(link: &mut dyn Ask, lease: &Lease<'_>) -> Result<(), Failure> {
    let user = kept(lease.user)?;
    password(lease.password)?;
    if Account::find(link, &user).await?.is_some() {
        own(link, lease, &user).await?;
        // What an earlier try has left may not be all of it.
        remove(link, &user).await?;
    }
    let made = make(link, lease, &user).await;
    if matches!(made, Err(Failure::Refused(_) | Failure::Invalid(_)))
        && Account::find(link, &user).await?.is_some()
        && own(link, lease, &user).await.is_ok()
    {
        // Nothing is undone by the server itself: each of these statements stands for itself.
        remove(link, &user).await?;
    }
    made
}

async fn make(link: &mut dyn Ask, lease: &Lease<'_>, user: &str) -> Result<(), Failure> {
    let own =
        ["CREATE USER {{name}} IDENTIFIED BY {{password}}", "GRANT CREATE SESSION TO {{name}}"];
    let own = own.map(str::to_owned);
    let creation = if lease.creation.is_empty() { &own[..] } else { lease.creation };
    for statement in creation {
        run(link, &filled(statement, lease, user)?).await?;
    }
    note(link, user, NOBODY).await
}

/// That `user` was made for a lease: it says so, or, made by half, has this one's password.
async fn own(link: &mut dyn Ask, lease: &Lease<'_>, user: &str) -> Result<(), Failure> {
    if made_after(link, user, NOBODY).await?
        || link.admits(user, lease.password).await? != Admits::No
    {
        return Ok(());
    }
    let told = format!("the user `{user}` exists and was not made for a lease");
    Err(Failure::Refused(told))
}

/// Removes it, and ends what it has open.
pub(super) async fn revoke(link: &mut dyn Ask, lease: &Lease<'_>) -> Result<(), Failure> {
    let user = kept(lease.user)?;
    if Account::find(link, &user).await?.is_some() {
        own(link, lease, &user).await?;
        // Of one that is locked the password says nothing any more.
        note(link, &user, NOBODY).await?;
        // Nobody comes back while connections end.
        run(link, &format!("ALTER USER {} ACCOUNT LOCK", quoted(&user))).await?;
        disconnect(link, &user).await?;
        for statement in lease.revocation {
            run(link, &filled(statement, lease, &user)?).await?;
        }
    }
    remove(link, &user).await
}

async fn remove(link: &mut dyn Ask, user: &str) -> Result<(), Failure> {
    /// There is no such user any more.
    const GONE: usize = 1918;
    disconnect(link, user).await?;
    match link.act(&format!("DROP USER {} CASCADE", quoted(user))).await? {
        Ok(()) | Err((Some(GONE), _)) => forget(link, user, NOBODY).await,
        Err((_, failure)) => Err(failure),
    }
}

/// `statement` with what is said of `lease`. What is filled in isn't looked at again.
fn filled(statement: &str, lease: &Lease<'_>, user: &str) -> Result<Zeroizing<String>, Failure> {
    let password = password(lease.password)?;
    // Room for all that is filled in, so that nothing is copied to a larger one.
    let room = user.len() + password.len() + 2 * lease.expiration.len() + 4;
    let places = statement.matches("{{").count();
    let mut out = Zeroizing::new(String::with_capacity(statement.len() + places * room));
    let mut rest = statement;
    while let Some((before, after)) = rest.split_once("{{") {
        let unknown = || Failure::Invalid("a statement has `{{` without a known name".to_owned());
        let (what, after) = after.split_once("}}").ok_or_else(unknown)?;
        out.push_str(before);
        match what {
            "name" => out.push_str(&quoted(user)),
            "password" => out.push_str(&password),
            "expiration" => out.push_str(&text(lease.expiration)),
            _ => return Err(unknown()),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
