//! What a change would do and need.

use super::accounts::{Account, kind};
use super::link::Link;
use super::mirror::{Due, Pair, differences, pair};
use super::quote::name;
use crate::{Failure, Finding};

pub(super) async fn foresee(
    link: &mut Link,
    user: Option<&str>,
    like: Option<&str>,
) -> Result<Vec<Finding>, Failure> {
    let kind_of_server = if link.narrow { "Azure SQL" } else { "SQL Server" };
    let mut found = vec![Finding::Fine(format!("it is {kind_of_server} {}", link.version))];
    match (user, like) {
        (None, _) => own(link, &mut found),
        (Some(user), None) => match Account::the(link, user).await {
            Ok(account) => other(link, &account, &mut found).await?,
            Err(failure) => missing(failure, "look at the secret's `username`", &mut found)?,
        },
        (Some(user), Some(like)) => match pair(link, like, user).await {
            Ok(pair) => alternate(link, &pair, &mut found).await?,
            Err(failure) => {
                let hint = "give the alternating user another name, or remove it";
                missing(failure, hint, &mut found)?;
            }
        },
    }
    Ok(found)
}

/// What a user is asked to do for itself.
fn own(link: &Link, found: &mut Vec<Finding>) {
    let (me, kind) = (name(&link.me), kind(link.contained));
    found.push(Finding::Fine(format!("{me} may change its own password, saying the old one")));
    let passwords = "PASSWORD = N'<password>' OLD_PASSWORD = N'<password>'";
    found.push(Finding::Statement(format!("ALTER {kind} {me} WITH {passwords}")));
}

/// What an administrator is asked to do for `account`.
async fn other(
    link: &mut Link,
    account: &Account,
    found: &mut Vec<Finding>,
) -> Result<(), Failure> {
    found.push(administers(link, account.contained).await?);
    if let Err(failure) = account.refuse_elsewhere(link) {
        missing(failure, "say \"dbname\": \"master\" in the secret", found)?;
    }
    found.push(change(account));
    Ok(())
}

fn change(account: &Account) -> Finding {
    let (kind, user) = (account.kind(), name(&account.name));
    Finding::Statement(format!("ALTER {kind} {user} WITH PASSWORD = N'<password>'"))
}

/// Whether who is logged in may change others.
async fn administers(link: &mut Link, contained: bool) -> Result<Finding, Failure> {
    let (me, kind) = (name(&link.me), kind(contained));
    let on = if contained { "DB_NAME(), N'DATABASE'" } else { "NULL, NULL" };
    let asked =
        format!("SELECT CONVERT(nvarchar(9), HAS_PERMS_BY_NAME({on}, N'ALTER ANY {kind}'))");
    let may = link.ask_one(&asked).await?;
    if may.as_deref() == Some("1") {
        return Ok(Finding::Fine(format!("{me} may change others' passwords")));
    }
    let hint = format!("GRANT ALTER ANY {kind} TO {me}");
    Ok(Finding::Missing(format!("{me} may not change others' passwords"), hint))
}

/// What an administrator is asked to do so that one is what the other is.
async fn alternate(link: &mut Link, pair: &Pair, found: &mut Vec<Finding>) -> Result<(), Failure> {
    found.push(administers(link, pair.like.contained).await?);
    if pair.made {
        if pair.new {
            let (kind, user) = (pair.user.kind(), name(&pair.user.name));
            let head = format!("CREATE {kind} {user} WITH PASSWORD = N'<password>'");
            let sid = &pair.user.sid;
            let settings = &pair.user.settings;
            found.push(Finding::Statement(format!("{head}, SID = {sid}{settings}")));
        }
        match differences(link, pair).await {
            Ok(due) => given(link, due, found).await?,
            Err(failure) => missing(failure, "take that right away from both users", found)?,
        }
    }
    found.push(change(&pair.user));
    Ok(())
}

/// The statements that are due where rights are, and whether they may be given there.
async fn given(link: &mut Link, due: Vec<Due>, found: &mut Vec<Finding>) -> Result<(), Failure> {
    let home = link.home.clone();
    for Due { database, statements } in due {
        link.enter(&database).await?;
        let asked =
            "SELECT CONVERT(nvarchar(9), HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'CONTROL'))";
        if link.ask_one(asked).await?.as_deref() != Some("1") {
            let me = name(&link.me);
            let told = format!("{me} may not give rights in the database {}", name(&database));
            let hint = format!("make it a member of `db_owner` in {}", name(&database));
            found.push(Finding::Missing(told, hint));
        }
        let place = format!("USE {}", name(&database));
        found.extend((database != home).then_some(Finding::Statement(place)));
        found.extend(statements.into_iter().map(Finding::Statement));
    }
    link.enter(&home).await
}

/// What a change would be refused for is a finding; what couldn't be asked isn't.
fn missing(failure: Failure, hint: &str, found: &mut Vec<Finding>) -> Result<(), Failure> {
    match failure {
        Failure::Refused(told) | Failure::Invalid(told) => {
            found.push(Finding::Missing(told, hint.to_owned()));
            Ok(())
        }
        failure => Err(failure),
    }
}
