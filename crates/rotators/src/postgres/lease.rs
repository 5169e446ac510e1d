//! Logins that are made for a while.
//!
//! A comment tells them from users that people made: nothing else is ever removed.

use super::role::Role;
use super::session::Open;
use super::told::exists;
use crate::{Failure, Lease};
use postgres_protocol::escape::{escape_identifier, escape_literal};

/// What is written on a role that was made here for a while.
const MARK: &str = "strongroom lease";

/// Makes the login, or finds that it has been made.
pub(super) async fn grant(session: &mut Open, lease: &Lease<'_>) -> Result<(), Failure> {
    let verifier = session.verifier(lease.user, lease.password)?;
    session.check(lease.user).await?;
    let user = escape_identifier(lease.user);
    let until = escape_literal(lease.expiration);
    loop {
        let found = find(session, lease.user).await?.is_some();
        let mut plan = Vec::new();
        if found {
            plan.push(format!("ALTER ROLE {user} LOGIN PASSWORD {verifier} VALID UNTIL {until}"));
        } else if lease.creation.is_empty() {
            plan.push(format!("CREATE ROLE {user} LOGIN PASSWORD {verifier} VALID UNTIL {until}"));
        } else {
            plan.extend(as_written(filled(lease.creation, &user, &verifier, &until)));
        }
        plan.push(format!("COMMENT ON ROLE {user} IS '{MARK}'"));
        match session.connection.run_as_one(&plan).await {
            // Somebody else was first with the same: what was made is found now.
            Err(failure) if !found && made_meanwhile(session, lease, &failure).await? => (),
            // A statement that people wrote may be quoted by who doesn't understand it.
            other => return other.map_err(|it| it.without(verifier.trim_matches('\''))),
        }
    }
}

/// Whether `failure` is for a login of this lease that wasn't there before.
async fn made_meanwhile(
    session: &mut Open,
    lease: &Lease<'_>,
    failure: &Failure,
) -> Result<bool, Failure> {
    Ok(exists(failure) && find(session, lease.user).await?.is_some())
}

/// Removes the login, what it has open, and what it owns here.
///
/// What it made is never handed to anybody: a view or a `SECURITY DEFINER` function does what its owner may.
pub(super) async fn revoke(session: &mut Open, lease: &Lease<'_>) -> Result<(), Failure> {
    session.check(lease.user).await?;
    if find(session, lease.user).await?.is_none() {
        return Ok(());
    }
    match remove(session, lease).await {
        // Somebody else was first with the same.
        Err(Failure::Refused(_)) if find(session, lease.user).await?.is_none() => Ok(()),
        other => other,
    }
}

async fn remove(session: &mut Open, lease: &Lease<'_>) -> Result<(), Failure> {
    let user = escape_identifier(lease.user);
    // First nobody comes in, then who is in goes.
    session.connection.run_as_one(&[format!("ALTER ROLE {user} NOLOGIN")]).await?;
    if !session.superuser {
        // To end its connections, and to drop what it owns.
        session.connection.run_as_one(&[format!("GRANT {user} TO CURRENT_USER")]).await?;
    }
    disconnect(session, lease.user).await?;
    let (nothing, until) = ("''".to_owned(), escape_literal(lease.expiration));
    let own = as_written(filled(lease.revocation, &user, &nothing, &until));
    session.connection.run_as_one(&own).await?;
    if find(session, lease.user).await?.is_none() {
        return Ok(());
    }
    match drop_all(session, &user).await {
        Err(Failure::Refused(told)) => Err(left(session, lease.user, &told).await),
        other => other,
    }
}

/// What it owns goes also if it itself can't, for what it owns in another database.
async fn drop_all(session: &mut Open, user: &str) -> Result<(), Failure> {
    for statement in [format!("DROP OWNED BY {user}"), format!("DROP ROLE {user}")] {
        session.connection.run_as_one(&[statement]).await?;
    }
    Ok(())
}

/// What is said of who stays. It is a member of nothing any more, as what it owns elsewhere acts with its rights.
async fn left(session: &mut Open, user: &str, told: &str) -> Failure {
    let quoted = escape_identifier(user);
    if let Ok(Some(role)) = find(session, user).await {
        for group in role.member_of {
            let statement = format!("REVOKE {} FROM {quoted}", escape_identifier(&group));
            // What this administrator may not take is left to whoever reads of the failure.
            let _ = session.connection.run_as_one(&[statement]).await;
        }
    }
    Failure::Refused(format!(
        "the user `{user}` can't log in any more, but is still there: {told}\n\
         hint: drop what is left, in each database that is named: DROP OWNED BY {quoted}"
    ))
}

/// Ends all connections of `user`; where the server can tell, they have ended when this returns.
pub(super) async fn disconnect(session: &mut Open, user: &str) -> Result<(), Failure> {
    let patience = if 140_000 <= session.number { ", 3000" } else { "" };
    let asked = format!(
        "SELECT pg_terminate_backend(pid{patience}) FROM pg_stat_activity \
         WHERE usename = {} AND pid <> pg_backend_pid()",
        escape_literal(user)
    );
    session.connection.run(&asked).await.map(drop)
}

/// The role of a lease.
async fn find(session: &mut Open, user: &str) -> Result<Option<Role>, Failure> {
    let found = Role::find(&mut session.connection, user).await?;
    if found.as_ref().is_some_and(|it| it.comment != MARK) {
        let told = format!("the user `{user}` exists and was not made for a lease");
        return Err(Failure::Refused(told));
    }
    Ok(found)
}

/// Statements that people wrote mean what they mean to the administrator.
fn as_written(statements: impl Iterator<Item = String>) -> Vec<String> {
    let [before, after] =
        ["DEFAULT", "pg_catalog"].map(|it| format!("SET LOCAL search_path TO {it}"));
    [before].into_iter().chain(statements).chain([after]).collect()
}

/// `statements` with what stands for something replaced by it; what is put in is not looked at again.
pub(crate) fn filled<'a>(
    statements: &'a [String],
    user: &'a str,
    password: &'a str,
    until: &'a str,
) -> impl Iterator<Item = String> + 'a {
    let known = [("{{name}}", user), ("{{password}}", password), ("{{expiration}}", until)];
    statements.iter().map(move |statement| {
        let (mut out, mut rest) = (String::new(), statement.as_str());
        while let Some(at) = rest.find("{{") {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let one = known.iter().find(|it| from.starts_with(it.0)).unwrap_or(&("{{", "{{"));
            out.push_str(one.1);
            rest = from.strip_prefix(one.0).unwrap_or_default();
        }
        out + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        let statements = [
            "CREATE ROLE {{name}} PASSWORD {{password}} VALID UNTIL {{expiration}}".to_owned(),
            "{{other}} {{{{name}}}}".to_owned(),
        ];
        let filled: Vec<_> = filled(&statements, "\"{{password}}\"", "'p'", "'t'").collect();
        assert_eq!(
            filled,
            [
                "CREATE ROLE \"{{password}}\" PASSWORD 'p' VALID UNTIL 't'",
                "{{other}} {{\"{{password}}\"}}"
            ]
        );
    }
}
