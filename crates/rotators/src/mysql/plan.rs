//! What a change would do and need.

use super::link::Link;
use super::mirror::{Pair, differences, pair};
use super::rights::{Rights, between, everywhere};
use super::server::Maker;
use super::{accounts, rights};
use crate::{Failure, Finding};

pub(super) async fn foresee(
    link: &mut Link,
    user: Option<&str>,
    like: Option<&str>,
) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    match (user, like) {
        (None, _) => own(link, &mut findings),
        (Some(user), None) => {
            administers(link, &mut findings).await?;
            other(link, user, &mut findings).await?;
        }
        (Some(user), Some(like)) => {
            administers(link, &mut findings).await?;
            alternate(link, like, user, &mut findings).await?;
        }
    }
    Ok(findings)
}

/// What a user is asked to do for itself.
fn own(link: &Link, findings: &mut Vec<Finding>) {
    if link.account.user.is_empty() {
        let told = "the login is one of an anonymous user, which has no password of its own";
        let hint = "make a user of that name for the host that Strongroom comes from";
        return findings.push(Finding::Missing(told.to_owned(), hint.to_owned()));
    }
    findings.push(Finding::Fine(format!("{} may change its own password", link.account)));
    findings.push(Finding::Statement(match link.server.maker {
        Maker::MariaDb => "SET PASSWORD = '<password>'".to_owned(),
        Maker::MySql => "ALTER USER USER() IDENTIFIED BY '<password>'".to_owned(),
    }));
}

/// Whether who is logged in may change others.
async fn administers(link: &mut Link, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    let rights = active(link).await?;
    let who = link.account.to_string();
    findings.push(if everywhere(&rights, "CREATE USER") {
        Finding::Fine(format!("{who} may change users"))
    } else {
        let told = format!("{who} may not change users");
        Finding::Missing(told, format!("GRANT CREATE USER ON *.* TO {who}"))
    });
    let readable = link.ask::<u8>("SELECT 1 FROM mysql.user LIMIT 1", ()).await;
    findings.push(match readable {
        Err(failure @ Failure::Unreachable(_)) => return Err(failure),
        Err(_) => {
            let told = format!("{who} can't read which hosts a user is for");
            Finding::Missing(told, format!("GRANT SELECT ON mysql.* TO {who}"))
        }
        Ok(_) => Finding::Fine(format!("{who} can read the server's users")),
    });
    Ok(())
}

/// The rights of who is logged in, those of its active roles among them.
async fn active(link: &mut Link) -> Result<Rights, Failure> {
    let roles: Vec<Option<String>> = match link.server.version {
        version if link.server.maker == Maker::MySql && (8, 0, 0) <= version => {
            link.ask("SELECT CURRENT_ROLE()", ()).await?
        }
        _ => Vec::new(),
    };
    let statement = match roles.into_iter().flatten().find(|it| it != "NONE") {
        Some(roles) => format!("SHOW GRANTS FOR CURRENT_USER() USING {roles}"),
        None => "SHOW GRANTS".to_owned(),
    };
    let lines: Vec<String> = link.ask(&statement, ()).await?;
    let account = link.account.clone();
    Ok(rights::read(lines.iter().map(String::as_str), &account).unwrap_or_default())
}

/// What an administrator is asked to do for `user`.
async fn other(link: &mut Link, user: &str, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    let account = match accounts::the(link, user).await {
        Ok(account) => account,
        Err(failure) => return missing(failure, "look at the secret's `username`", findings),
    };
    findings.push(if link.server.overlaps() {
        Finding::Fine(format!("{account} can have an old and a new password at once"))
    } else {
        Finding::Fine(format!("{account} has one password at a time, on a server of this version"))
    });
    findings.push(Finding::Statement(match (link.server.maker, link.server.overlaps()) {
        (Maker::MariaDb, true) => {
            let way = "mysql_native_password USING '<password>'";
            format!("ALTER USER {account} IDENTIFIED VIA {way} OR {way}")
        }
        (Maker::MariaDb, false) => format!("SET PASSWORD FOR {account} = '<password>'"),
        (Maker::MySql, true) => {
            format!("ALTER USER {account} IDENTIFIED BY '<password>' RETAIN CURRENT PASSWORD")
        }
        (Maker::MySql, false) => format!("ALTER USER {account} IDENTIFIED BY '<password>'"),
    }));
    Ok(())
}

/// What an administrator is asked to do so that `user` is what `like` is.
async fn alternate(
    link: &mut Link,
    like: &str,
    user: &str,
    findings: &mut Vec<Finding>,
) -> Result<(), Failure> {
    let pair = match pair(link, like, user).await {
        Ok(pair) => pair,
        Err(failure) => {
            return missing(
                failure,
                "give the alternating user another name, or remove it",
                findings,
            );
        }
    };
    let statements = steps(link, &pair).await?;
    findings.extend(statements.into_iter().map(Finding::Statement));
    Ok(())
}

async fn steps(link: &mut Link, pair: &Pair) -> Result<Vec<String>, Failure> {
    let Pair { like, user, .. } = pair;
    let last = format!("ALTER USER {user} IDENTIFIED BY '<password>'");
    if !pair.made {
        return Ok(vec![last]);
    }
    let conditions = accounts::conditions(link, like).await?;
    let (mut steps, more) = if pair.new {
        let wanted = accounts::rights(link, like).await?;
        let head = format!("CREATE USER {user} IDENTIFIED BY '<password>'{conditions}");
        (vec![head], between(&Rights::new(), &wanted, user))
    } else {
        let more = differences(link, like, user).await?;
        (vec![format!("ALTER USER {user}{conditions}")], more)
    };
    steps.extend(more);
    steps.push(last);
    Ok(steps)
}

/// What a change would be refused for is a finding; what couldn't be asked isn't.
fn missing(failure: Failure, hint: &str, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    match failure {
        Failure::Refused(told) | Failure::Invalid(told) => {
            findings.push(Finding::Missing(told, hint.to_owned()));
            Ok(())
        }
        failure => Err(failure),
    }
}
