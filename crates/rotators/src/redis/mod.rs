//! Redis since 6, and Valkey: users of its access control lists.
//!
//! [`link`] is a login, [`users`] what the server keeps of a user. A password is told as its hash, made here; a
//! user has as many as it likes. A change is one command; [`keeping`] has the server write it down.

mod keeping;
mod link;
mod session;
mod users;

use crate::{Credential, Dialect, Failure, Rotator, Session, Trust};
use async_trait::async_trait;
use link::Link;

/// Redis and Valkey.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Redis;

static DIALECT: Dialect = Dialect {
    name: "Redis",
    engines: &["redis", "valkey"],
    port: 6379,
    database: None,
    excluded: "/@\"'\\",
    longest_password: 512,
    longest_name: 255,
    suffix: "_clone",
    overlaps: true,
    changes_own: false,
};

#[async_trait]
impl Rotator for Redis {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    async fn connect(
        &self,
        login: &Credential,
        trust: &Trust,
    ) -> Result<Box<dyn Session>, Failure> {
        users::usable(&login.username, DIALECT.longest_name)?;
        Ok(Box::new(Link::open(login, trust, DIALECT.port).await?))
    }
}
