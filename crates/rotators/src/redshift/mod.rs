//! Redshift: PostgreSQL's wire, and users as PostgreSQL had them before it had roles.
//!
//! It keeps no comments on users, so groups say who made them: see [`mark`]. Everything that is asked of it is in
//! the words that PostgreSQL 8.0 and today's have in common. Source: rotation.md §2.12; Redshift's manual.

mod lease;
mod mirror;
mod session;

use crate::postgres::connection::Connection;
use crate::{Credential, Dialect, Failure, Rotator, Session, Trust};
use async_trait::async_trait;

/// Its clusters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Redshift;

/// Source: rotation.md §2.4, §2.5; Redshift's manual, "CREATE USER".
static DIALECT: Dialect = Dialect {
    name: "Redshift",
    engines: &["redshift"],
    port: 5439,
    database: Some("dev"),
    excluded: r#"/@"'\:"#,
    longest_password: 64,
    longest_name: 127,
    suffix: "_clone",
    overlaps: false,
    changes_own: true,
};

#[async_trait]
impl Rotator for Redshift {
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

/// What all groups of ours are called first.
const OURS: &str = "strongroom ";

/// The group of the users that alternate with `original`: of one, the one that was made here.
fn mark(original: &str) -> String {
    format!("{OURS}alternate of {original}")
}
