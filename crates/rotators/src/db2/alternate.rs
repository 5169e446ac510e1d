//! How the second of two alternating users is made, and kept like the first: what each of the two may do with the
//! database is compared, and the difference granted or revoked. The published function copies rights once.
//!
//! The operating system keeps no remark on users, so a table of the administrator's says who was made here. Its row
//! is there before the user is: a crash between the two leaves a name that nobody has.

use super::check_name;
use super::session::{CHANGE, Open};
use crate::{Failure, Finding};
use base::Sensitive;
use std::collections::BTreeSet;

/// What may be done with a database: the column of `SYSCAT.DBAUTH`, and what `GRANT` calls it.
///
/// Source: rotation.md §2.12; Db2's manual, "SYSCAT.DBAUTH" and "GRANT (database authorities)".
const AUTHORITIES: &[(&str, &str)] = &[
    ("ACCESSCTRLAUTH", "ACCESSCTRL"),
    ("BINDADDAUTH", "BINDADD"),
    ("CONNECTAUTH", "CONNECT"),
    ("CREATESECUREAUTH", "CREATE_SECURE_OBJECT"),
    ("CREATETABAUTH", "CREATETAB"),
    ("DATAACCESSAUTH", "DATAACCESS"),
    ("DBADMAUTH", DBADM),
    ("EXPLAINAUTH", "EXPLAIN"),
    ("EXTERNALROUTINEAUTH", "CREATE_EXTERNAL_ROUTINE"),
    ("IMPLSCHEMAAUTH", "IMPLICIT_SCHEMA"),
    ("LOADAUTH", "LOAD"),
    ("NOFENCEAUTH", "CREATE_NOT_FENCED_ROUTINE"),
    ("QUIESCECONNECTAUTH", "QUIESCE_CONNECT"),
    ("SECURITYADMAUTH", "SECADM"),
    ("SQLADMAUTH", "SQLADM"),
    ("WLMADMAUTH", "WLMADM"),
];

/// Granted alone, it would bring two others with it.
const DBADM: &str = "DBADM";

/// Who was made here: in the schema of the administrator, where nobody else writes.
const MARKS: &str = "STRONGROOM_USERS";

/// What makes a user. It needs a group; the published function names this one.
const ADD: &str = "CALL rdsadmin.add_user(?, ?, 'group')";

/// One thing to be done.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// The user is made.
    Add,
    /// The user gets its password.
    Change,
    /// This is noted, by a statement in the secret's own database.
    Note(String),
    /// This right is given or taken, there too.
    Right(String),
}

impl Step {
    fn shown(&self, user: &str) -> String {
        match self {
            Self::Add => format!("CALL rdsadmin.add_user('{user}', <password>, 'group')"),
            Self::Change => format!("CALL rdsadmin.change_password('{user}', <password>)"),
            Self::Note(statement) | Self::Right(statement) => statement.clone(),
        }
    }
}

/// After this, `user` is like `like`.
///
/// # Errors
///
/// [`Failure::Refused`] if there is no `like`, or if `user` belongs to somebody else.
pub(super) async fn mirror(
    session: &mut Open,
    like: &str,
    user: &str,
    password: &Sensitive,
) -> Result<(), Failure> {
    let mut refused = None;
    for step in plan(session, like, user).await? {
        match step {
            Step::Add => {
                if marked(session, like, user).await? != Some(true) {
                    let told =
                        || Failure::Refused(format!("`{MARKS}` doesn't keep what it is told"));
                    return Err(refused.unwrap_or_else(told));
                }
                let made = session.set(ADD, user, password).await;
                if let Err(Failure::Refused(_)) = made
                    && session.exists(user).await?
                {
                    // Another actor of the same rotation was first.
                    session.set(CHANGE, user, password).await?;
                } else {
                    made?;
                }
            }
            Step::Change => session.set(CHANGE, user, password).await?,
            // As above; whether it is noted is looked at before the user is made.
            Step::Note(it) => refused = session.own.run(&it, &[]).await.err().or(refused),
            Step::Right(it) => drop(session.own.run(&it, &[]).await?),
        }
    }
    Ok(())
}

/// What [`mirror`] would do, in order.
async fn plan(session: &mut Open, like: &str, user: &str) -> Result<Vec<Step>, Failure> {
    check_name(like)?;
    check_name(user)?;
    if !session.exists(like).await? {
        return Err(Failure::Refused(format!("there is no user `{like}`")));
    }
    let found = session.exists(user).await?;
    if found && marked(session, user, like).await? == Some(true) {
        // The way back: the original is what the alternate is like.
        return Ok(vec![Step::Change]);
    }
    let mark = marked(session, like, user).await?;
    if found && mark != Some(true) {
        return Err(Failure::Refused(format!(
            "the user `{user}` exists and was not made for `{like}`\n\
             hint: if it may be taken over: {}",
            note(like, user)
        )));
    }
    let mut steps = Vec::new();
    if mark.is_none() {
        let columns = "NAME VARCHAR(128) NOT NULL PRIMARY KEY, MADE_AFTER VARCHAR(128) NOT NULL";
        steps.push(Step::Note(format!("CREATE TABLE {MARKS} ({columns})")));
    }
    if mark != Some(true) {
        steps.push(Step::Note(note(like, user)));
    }
    if !found {
        steps.push(Step::Add);
    }
    steps.extend(rights(session, like, user).await?);
    if found {
        steps.push(Step::Change);
    }
    Ok(steps)
}

/// Notes that `user` was made to be what `like` is.
fn note(like: &str, user: &str) -> String {
    let (user, like) = (user.to_ascii_uppercase(), like.to_ascii_uppercase());
    format!("INSERT INTO {MARKS} (NAME, MADE_AFTER) VALUES ('{user}', '{like}')")
}

/// Whether `user` was made to be what `like` is; `None` if nothing was noted ever.
async fn marked(session: &mut Open, like: &str, user: &str) -> Result<Option<bool>, Failure> {
    let name = user.to_ascii_uppercase();
    let asked = format!("SELECT MADE_AFTER FROM {MARKS} WHERE NAME = '{name}'");
    match session.own.query(&asked).await {
        Ok(rows) => {
            let found = rows.into_iter().flatten().flatten().next();
            Ok(Some(found.is_some_and(|it| it.eq_ignore_ascii_case(like))))
        }
        Err(Failure::Refused(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What gives `user` the rights of `like`, and takes all others.
async fn rights(session: &mut Open, like: &str, user: &str) -> Result<Vec<Step>, Failure> {
    let wanted = authorities(session, like).await?;
    let has = authorities(session, user).await?;
    let name = user.to_ascii_uppercase();
    let given = wanted.difference(&has).map(|it| {
        let alone = if *it == DBADM { " WITHOUT DATAACCESS WITHOUT ACCESSCTRL" } else { "" };
        format!("GRANT {it}{alone} ON DATABASE TO USER \"{name}\"")
    });
    let taken = has.difference(&wanted);
    let taken = taken.map(|it| format!("REVOKE {it} ON DATABASE FROM USER \"{name}\""));
    Ok(given.chain(taken).map(Step::Right).collect())
}

/// What was granted to `user`, by anyone.
async fn authorities(session: &mut Open, user: &str) -> Result<BTreeSet<&'static str>, Failure> {
    let columns: Vec<_> = AUTHORITIES.iter().map(|it| it.0).collect();
    let (columns, name) = (columns.join(", "), user.to_ascii_uppercase());
    let asked = format!(
        "SELECT {columns} FROM SYSCAT.DBAUTH WHERE GRANTEE = '{name}' AND GRANTEETYPE = 'U'"
    );
    let rows = session.own.query(&asked).await?;
    let yes = |it: &Option<String>| it.as_deref() == Some("Y");
    let granted = rows.iter().flat_map(|row| row.iter().zip(AUTHORITIES).filter(|it| yes(it.0)));
    Ok(granted.map(|it| it.1.1).collect())
}

/// What a change would do and lack.
pub(super) async fn foresee(
    session: &mut Open,
    user: Option<&str>,
    like: Option<&str>,
) -> Result<Vec<Finding>, Failure> {
    let Some(user) = user else {
        return Ok(vec![Finding::Missing(
            "a user of RDS for Db2 can't change its password".to_owned(),
            "name an administrator's secret in `masterarn`".to_owned(),
        )]);
    };
    check_name(user)?;
    let planned = match like {
        Some(like) => plan(session, like, user).await,
        None => session.exists(user).await.and_then(|found| {
            let none = || Failure::Refused(format!("there is no user `{user}`"));
            found.then(|| vec![Step::Change]).ok_or_else(none)
        }),
    };
    match planned {
        Ok(steps) => {
            let fine = "the procedures of `rdsadmin` answer".to_owned();
            let statements = steps.iter().map(|it| Finding::Statement(it.shown(user)));
            Ok([Finding::Fine(fine)].into_iter().chain(statements).collect())
        }
        Err(Failure::Refused(told) | Failure::Denied(told)) => {
            let usual = "log in as the administrator of the instance";
            let (fact, hint) = told.split_once("\nhint: ").unwrap_or((&told, usual));
            Ok(vec![Finding::Missing(fact.to_owned(), hint.to_owned())])
        }
        Err(failure) => Err(failure),
    }
}
