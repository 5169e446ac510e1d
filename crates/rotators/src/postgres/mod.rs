//! PostgreSQL, and Aurora as PostgreSQL.
//!
//! Read [`session`] first, then [`role`] (what the server knows of a user), [`mirror`] (how the second of two
//! alternating users is made) and [`lease`]. [`connection`] is all that Redshift shares.

pub(crate) mod connection;
mod foresee;
pub(crate) mod lease;
mod mirror;
mod role;
mod session;
mod stream;
pub(crate) mod told;

use crate::{Credential, Dialect, Failure, Rotator, Session, Trust};
use async_trait::async_trait;
use connection::Connection;

/// Its servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Postgres;

/// Source: rotation.md §2.4, §2.5, §2.7, §5.6.
static DIALECT: Dialect = Dialect {
    name: "PostgreSQL",
    engines: &["postgres", "aurora-postgresql"],
    port: 5432,
    database: Some("postgres"),
    excluded: r#":/@"'\"#,
    longest_password: 1024,
    longest_name: 63,
    suffix: "_clone",
    overlaps: false,
    changes_own: true,
};

#[async_trait]
impl Rotator for Postgres {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    async fn connect(
        &self,
        login: &Credential,
        trust: &Trust,
    ) -> Result<Box<dyn Session>, Failure> {
        let connection = Connection::open(login, trust, &DIALECT).await?;
        Ok(Box::new(session::Open::begin(connection).await?))
    }
}

/// Refuses what no user's name can be, before anybody hears of it.
pub(crate) fn check_name(name: &str, dialect: &Dialect) -> Result<(), Failure> {
    let longest = dialect.longest_name;
    let told = match name {
        "" => "a user's name is empty".to_owned(),
        _ if name.contains('\0') => "a user's name has a NUL character".to_owned(),
        _ if name.len() > longest => {
            format!("the user's name `{name}` is longer than {longest} bytes")
        }
        _ => return Ok(()),
    };
    Err(Failure::Invalid(told))
}
