//! Every engine that a real server can be had of, against that server.
//!
//! [`suite`] says what all must do, once; a file an engine says how its server is started and asked beside the
//! rotator, and adds what is its own.

#![cfg(any(
    feature = "db2",
    feature = "mysql",
    feature = "mariadb",
    feature = "oracle",
    feature = "postgres",
    feature = "redis",
    feature = "sqlserver",
    feature = "test-mongo"
))]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what can't be asked of a real server fails the test"
)]

extern crate strongroom_rotators as rotators;

#[cfg(feature = "db2")]
mod db2;
/// Its servers can't be had from any Debian: see `peers::Mongo`.
#[cfg(feature = "test-mongo")]
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
#[cfg(feature = "sqlserver")]
mod sqlserver;
mod suite;
