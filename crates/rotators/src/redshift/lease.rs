//! Logins that are made for a while, in a group of their own: nothing else is ever removed.

use super::OURS;
use super::mirror::{exists, groups, join};
use super::session::{Act, Open, alter, check, verifier};
use crate::postgres::connection::text;
use crate::postgres::lease::filled;
use crate::{Failure, Lease};
use postgres_protocol::escape::{escape_identifier, escape_literal};

/// What a user owns, and how it is dropped: with what hangs on it, as it may be what others of it are made of.
const OWNED: &[(&str, &str)] = &[
    (
        "quote_ident(schemaname) || '.' || quote_ident(viewname) AS thing FROM pg_views WHERE viewowner =",
        "DROP VIEW IF EXISTS {} CASCADE",
    ),
    (
        "quote_ident(schemaname) || '.' || quote_ident(tablename) AS thing FROM pg_tables WHERE tableowner =",
        "DROP TABLE IF EXISTS {} CASCADE",
    ),
    (
        "quote_ident(nspname) || '.' || quote_ident(proname) || '(' || oidvectortypes(proargtypes) || ')' AS thing \
         FROM pg_proc_info, pg_namespace n, pg_user WHERE n.oid = pronamespace AND usesysid = proowner \
         AND prokind = 'p' AND usename =",
        "DROP PROCEDURE {}",
    ),
    (
        "quote_ident(nspname) || '.' || quote_ident(proname) || '(' || oidvectortypes(proargtypes) || ')' AS thing \
         FROM pg_proc_info, pg_namespace n, pg_user WHERE n.oid = pronamespace AND usesysid = proowner \
         AND prokind <> 'p' AND usename =",
        "DROP FUNCTION {} CASCADE",
    ),
];

/// Makes the login, or finds that it has been made.
pub(super) async fn grant(session: &mut Open, lease: &Lease<'_>) -> Result<(), Failure> {
    check(lease.user)?;
    let verifier = verifier(lease.user, lease.password)?;
    let made = session.perform(&Act::Grant { lease, verifier: &verifier }).await;
    // A statement that people wrote may be quoted by who doesn't understand it.
    made.map_err(|failure| failure.without(verifier.trim_matches('\'')))
}

/// [`Act::Grant`].
pub(super) async fn make(
    session: &mut Open,
    lease: &Lease<'_>,
    verifier: &str,
) -> Result<(), Failure> {
    let user = escape_identifier(lease.user);
    let until = escape_literal(lease.expiration);
    if find(session, lease.user).await? {
        return session.say(alter(lease.user, verifier) + " VALID UNTIL " + &until).await;
    }
    if lease.creation.is_empty() {
        let made = format!("CREATE USER {user} PASSWORD {verifier} VALID UNTIL {until}");
        session.say(made).await?;
    }
    for it in filled(lease.creation, &user, verifier, &until) {
        session.say(it).await?;
    }
    join(session, &group(), lease.user).await
}

/// Removes the login, what it has open, and what it owns here: that is never handed to anybody.
pub(super) async fn revoke(session: &mut Open, lease: &Lease<'_>) -> Result<(), Failure> {
    check(lease.user)?;
    if !find(session, lease.user).await? {
        return Ok(());
    }
    match end(session, lease).await {
        // Somebody else was first with the same.
        Err(Failure::Refused(_)) if !find(session, lease.user).await? => Ok(()),
        other => other,
    }
}

async fn end(session: &mut Open, lease: &Lease<'_>) -> Result<(), Failure> {
    // First nobody comes in, then who is in goes.
    session.perform(&Act::Expire { user: lease.user }).await?;
    disconnect(session, lease.user).await?;
    // What it owns goes also if it itself can't, for what it owns in another database.
    for act in [Act::Clear { lease }, Act::Drop { user: lease.user }] {
        session.perform(&act).await.map_err(|failure| match failure {
            Failure::Refused(told) => Failure::Refused(format!(
                "the user `{}` can't log in any more, but is still there: {told}",
                lease.user
            )),
            other => other,
        })?;
    }
    Ok(())
}

/// [`Act::Clear`].
pub(super) async fn clear(session: &mut Open, lease: &Lease<'_>) -> Result<(), Failure> {
    let user = escape_identifier(lease.user);
    for it in filled(lease.revocation, &user, "''", &escape_literal(lease.expiration)) {
        session.say(it).await?;
    }
    if !exists(session, lease.user).await? {
        return Ok(());
    }
    let name = escape_literal(lease.user);
    for (things, how) in OWNED {
        for row in session.connection.run(&format!("SELECT {things} {name}")).await? {
            session.say(how.replace("{}", &text(&row, "thing"))).await?;
        }
    }
    // What it owns in another database acts with its rights.
    for it in groups(session, lease.user).await?.into_iter().filter(|it| *it != group()) {
        session.say(format!("ALTER GROUP {} DROP USER {user}", escape_identifier(&it))).await?;
    }
    forget(session, &user).await
}

/// [`Act::Drop`]. A schema in which somebody else has something stays, and so does its owner.
pub(super) async fn remove(session: &mut Open, user: &str) -> Result<(), Failure> {
    if !exists(session, user).await? {
        return Ok(());
    }
    let asked = format!(
        "SELECT quote_ident(nspname) AS thing FROM pg_namespace, pg_user \
         WHERE usesysid = nspowner AND usename = {}",
        escape_literal(user)
    );
    for row in session.connection.run(&asked).await? {
        session.say(format!("DROP SCHEMA {}", text(&row, "thing"))).await?;
    }
    session.say(format!("DROP USER {}", escape_identifier(user))).await
}

/// Takes away all that was granted in this database.
async fn forget(session: &mut Open, user: &str) -> Result<(), Failure> {
    let asked = "SELECT quote_ident(nspname) AS thing FROM pg_namespace \
                 WHERE nspname NOT LIKE 'pg!_%' ESCAPE '!' AND nspname <> 'information_schema'";
    for row in session.connection.run(asked).await? {
        let schema = text(&row, "thing");
        session.say(format!("REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {user}")).await?;
        session.say(format!("REVOKE ALL ON SCHEMA {schema} FROM {user}")).await?;
    }
    for row in session.connection.run("SELECT quote_ident(current_database()) AS thing").await? {
        session.say(format!("REVOKE ALL ON DATABASE {} FROM {user}", text(&row, "thing"))).await?;
    }
    Ok(())
}

/// Ends all connections of `user`.
pub(super) async fn disconnect(session: &mut Open, user: &str) -> Result<(), Failure> {
    let asked = format!(
        "SELECT pg_terminate_backend(process) FROM stv_sessions \
         WHERE trim(user_name) = {} AND process <> pg_backend_pid()",
        escape_literal(user)
    );
    session.connection.run(&asked).await.map(drop)
}

/// Whether the lease's user has been made.
async fn find(session: &mut Open, user: &str) -> Result<bool, Failure> {
    let found = exists(session, user).await?;
    if found && !groups(session, user).await?.contains(&group()) {
        let told = format!("the user `{user}` exists and was not made for a lease");
        return Err(Failure::Refused(told));
    }
    Ok(found)
}

fn group() -> String {
    format!("{OURS}leases")
}
