//! How the second of two alternating users is made, and kept like the first: its groups, then what each of the two may
//! do is compared, and the difference granted or revoked. The published function copies rights once.

use super::session::{Open, alter, check};
use super::{OURS, mark};
use crate::Failure;
use crate::postgres::connection::text;
use postgres_protocol::escape::{escape_identifier, escape_literal};
use std::collections::BTreeSet;

/// What can be done to things: the function that tells, the things, their kind, the rights.
const RIGHTS: &[(&str, &str, &str, &[&str])] = &[
    (
        "has_database_privilege",
        "SELECT quote_ident(current_database()) AS thing",
        "DATABASE",
        &["CREATE", "TEMPORARY"],
    ),
    (
        "has_schema_privilege",
        "SELECT quote_ident(nspname) AS thing FROM pg_namespace WHERE nspname NOT LIKE 'pg!_%' ESCAPE '!' \
         AND nspname <> 'information_schema'",
        "SCHEMA",
        &["CREATE", "USAGE"],
    ),
    (
        "has_table_privilege",
        "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS thing FROM pg_tables \
         WHERE schemaname NOT LIKE 'pg!_%' ESCAPE '!' AND schemaname <> 'information_schema' \
         UNION ALL SELECT quote_ident(schemaname) || '.' || quote_ident(viewname) AS thing FROM pg_views \
         WHERE schemaname NOT LIKE 'pg!_%' ESCAPE '!' AND schemaname <> 'information_schema'",
        "TABLE",
        &["SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES"],
    ),
];

/// After this, `user` is like `like`. `verifier` is quoted.
///
/// # Errors
///
/// [`Failure::Refused`] if there is no `like`, or if `user` belongs to somebody else.
pub(super) async fn mirror(
    session: &mut Open,
    like: &str,
    user: &str,
    verifier: &str,
) -> Result<(), Failure> {
    let mark_of_like = mark(like);
    check(&mark_of_like)?;
    if !exists(session, like).await? {
        return Err(Failure::Refused(format!("there is no user `{like}`")));
    }
    let found = exists(session, user).await?;
    if found && groups(session, like).await?.contains(&mark(user)) {
        // The way back: the original is what the alternate is like.
        return session.say(alter(user, verifier)).await;
    }
    let (quoted, group) = (escape_identifier(user), escape_identifier(&mark_of_like));
    if found && !groups(session, user).await?.contains(&mark_of_like) {
        return Err(Failure::Refused(format!(
            "the user `{user}` exists and was not made for `{like}`\n\
             hint: if it may be taken over: CREATE GROUP {group} WITH USER {quoted}"
        )));
    }
    if found {
        session.say(alter(user, verifier)).await?;
    } else {
        session.say(format!("CREATE USER {quoted} PASSWORD {verifier}")).await?;
        join(session, &mark_of_like, user).await?;
    }
    follow(session, like, user).await
}

/// Makes `user` a member of the group `name`, which need not exist.
pub(super) async fn join(session: &mut Open, name: &str, user: &str) -> Result<(), Failure> {
    let (quoted, group) = (escape_identifier(user), escape_identifier(name));
    let asked = format!("SELECT groname FROM pg_group WHERE groname = {}", escape_literal(name));
    if session.connection.run(&asked).await?.is_empty() {
        return session.say(format!("CREATE GROUP {group} WITH USER {quoted}")).await;
    }
    session.say(format!("ALTER GROUP {group} ADD USER {quoted}")).await
}

async fn follow(session: &mut Open, like: &str, user: &str) -> Result<(), Failure> {
    let quoted = escape_identifier(user);
    let (wanted, has) = (groups(session, like).await?, groups(session, user).await?);
    let others = |it: &&String| !it.starts_with(OURS);
    for it in has.difference(&wanted).filter(others) {
        session.say(format!("ALTER GROUP {} DROP USER {quoted}", escape_identifier(it))).await?;
    }
    for it in wanted.difference(&has).filter(others) {
        session.say(format!("ALTER GROUP {} ADD USER {quoted}", escape_identifier(it))).await?;
    }
    let (first, second) = (escape_literal(like), escape_literal(user));
    for (tells, things, kind, rights) in RIGHTS {
        for right in *rights {
            let asked = format!(
                "SELECT thing, {tells}({first}, thing, '{right}') AS wanted FROM ({things}) AS things \
                 WHERE {tells}({first}, thing, '{right}') <> {tells}({second}, thing, '{right}')"
            );
            for row in session.connection.run(&asked).await? {
                let thing = text(&row, "thing");
                session
                    .say(if text(&row, "wanted") == "t" {
                        format!("GRANT {right} ON {kind} {thing} TO {quoted}")
                    } else {
                        format!("REVOKE {right} ON {kind} {thing} FROM {quoted}")
                    })
                    .await?;
            }
        }
    }
    Ok(())
}

/// Whether there is a user called `user`.
pub(super) async fn exists(session: &mut Open, user: &str) -> Result<bool, Failure> {
    let asked = format!("SELECT usename FROM pg_user WHERE usename = {}", escape_literal(user));
    Ok(!session.connection.run(&asked).await?.is_empty())
}

/// The groups that `user` is in.
pub(super) async fn groups(session: &mut Open, user: &str) -> Result<BTreeSet<String>, Failure> {
    let asked = format!(
        "SELECT groname FROM pg_group, pg_user WHERE usesysid = ANY(grolist) AND usename = {}",
        escape_literal(user)
    );
    let rows = session.connection.run(&asked).await?;
    Ok(rows.iter().map(|it| text(it, "groname")).collect())
}
