//! MySQL, and what MariaDB shares with it.
//!
//! [`link`] is a login, [`quote`] how names and texts stand in statements, [`server`] which server it is: what
//! differs is chosen by what the server says it is, not by what the secret says. Then [`passwords`], and
//! [`mirror`] with [`rights`] for alternating users.
//!
//! Which account a name means is asked of the server, with the hosts it is for: a name of several accounts is
//! refused, as a secret names no host.

mod accounts;
mod failure;
mod lease;
mod link;
mod mirror;
mod passwords;
mod plan;
mod quote;
mod rights;
#[cfg(feature = "mysql")]
mod rotator;
mod server;
mod session;

pub(crate) use link::Link;
pub(crate) use quote::Account;
#[cfg(feature = "mysql")]
pub(crate) use rotator::MySql;

use crate::{Dialect, Failure};
use base::Sensitive;
use zeroize::Zeroizing;

pub(crate) const DIALECT: Dialect = Dialect {
    name: "MySQL",
    engines: &["mysql", "aurora-mysql"],
    port: 3306,
    database: None,
    excluded: "/@\"'\\",
    longest_password: 255,
    longest_name: 32,
    suffix: "_clone",
    overlaps: true,
    changes_own: true,
};

/// How many statements it takes to give a user the rights in `text`, which `SHOW GRANTS` might have said.
pub(crate) fn read(text: &str) -> usize {
    let account = Account { user: "a".to_owned(), host: "%".to_owned() };
    let read = rights::read(text.lines(), &account);
    read.map_or(0, |it| rights::between(&rights::Rights::new(), &it, &account).len())
}

/// A statement that is wiped. The room is taken at once, so that nothing is copied to a larger one.
pub(crate) fn secret(parts: &[&str]) -> Zeroizing<String> {
    Zeroizing::new(parts.concat())
}

/// A password as text.
pub(crate) fn shown(password: &Sensitive) -> Result<&str, Failure> {
    let unusable = || Failure::Invalid("the password is not text, or holds a NUL".to_owned());
    let text = str::from_utf8(password.expose()).map_err(|_| unusable())?;
    if text.is_empty() || text.contains('\0') { Err(unusable()) } else { Ok(text) }
}
