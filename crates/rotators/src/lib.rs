//! What changes passwords in real servers: a folder for each engine, behind one trait.
//!
//! Read [`Rotator`] and [`Session`] first (what an engine must be able to do), then [`Credential`] (what a
//! secret's JSON says). Nothing here knows the store, versions or labels: the engine of `rotation` decides
//! what is done when, and has made a new password durable before a session here hears of it.
//!
//! Invariants:
//!
//! - Each act may be repeated: the second time it finds what the first has done.
//! - Only [`Failure::Denied`] says that a password is wrong. What couldn't be asked is no answer.
//! - No password stands in a statement where the protocol offers another way, in a [`Failure`], or in a log.

mod credential;
#[cfg(feature = "db2")]
mod db2;
mod failure;
#[cfg(any(feature = "mysql", feature = "mariadb"))]
mod mariadb;
#[cfg(any(
    feature = "mysql",
    feature = "mariadb",
    feature = "mongo",
    feature = "oracle",
    feature = "redis",
    feature = "sqlserver"
))]
mod marker;
#[cfg(feature = "mongo")]
mod mongo;
#[cfg(any(feature = "mysql", feature = "mariadb"))]
mod mysql;
#[cfg(feature = "oracle")]
mod oracle;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redshift")]
mod redshift;
pub mod roles;
mod rotator;
#[cfg(feature = "sqlserver")]
mod sqlserver;
#[cfg(any(feature = "db2", feature = "redis"))]
mod stream;
#[cfg(any(
    feature = "db2",
    feature = "mysql",
    feature = "mariadb",
    feature = "mongo",
    feature = "oracle",
    feature = "postgres",
    feature = "redis",
    feature = "sqlserver"
))]
#[cfg_attr(
    not(any(
        feature = "db2",
        feature = "mongo",
        feature = "oracle",
        feature = "postgres",
        feature = "redis",
        feature = "sqlserver"
    )),
    expect(dead_code, reason = "the driver of MySQL has its own connections")
)]
mod transport;
mod trust;

pub use credential::Credential;
pub use failure::Failure;
pub use rotator::{Dialect, Finding, Lease, Protection, Rotator, Session};
pub use trust::{Roots, Trust};

/// Reads `text` as what a server of MySQL or MariaDB answers about a user's rights and ways in: how many statements
/// it takes to give another what is understood. For those who want to see anything read.
#[cfg(any(feature = "mysql", feature = "mariadb"))]
pub fn read_grants(text: &str) -> usize {
    mysql::read(text) + usize::from(mariadb::understands(text))
}

/// Reads `bytes` as what a server of Db2 answers: how many rows there are. For those who want to see anything read.
#[cfg(feature = "db2")]
pub fn read_drda(bytes: &[u8]) -> usize {
    db2::read(bytes)
}

/// Reads `bytes` as what a server of MongoDB answers: how many rights and roles are understood. For those who want to
/// see anything read.
#[cfg(feature = "mongo")]
pub fn read_mongo_reply(bytes: &[u8]) -> usize {
    mongo::read(bytes)
}

/// Reads `bytes` as what a listener of Oracle says before it accepts: how much of it a driver hears, and whether it
/// is that it is accepted. For those who want to see anything read.
#[cfg(feature = "oracle")]
pub fn read_packets(bytes: &[u8]) -> Option<(usize, bool)> {
    oracle::read_packets(bytes)
}

/// Reads `content` as what a server of SQL Server says first: its word on encryption. For those who want to see
/// anything read.
#[cfg(feature = "sqlserver")]
pub fn read_prelogin(content: &[u8]) -> Option<u8> {
    sqlserver::read_prelogin(content)
}

/// Every engine that was built in.
pub fn all() -> &'static [&'static dyn Rotator] {
    &[
        #[cfg(feature = "db2")]
        &db2::Db2,
        #[cfg(feature = "mariadb")]
        &mariadb::MariaDb,
        #[cfg(feature = "mongo")]
        &mongo::Mongo,
        #[cfg(feature = "mysql")]
        &mysql::MySql,
        #[cfg(feature = "oracle")]
        &oracle::Oracle,
        #[cfg(feature = "postgres")]
        &postgres::Postgres,
        #[cfg(feature = "redis")]
        &redis::Redis,
        #[cfg(feature = "redshift")]
        &redshift::Redshift,
        #[cfg(feature = "sqlserver")]
        &sqlserver::SqlServer,
    ]
}

/// The engine that a secret's `engine` means.
pub fn of_engine(engine: &str) -> Option<&'static dyn Rotator> {
    all().iter().copied().find(|it| it.dialect().engines.contains(&engine))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_word_means_one_engine() {
        let words: Vec<_> = all().iter().flat_map(|it| it.dialect().engines).collect();
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
        for word in words {
            let found = of_engine(word).map(Rotator::dialect);
            assert!(found.is_some_and(|it| it.engines.contains(word)), "{word}");
        }
        assert!(of_engine("Postgres").is_none() && of_engine("").is_none());
    }

    #[test]
    fn generated_passwords_and_names_fit() {
        for it in all().iter().map(|it| it.dialect()) {
            assert!(it.suffix.len() < it.longest_name && 8 <= it.longest_password, "{it:?}");
            assert!(it.excluded.chars().all(|it| it.is_ascii_punctuation()), "{it:?}");
        }
    }
}
