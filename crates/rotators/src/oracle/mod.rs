//! Oracle Database, by Oracle's own driver in Rust.
//!
//! The driver waits where it stands, believes the public authorities beside those of a wallet, and follows wherever
//! a listener sends it, in clear. So it is given a way that is ours: [`tunnel`] has TLS with those who are believed,
//! ends when its time is over, and goes nowhere else. [`link`] is a login, [`quote`] how names stand in statements,
//! [`accounts`] and [`rights`] what the database keeps of a user; then [`mirror`] for alternating users.
//!
//! No server was ever asked: what is tested are the way, the statements and the reading of errors.

mod accounts;
mod failure;
mod lease;
mod link;
mod mirror;
mod plan;
mod quote;
mod rights;
mod session;
#[cfg(test)]
mod tests;
mod tunnel;

pub(crate) use tunnel::read as read_packets;

use crate::{Credential, Dialect, Failure, Rotator, Session, Trust};
use async_trait::async_trait;
use link::Link;

/// Its servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Oracle;

/// Source: rotation.md §2.4, §2.5, §2.7, §2.10.
static DIALECT: Dialect = Dialect {
    name: "Oracle",
    engines: &[
        "custom-oracle-ee",
        "oracle",
        "oracle-ee",
        "oracle-ee-cdb",
        "oracle-se2",
        "oracle-se2-cdb",
    ],
    port: 1521,
    database: None,
    excluded: r#"/@"'\"#,
    longest_password: 30,
    longest_name: 128,
    suffix: "_CLONE",
    // Only where a profile says so, and then by itself; elsewhere the old password ends with the new one.
    overlaps: false,
    changes_own: true,
};

#[async_trait]
impl Rotator for Oracle {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    /// Each pluggable database has users of its own, and `dbname` says which it is.
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
