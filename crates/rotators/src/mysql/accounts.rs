//! What the server keeps of its users.

use super::link::Link;
use super::quote::{Account, name, text};
use super::rights::{self, Rights};
use super::server::Maker;
use crate::Failure;

/// The account that `user` means.
///
/// # Errors
///
/// [`Failure::Refused`] if there is none, or one for each of several hosts: a secret tells no host.
pub(super) async fn the(link: &mut Link, user: &str) -> Result<Account, Failure> {
    match find(link, user).await? {
        Some(account) => Ok(account),
        None => Err(Failure::Refused(format!("there is no user {}", name(user)))),
    }
}

/// The same; `None` if there is none.
pub(super) async fn find(link: &mut Link, user: &str) -> Result<Option<Account>, Failure> {
    super::quote::usable(user, link.server.longest_name())?;
    let mut found = all(link, user).await?;
    match (found.pop(), found.len()) {
        (last, 0) => Ok(last),
        (_, others) => Err(Failure::Refused(format!(
            "{} are {} accounts, each for other hosts, and a secret can't say which",
            name(user),
            others + 1
        ))),
    }
}

/// All accounts of that name.
pub(super) async fn all(link: &mut Link, user: &str) -> Result<Vec<Account>, Failure> {
    let statement = match link.server.maker {
        Maker::MariaDb => "SELECT User, Host FROM mysql.user WHERE User = ? AND is_role = 'N'",
        Maker::MySql => "SELECT User, Host FROM mysql.user WHERE User = ?",
    };
    let found: Vec<(String, String)> = link.ask(statement, (user,)).await?;
    let found = found.into_iter().map(|(user, host)| Account { user, host });
    // The server's comparison may be wider than ours.
    Ok(found.filter(|it| it.user == user).collect())
}

/// What `account` may do.
pub(super) async fn rights(link: &mut Link, account: &Account) -> Result<Rights, Failure> {
    let lines: Vec<String> = link.ask(&format!("SHOW GRANTS FOR {account}"), ()).await?;
    rights::read(lines.iter().map(String::as_str), account)
        .ok_or_else(|| Failure::Refused(format!("the grants of {account} can't be understood")))
}

/// What `mysql.user` keeps of an account's connections: how they are proven, how many of what there may be.
type Kept = ((String, String, String, String), (i64, i64, i64, i64), Option<String>);

/// What its connections must be and how many it may have, as the end of a `CREATE USER` or `ALTER USER`.
pub(super) async fn conditions(link: &mut Link, account: &Account) -> Result<String, Failure> {
    let (proof, (questions, updates, logins, connections), time) = kept(link, account).await?;
    let mut out = format!(
        " REQUIRE{} WITH MAX_QUERIES_PER_HOUR {questions} MAX_UPDATES_PER_HOUR {updates} \
         MAX_CONNECTIONS_PER_HOUR {logins} MAX_USER_CONNECTIONS {connections}",
        required(&proof)
    );
    // A number, as the server prints it.
    if let Some(time) = time {
        out.push_str(" MAX_STATEMENT_TIME ");
        out.push_str(&time);
    }
    Ok(out)
}

async fn kept(link: &mut Link, account: &Account) -> Result<Kept, Failure> {
    type Row = (String, String, String, String, i64, i64, i64, i64, Option<String>);
    let time = match link.server.maker {
        Maker::MariaDb => "CAST(max_statement_time AS CHAR)",
        Maker::MySql => "NULL",
    };
    let statement = format!(
        "SELECT CONCAT(ssl_type), CONVERT(ssl_cipher USING utf8mb4), CONVERT(x509_issuer USING utf8mb4), \
         CONVERT(x509_subject USING utf8mb4), max_questions, max_updates, max_connections, \
         max_user_connections, {time} FROM mysql.user WHERE User = ? AND Host = ?"
    );
    let found: Vec<Row> = link.ask(&statement, (&account.user, &account.host)).await?;
    let found = found.into_iter().next();
    found
        .map(|it| ((it.0, it.1, it.2, it.3), (it.4, it.5, it.6, it.7), it.8))
        .ok_or_else(|| Failure::Refused(format!("there is no user {account}")))
}

/// How connections are proven, after `REQUIRE`.
fn required((kind, cipher, issuer, subject): &(String, String, String, String)) -> String {
    let specified = [("CIPHER", cipher), ("ISSUER", issuer), ("SUBJECT", subject)];
    match kind.as_str() {
        "" => " NONE".to_owned(),
        "ANY" => " SSL".to_owned(),
        "X509" => " X509".to_owned(),
        _ => {
            let given = specified.into_iter().filter(|it| !it.1.is_empty());
            let given: Vec<_> = given.map(|(what, it)| format!(" {what} {}", *text(it))).collect();
            given.concat()
        }
    }
}

/// The roles that it has without asking, as a list in a statement: `NONE` if there are none.
pub(super) async fn default_roles(link: &mut Link, account: &Account) -> Result<String, Failure> {
    let statement = match link.server.maker {
        Maker::MariaDb => "SELECT default_role, NULL FROM mysql.user WHERE User = ? AND Host = ?",
        Maker::MySql => {
            "SELECT DEFAULT_ROLE_USER, DEFAULT_ROLE_HOST FROM mysql.default_roles \
             WHERE USER = ? AND HOST = ? ORDER BY 1, 2"
        }
    };
    let found: Vec<(String, Option<String>)> =
        link.ask(statement, (&account.user, &account.host)).await?;
    let found = found.iter().filter(|it| !it.0.is_empty());
    let roles: Vec<_> = found.map(|it| rights::role(&it.0, it.1.as_deref())).collect();
    Ok(if roles.is_empty() { "NONE".to_owned() } else { roles.join(", ") })
}

/// By what plugin it logs in, of MySQL.
pub(super) async fn plugin(link: &mut Link, account: &Account) -> Result<String, Failure> {
    let statement = "SELECT plugin FROM mysql.user WHERE User = ? AND Host = ?";
    let found: Vec<String> = link.ask(statement, (&account.user, &account.host)).await?;
    let plugin = found.into_iter().next().unwrap_or_default();
    match plugin.as_str() {
        "caching_sha2_password" | "mysql_native_password" | "sha256_password" => Ok(plugin),
        _ => Err(Failure::Refused(format!("{account} logs in by `{plugin}`, not by a password"))),
    }
}

/// What is noted of it as `name`, of MySQL; `None` if it wasn't made here.
pub(super) async fn attribute(
    link: &mut Link,
    account: &Account,
    name: &str,
) -> Result<Option<String>, Failure> {
    let statement = "SELECT JSON_UNQUOTE(JSON_EXTRACT(ATTRIBUTE, CONCAT('$.strongroom.', ?))) \
                     FROM information_schema.USER_ATTRIBUTES WHERE USER = ? AND HOST = ?";
    let values = (name, &account.user, &account.host);
    let found: Vec<Option<String>> = link.ask(statement, values).await?;
    Ok(found.into_iter().next().flatten())
}
