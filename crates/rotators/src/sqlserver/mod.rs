//! SQL Server, and Azure SQL: logins of a server, and users that a database itself lets in.
//!
//! [`link`] is a login, [`stream`] the way to it: the driver's own TLS would believe the platform's authorities
//! beside those that are pinned, so TLS is ours and the driver finds a connection that has it already.
//! [`accounts`] is what the server keeps of a user, [`rights`] what a user may; then [`mirror`] for alternating
//! users.
//!
//! Of a login everything is followed: what it may on the server, and in each database where it is a user.
//! Azure SQL shows one database at a time, and changes logins only in `master`.

mod accounts;
mod databases;
mod failure;
mod lease;
mod link;
mod mirror;
mod plan;
mod prelogin;
mod quote;
mod rights;
mod session;
mod stream;

pub(crate) use prelogin::read as read_prelogin;

use crate::{Credential, Dialect, Failure, Rotator, Session, Trust};
use async_trait::async_trait;
use base::Sensitive;
use link::Link;

/// Its servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SqlServer;

/// Source: rotation.md §2.4, §2.5, §2.7, §5.6.
static DIALECT: Dialect = Dialect {
    name: "SQL Server",
    engines: &["sqlserver"],
    port: 1433,
    database: Some("master"),
    excluded: r#"/@"'\"#,
    longest_password: 128,
    longest_name: 128,
    suffix: "_clone",
    overlaps: false,
    changes_own: true,
};

#[async_trait]
impl Rotator for SqlServer {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    /// A user may be one that a database keeps.
    fn realm<'a>(&self, login: &'a Credential) -> Option<&'a str> {
        Some(login.database.as_deref().or(DIALECT.database).unwrap_or_default())
    }

    async fn connect(
        &self,
        login: &Credential,
        trust: &Trust,
    ) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(Link::open(login, trust).await?))
    }
}

/// A password as text.
fn shown(password: &Sensitive) -> Result<&str, Failure> {
    let invalid = |it: &str| Err(Failure::Invalid(format!("the password {it}")));
    match str::from_utf8(password.expose()) {
        Err(_) => invalid("is not text"),
        Ok("") => invalid("is empty"),
        Ok(text) if text.contains('\0') => invalid("holds a NUL"),
        Ok(text) if quote::is_continued(text) => invalid("has a backslash before a line's end"),
        Ok(text) if DIALECT.longest_password < text.encode_utf16().count() => {
            invalid("has more than 128 characters")
        }
        Ok(text) => Ok(text),
    }
}
