//! Where a login is a user.

use super::link::Link;
use super::quote::{name, text};
use crate::Failure;

/// A user of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) schema: Option<String>,
}

/// Every database whose users can be seen and changed from here.
pub(super) async fn all(link: &mut Link) -> Result<Vec<String>, Failure> {
    if link.narrow {
        return Ok(vec![link.home.clone()]);
    }
    let asked = "SELECT name FROM sys.databases WHERE state = 0 AND is_read_only = 0 \
                 AND name <> N'tempdb' AND HAS_DBACCESS(name) = 1 ORDER BY name";
    let rows = link.ask(asked).await?;
    Ok(rows.into_iter().flatten().flatten().collect())
}

/// Who the login with the number `sid` is in `database`.
pub(super) async fn user(
    link: &mut Link,
    database: &str,
    sid: &str,
) -> Result<Option<User>, Failure> {
    let from = if link.narrow { String::new() } else { format!("{}.", name(database)) };
    // `sid` is digits, as the server said them.
    let asked = format!(
        "SELECT name, default_schema_name FROM {from}sys.database_principals WHERE sid = {sid}"
    );
    let Some([Some(name), schema]) = link.ask_row(&asked).await? else {
        return Ok(None);
    };
    Ok(Some(User { name, schema }))
}

/// Whether the database that was entered has somebody called `user`.
pub(super) async fn has(link: &mut Link, user: &str) -> Result<bool, Failure> {
    let asked = format!("SELECT name FROM sys.database_principals WHERE name = {}", *text(user));
    Ok(link.ask_one(&asked).await?.is_some())
}

impl User {
    /// What is kept of it, after `WITH`.
    pub(super) fn schema(&self) -> Option<String> {
        // Who owns a database is called so there, and has no schema of its own to choose.
        let schema = self.schema.as_deref()?;
        Some(format!("DEFAULT_SCHEMA = {}", name(schema)))
    }
}
