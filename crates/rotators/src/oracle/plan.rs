//! What a change would do and need.

use super::accounts::{Account, marker};
use super::link::{Ask, Link};
use super::mirror::{Pair, differences, pair};
use super::quote::{kept, quoted};
use super::rights::owned;
use crate::{Failure, Finding};

pub(super) async fn foresee(
    link: &mut Link,
    user: Option<&str>,
    like: Option<&str>,
) -> Result<Vec<Finding>, Failure> {
    let me = link.me.clone();
    let mut found = Vec::new();
    let (Some(user), like) = (user, like) else {
        let me = quoted(&me);
        found.push(Finding::Fine(format!("{me} may change its own password, saying the old one")));
        let change = format!("ALTER USER {me} IDENTIFIED BY \"<password>\" REPLACE \"<password>\"");
        found.push(Finding::Statement(change));
        return Ok(found);
    };
    let user = kept(user)?;
    let privileges: &[&str] = match like {
        None => &["ALTER USER"],
        Some(_) => &[
            "ALTER USER",
            "CREATE ROLE",
            "CREATE USER",
            "GRANT ANY OBJECT PRIVILEGE",
            "GRANT ANY PRIVILEGE",
            "GRANT ANY ROLE",
        ],
    };
    for privilege in privileges {
        found.push(has(link, &me, privilege).await?);
    }
    let planned = match like {
        None => change(link, &user, &mut found).await,
        Some(like) => match pair(link, &kept(like)?, &user).await {
            Ok(pair) => alternate(link, &pair, &mut found).await,
            Err(failure) => Err(failure),
        },
    };
    match planned {
        Err(Failure::Refused(told) | Failure::Invalid(told)) => {
            let hint = "look at the secret's `username`, and let the administrator `SELECT ANY DICTIONARY`";
            found.push(Finding::Missing(told, hint.to_owned()));
        }
        other => other?,
    }
    Ok(found)
}

/// Whether the session has a privilege, by whatever way.
async fn has(link: &mut dyn Ask, me: &str, privilege: &str) -> Result<Finding, Failure> {
    let asked = "SELECT privilege FROM session_privs WHERE privilege = :1";
    if link.ask(asked, &[privilege]).await?.is_empty() {
        let me = quoted(me);
        let hint = format!("GRANT {privilege} TO {me}");
        return Ok(Finding::Missing(format!("{me} has no right to {privilege}"), hint));
    }
    Ok(Finding::Fine(format!("{} has the right to {privilege}", quoted(me))))
}

/// What an administrator is asked to do for `user`.
async fn change(link: &mut dyn Ask, user: &str, found: &mut Vec<Finding>) -> Result<(), Failure> {
    let account = Account::the(link, user).await?;
    found.push(Finding::Fine(if account.overlaps(link).await? {
        format!("{} can have an old and a new password at once, as its profile says", quoted(user))
    } else {
        format!("{} has one password at a time, as its profile says", quoted(user))
    }));
    found.push(altered(user));
    Ok(())
}

fn altered(user: &str) -> Finding {
    Finding::Statement(format!("ALTER USER {} IDENTIFIED BY \"<password>\"", quoted(user)))
}

/// What an administrator is asked to do so that one is what the other is.
async fn alternate(
    link: &mut dyn Ask,
    pair: &Pair,
    found: &mut Vec<Finding>,
) -> Result<(), Failure> {
    let (like, user) = (&pair.like.name, &pair.user.name);
    if let Some(count) = owned(link, like).await? {
        let told = format!(
            "{} owns {count} objects, of which another user has nothing by that",
            quoted(like)
        );
        let hint = format!(
            "grant {} what it needs of them by roles, or let another schema own them",
            quoted(like)
        );
        found.push(Finding::Missing(told, hint));
    }
    if pair.new {
        let (role, user) = (quoted(&marker(user, like)), quoted(user));
        let made = format!("CREATE USER {user} IDENTIFIED BY \"<password>\"{}", pair.user.settings);
        let all = [made, format!("CREATE ROLE {role}"), format!("GRANT {role} TO {user}")];
        found.extend(all.map(Finding::Statement));
    }
    if pair.made {
        found.extend(differences(link, pair).await?.into_iter().map(Finding::Statement));
    }
    found.push(altered(user));
    Ok(())
}
