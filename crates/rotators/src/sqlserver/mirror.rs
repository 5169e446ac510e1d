//! A user that may do what another may.

use super::accounts::{Account, kind, sid};
use super::databases::{self, User};
use super::link::Link;
use super::quote::{name, secret, text, usable};
use super::rights::{Rights, Scope, between};
use super::shown;
use crate::Failure;
use crate::marker::hexadecimal;
use aws_lc_rs::digest::{SHA256, digest};
use base::Sensitive;
use zeroize::Zeroizing;

/// Who owns a database has this name there, and all rights.
const OWNER: &str = "dbo";

/// How often the two are compared again: what is said of a table undoes what was said of its columns.
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

/// A place, and the statements that are due there.
pub(super) struct Due {
    /// The database to enter.
    pub(super) database: String,
    pub(super) statements: Vec<String>,
}

/// Finds both, and that one was made after the other.
pub(super) async fn pair(link: &mut Link, like: &str, user: &str) -> Result<Pair, Failure> {
    usable(user)?;
    let like = Account::the(link, like).await?;
    like.refuse_elsewhere(link)?;
    let Some(found) = Account::find(link, user).await? else {
        let sid = sid(like.contained, user, &like.name);
        let user = Account { name: user.to_owned(), sid, ..like.clone() };
        return Ok(Pair { like, user, new: true, made: true });
    };
    let made = found.made_after(&like.name);
    if found.contained == like.contained && (made || like.made_after(&found.name)) {
        return Ok(Pair { like, user: found, new: false, made });
    }
    let told = format!("{} exists and wasn't made after {}", name(user), name(&like.name));
    Err(Failure::Refused(format!("{told}: it is somebody else's, and keeps its password")))
}

/// Makes `user`, or makes it be what `like` is.
///
/// On the way back `user` is what `like` was made after, so its rights are left alone: people grant and revoke by
/// that name, also while the other is in use.
pub(super) async fn mirror(
    link: &mut Link,
    like: &str,
    user: &str,
    password: &Sensitive,
) -> Result<(), Failure> {
    shown(password)?;
    let mut pair = pair(link, like, user).await?;
    if pair.made {
        if pair.new {
            let nobodys = nobodys(password);
            link.run_secret(&create(&pair.user, &nobodys)).await?;
        }
        let home = link.home.clone();
        let aligned = align(link, &mut pair).await;
        link.enter(&home).await?;
        aligned?;
    }
    // Last, so that who can log in with it has all rights.
    pair.user.admit(link, password).await
}

/// What makes `user`.
fn create(user: &Account, password: &str) -> Zeroizing<String> {
    let head = format!("CREATE {} {} WITH PASSWORD = ", user.kind(), name(&user.name));
    secret(&[&head, &text(password), ", SID = ", &user.sid, &user.settings])
}

/// A password that nobody is ever told, until all rights are there: who may do half must not log in. It follows
/// from the one that comes after it, so that nobody else can make it, and has a character of each kind.
fn nobodys(password: &Sensitive) -> Zeroizing<String> {
    let made = [b"strongroom: not yet ", password.expose()].concat();
    let digest = digest(&SHA256, &Zeroizing::new(made));
    Zeroizing::new(format!("Aa1!{}", hexadecimal(digest.as_ref())))
}

/// Gives and takes until `user` is what `like` is.
async fn align(link: &mut Link, pair: &mut Pair) -> Result<(), Failure> {
    let home = link.home.clone();
    let mut last = String::new();
    for _ in 0..=ROUNDS {
        let due = differences(link, pair).await?;
        let Some(statement) = due.first().and_then(|it| it.statements.last()) else {
            return Ok(());
        };
        last.clone_from(statement);
        for Due { database, statements } in due {
            link.enter(&database).await?;
            for statement in statements {
                link.run(&statement).await?;
            }
        }
        link.enter(&home).await?;
        pair.user = Account::the(link, &pair.user.name).await?;
    }
    Err(Failure::Refused(format!("the server took a statement without effect: {last}")))
}

/// The statements after which `user` has what `like` has, where there are any.
pub(super) async fn differences(link: &mut Link, pair: &Pair) -> Result<Vec<Due>, Failure> {
    let home = link.home.clone();
    if pair.like.contained {
        let mut statements = settings(pair);
        statements.extend(rights(link, Scope::Database, &pair.like.name, &pair.user.name).await?);
        return Ok(due(home, statements).into_iter().collect());
    }
    let mut all = Vec::new();
    if !link.narrow {
        // What is of the server can be said only there.
        let master = "master".to_owned();
        link.enter(&master).await?;
        let mut statements = settings(pair);
        statements.extend(rights(link, Scope::Server, &pair.like.name, &pair.user.name).await?);
        all.extend(due(master, statements));
    }
    for database in databases::all(link).await? {
        let like = databases::user(link, &database, &pair.like.sid).await?;
        let user = databases::user(link, &database, &pair.user.sid).await?;
        if like.is_some() || user.is_some() {
            link.enter(&database).await?;
            let statements = in_database(link, pair, like.as_ref(), user.as_ref()).await?;
            all.extend(due(database, statements));
        }
    }
    link.enter(&home).await?;
    Ok(all)
}

fn due(database: String, statements: Vec<String>) -> Option<Due> {
    (!statements.is_empty()).then_some(Due { database, statements })
}

/// What else is kept of the two, if it differs.
fn settings(pair: &Pair) -> Vec<String> {
    let (like, user) = (&pair.like, &pair.user);
    let differs = !pair.new && like.settings != user.settings;
    let settings = like.settings.strip_prefix(", ").filter(|_| differs);
    let head = format!("ALTER {} {} WITH ", kind(like.contained), name(&user.name));
    settings.map(|it| head + it).into_iter().collect()
}

async fn rights(
    link: &mut Link,
    scope: Scope,
    like: &str,
    user: &str,
) -> Result<Vec<String>, Failure> {
    let wanted = Rights::of(link, scope, like).await?;
    let had = Rights::of(link, scope, user).await?;
    Ok(between(&had, &wanted, user, scope))
}

/// What is due in the database that was entered.
async fn in_database(
    link: &mut Link,
    pair: &Pair,
    like: Option<&User>,
    user: Option<&User>,
) -> Result<Vec<String>, Failure> {
    let Some(like) = like else {
        return Ok(user.map(|it| format!("DROP USER {}", name(&it.name))).into_iter().collect());
    };
    let mut statements = Vec::new();
    let known = user.map_or(pair.user.name.as_str(), |it| it.name.as_str());
    match user {
        None if databases::has(link, known).await? => {
            let told = format!("a database has a user {} that is somebody else's", name(known));
            return Err(Failure::Refused(told));
        }
        None => {
            let schema = like.schema().filter(|_| like.name != OWNER);
            let schema = schema.map(|it| format!(" WITH {it}")).unwrap_or_default();
            let (user, login) = (name(known), name(&pair.user.name));
            statements.push(format!("CREATE USER {user} FOR LOGIN {login}{schema}"));
        }
        Some(user) if like.name != OWNER && like.schema != user.schema => {
            let schema = like.schema().unwrap_or_else(|| "DEFAULT_SCHEMA = NULL".to_owned());
            statements.push(format!("ALTER USER {} WITH {schema}", name(known)));
        }
        Some(_) => {}
    }
    let wanted = if like.name == OWNER {
        Rights { roles: ["db_owner".to_owned()].into(), ..Rights::default() }
    } else {
        Rights::of(link, Scope::Database, &like.name).await?
    };
    let mut had = Rights::of(link, Scope::Database, known).await?;
    // Whoever owns the database may connect without being told so.
    if like.name == OWNER {
        had.permissions.clear();
    }
    // Being let in comes with being made.
    let had = if user.is_some() { had } else { Rights { permissions: connects(&wanted), ..had } };
    statements.extend(between(&had, &wanted, known, Scope::Database));
    Ok(statements)
}

/// That one of `rights` which a new user has by itself.
fn connects(
    rights: &Rights,
) -> std::collections::BTreeMap<super::rights::Permission, super::rights::State> {
    let found = rights.permissions.iter().filter(|it| it.0.what == "CONNECT" && it.0.on.is_empty());
    found.map(|(it, state)| (it.clone(), *state)).collect()
}
