//! What a change would do and need.

use super::mirror;
use super::role::Role;
use super::session::Open;
use crate::{Failure, Finding};
use postgres_protocol::escape::escape_identifier;
use postgres_protocol::escape::escape_literal;

/// Stands for a password.
const PASSWORD: &str = "<password>";

/// Source: PostgreSQL's manual, "ALTER ROLE", "CREATE ROLE" and "GRANT", each for the versions until 15 and since 16.
pub(super) async fn foresee(
    session: &mut Open,
    user: Option<&str>,
    like: Option<&str>,
) -> Result<Vec<Finding>, Failure> {
    let mut found = vec![Finding::Fine(format!("it is PostgreSQL {}", session.version))];
    if session.standby {
        let hint = "name the primary as `host`";
        found.push(missing("the server is a standby, which changes nothing", hint));
    }
    match (user, like) {
        (Some(user), Some(like)) => found.extend(of_mirror(session, user, like).await?),
        (Some(user), None) => found.extend(of_change(session, user).await?),
        (None, _) => {
            let me = session.me.clone();
            found.push(Finding::Fine(format!("`{me}` may change its own password")));
            found.push(change(&me));
        }
    }
    Ok(found)
}

async fn of_change(session: &mut Open, user: &str) -> Result<Vec<Finding>, Failure> {
    session.check(user).await?;
    let Some(role) = Role::find(&mut session.connection, user).await? else {
        return Ok(vec![missing(&format!("there is no user `{user}`"), "make it")]);
    };
    let mut found = vec![administers(session, &role).await?];
    found.extend(shut_out(&role));
    found.push(change(user));
    Ok(found)
}

async fn of_mirror(session: &mut Open, user: &str, like: &str) -> Result<Vec<Finding>, Failure> {
    let (like, role) = match session.pair(like, user).await {
        Err(Failure::Refused(told)) => return Ok(vec![missing(&told, "make it")]),
        other => other?,
    };
    let plan = match mirror::plan(&like, user, role.as_ref(), PASSWORD) {
        Err(Failure::Refused(told)) => {
            let (fact, hint) = told.split_once("\nhint: ").unwrap_or((&told, "name another user"));
            return Ok(vec![missing(fact, hint)]);
        }
        other => other?,
    };
    let mut found = vec![match &role {
        Some(role) => administers(session, role).await?,
        None => creates(session),
    }];
    let back = like.comment == mirror::mark(user);
    // On the way back the original stays as it is; otherwise the alternate becomes as the original is.
    found.extend(if back { role.as_ref().and_then(shut_out) } else { shut_out(&like) });
    if !back && 160_000 <= session.number {
        found.push(hands_on(session, &like.name).await?);
    }
    found.extend(plan.into_iter().map(Finding::Statement));
    Ok(found)
}

/// A role that no password lets in.
fn shut_out(role: &Role) -> Option<Finding> {
    let hint = format!("ALTER ROLE {} LOGIN VALID UNTIL 'infinity'", escape_identifier(&role.name));
    let fact = format!("`{}` may not log in, or its password has expired", role.name);
    (!role.logs_in).then(|| missing(&fact, &hint))
}

/// Whether the administrator may make roles.
fn creates(session: &Open) -> Finding {
    let me = &session.me;
    if session.superuser || session.makes_roles {
        return Finding::Fine(format!("`{me}` may make users"));
    }
    let hint = format!("ALTER ROLE {} CREATEROLE", escape_identifier(me));
    missing(&format!("`{me}` may not make users"), &hint)
}

/// Whether the administrator may change the password of `role`.
async fn administers(session: &mut Open, role: &Role) -> Result<Finding, Failure> {
    let (me, user) = (session.me.clone(), role.name.clone());
    let fact = format!("`{me}` may not change the password of `{user}`");
    if session.superuser || me == user {
        return Ok(Finding::Fine(format!("`{me}` may change the password of `{user}`")));
    }
    if !session.makes_roles {
        let hint = format!("ALTER ROLE {} CREATEROLE", escape_identifier(&me));
        return Ok(missing(&fact, &hint));
    }
    let guarded = session.number < 160_000 && role.has("rolreplication");
    if role.has("rolsuper") || guarded {
        return Ok(missing(&fact, "only a superuser may: name one as administrator"));
    }
    if 160_000 <= session.number && !has_admin_option(session, &user).await? {
        return Ok(missing(&fact, &admin_option(&user, &me)));
    }
    Ok(Finding::Fine(format!("`{me}` may change the password of `{user}`")))
}

/// Whether the administrator may make others members of `like`.
async fn hands_on(session: &mut Open, like: &str) -> Result<Finding, Failure> {
    let me = session.me.clone();
    if session.superuser || has_admin_option(session, like).await? {
        return Ok(Finding::Fine(format!("`{me}` may make others members of `{like}`")));
    }
    let fact = format!("`{me}` may not make others members of `{like}`");
    Ok(missing(&fact, &admin_option(like, &me)))
}

async fn has_admin_option(session: &mut Open, role: &str) -> Result<bool, Failure> {
    let role = escape_literal(role);
    let asked = format!("SELECT pg_has_role({role}, 'MEMBER WITH ADMIN OPTION') AS has");
    let rows = session.connection.run(&asked).await?;
    Ok(rows.first().is_some_and(|it| super::connection::text(it, "has") == "t"))
}

fn admin_option(role: &str, me: &str) -> String {
    let (role, me) = (escape_identifier(role), escape_identifier(me));
    format!("GRANT {role} TO {me} WITH ADMIN OPTION")
}

fn change(user: &str) -> Finding {
    Finding::Statement(format!("ALTER ROLE {} PASSWORD {PASSWORD}", escape_identifier(user)))
}

fn missing(fact: &str, hint: &str) -> Finding {
    Finding::Missing(fact.to_owned(), hint.to_owned())
}
