//! MongoDB since 3.6, DocumentDB, and what speaks their language.
//!
//! [`message`] is a message on the wire, [`scram`] how a login proves that both sides know the password, [`link`] a
//! login, [`users`] what the server keeps of a user. Each change is one command, so it is done wholly or not at all.
//! The client is our own, of seven commands, as the maintained driver refuses servers before MongoDB 4.4, and with
//! them most of DocumentDB's.
//!
//! A user belongs to a database: where it was made, and where it logs in. That is what `dbname` says. An
//! administrator's is its own, whatever the database of the user that it changes.

mod failure;
mod lease;
mod link;
mod message;
mod plan;
mod scram;
mod session;
mod stream;
mod users;

use crate::{Credential, Dialect, Failure, Rotator, Session, Trust};
use async_trait::async_trait;
use link::Link;

/// MongoDB and DocumentDB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mongo;

/// Source: rotation.md §2.4, §2.5, §2.13.
static DIALECT: Dialect = Dialect {
    name: "MongoDB",
    engines: &["mongo"],
    port: 27017,
    database: Some("admin"),
    excluded: "/@\"'\\",
    longest_password: 255,
    longest_name: 255,
    suffix: "_clone",
    overlaps: false,
    changes_own: false,
};

#[async_trait]
impl Rotator for Mongo {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn home<'a>(&self, login: &'a Credential) -> Option<&'a str> {
        Some(database(login))
    }

    async fn connect(
        &self,
        login: &Credential,
        trust: &Trust,
    ) -> Result<Box<dyn Session>, Failure> {
        users::usable(&login.username)?;
        users::usable_database(database(login))?;
        Ok(Box::new(Link::open(login, trust).await?))
    }
}

/// Where the user of `login` was made.
fn database(login: &Credential) -> &str {
    login.database.as_deref().or(DIALECT.database).unwrap_or_default()
}

/// Reads `bytes` as all that a server says: a reply, the users in it, an answer of a login. How many roles it names.
pub(crate) fn read(bytes: &[u8]) -> usize {
    scram::read(bytes);
    let Some((header, rest)) = bytes.split_first_chunk() else { return 0 };
    if message::announced(header, 1).is_none_or(|it| it != rest.len()) {
        return 0;
    }
    let Some(reply) = message::document(rest) else { return 0 };
    drop(failure::said(&reply));
    plan::read(&reply) + users::User::first(&reply).map_or(0, |it| it.roles.into_iter().count())
}
