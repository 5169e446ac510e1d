//! Db2, as RDS offers it: users are the operating system's, so that nobody changes a password but procedures of the
//! database `rdsadmin`, called by an administrator.
//!
//! No kept driver speaks its wire, so [`link`] does as much of it as is needed here: a login, statements with texts
//! for parameters, rows of texts. [`ddm`] and [`reply`] are its bytes, [`session`] what is asked, [`alternate`] how
//! the second of two alternating users is made. Source: rotation.md §2.12; RDS's manual, "Stored procedures for
//! granting and revoking privileges for RDS for Db2".

mod alternate;
mod bytes;
mod ddm;
mod ebcdic;
mod failure;
mod link;
mod reply;
mod session;

use crate::{Credential, Dialect, Failure, Rotator, Session, Trust};
use async_trait::async_trait;
pub(crate) use reply::read;

/// RDS for Db2.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Db2;

/// Source: rotation.md §2.4, §2.5.
static DIALECT: Dialect = Dialect {
    name: "Db2",
    engines: &["db2", "db2-se", "db2-ae"],
    port: 50_000,
    database: None,
    excluded: "/@\"'\\;",
    longest_password: 64,
    longest_name: 32,
    suffix: "_clone",
    overlaps: false,
    changes_own: false,
};

/// The database whose procedures change users.
const RDSADMIN: &str = "rdsadmin";

#[async_trait]
impl Rotator for Db2 {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    async fn connect(
        &self,
        login: &Credential,
        trust: &Trust,
    ) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(session::Open::begin(login, trust).await?))
    }
}

/// Refuses names that can't be: they stand in statements, where Db2 takes them in capitals.
fn check_name(user: &str) -> Result<(), Failure> {
    let usual =
        |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '#' | '$' | '@' | '-' | '.');
    let fits = user.len() <= DIALECT.longest_name && user.chars().all(usual);
    if fits && user.starts_with(|it: char| it.is_ascii_alphabetic()) {
        return Ok(());
    }
    let told = format!("`{}` can't be the name of a user of Db2", user.escape_default());
    Err(Failure::Invalid(told))
}
