//! What an engine must be able to do.

use crate::{Credential, Failure, Trust};
use async_trait::async_trait;
use base::Sensitive;
use std::fmt;

/// What is the same for all servers of one engine.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// As people write it: `PostgreSQL`.
    pub name: &'static str,
    /// The values of a secret's `engine` key that mean it.
    pub engines: &'static [&'static str],
    /// Where it listens unless the secret says otherwise.
    pub port: u16,
    /// The database that a login opens unless the secret says otherwise.
    pub database: Option<&'static str>,
    /// Characters that no generated password has.
    pub excluded: &'static str,
    /// How long a generated password is at most, in characters.
    pub longest_password: usize,
    /// How long a user's name is at most, in bytes.
    pub longest_name: usize,
    /// What the second of two alternating users' names ends in.
    pub suffix: &'static str,
    /// Whether a user can have an old and a new password at once, if an administrator changes it.
    pub overlaps: bool,
    /// Whether a user without further rights can change its own password.
    pub changes_own: bool,
}

/// An engine. Source: rotation.md §5.1.
#[async_trait]
pub trait Rotator: Send + Sync + fmt::Debug {
    /// What is the same for all its servers.
    fn dialect(&self) -> &'static Dialect;

    /// The database that the user of `login` belongs to, where two users of one name can be in two databases.
    fn home<'a>(&self, _login: &'a Credential) -> Option<&'a str> {
        None
    }

    /// The database that tells two users of one name apart, where it may: what was agreed to for one is not for the
    /// other, and one's older passwords aren't the other's.
    fn realm<'a>(&self, login: &'a Credential) -> Option<&'a str> {
        self.home(login)
    }

    /// Whether `one` and `other` are the same user of the same server.
    fn is_same(&self, one: &Credential, other: &Credential) -> bool {
        one.same_target(other) && self.realm(one) == self.realm(other)
    }

    /// Logs in; the open session may outlive the password that opened it.
    async fn connect(&self, login: &Credential, trust: &Trust)
    -> Result<Box<dyn Session>, Failure>;
}

/// A login that has succeeded.
#[async_trait]
pub trait Session: Send {
    /// How the connection is protected.
    fn protection(&self) -> Protection;

    /// Reads something that every user may read: the proof that an application could.
    async fn test(&mut self) -> Result<(), Failure>;

    /// Gives the user that is logged in the password `to`, in place of `from`, which it has now.
    async fn change_own(&mut self, from: &Sensitive, to: &Sensitive) -> Result<(), Failure>;

    /// As an administrator: `user` has the password `to` from now on, and `keep` as well if the engine can.
    /// Any other that it had is dropped.
    async fn change(
        &mut self,
        user: &str,
        to: &Sensitive,
        keep: Option<&Sensitive>,
    ) -> Result<(), Failure>;

    /// As an administrator: `user` exists, may do what `like` may and nothing else, and has `password`.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] if `user` exists and was not made by this method: it is somebody else's.
    async fn mirror(&mut self, like: &str, user: &str, password: &Sensitive)
    -> Result<(), Failure>;

    /// What a change would do and need, asked of the server without changing anything: whether the rights
    /// suffice for [`Session::change_own`] (`user` is `None`), [`Session::change`] or, with `like`,
    /// [`Session::mirror`], and which statements would run, passwords left out.
    async fn foresee(
        &mut self,
        user: Option<&str>,
        like: Option<&str>,
    ) -> Result<Vec<Finding>, Failure>;

    /// As an administrator: makes the login of `lease`, or finds that it has been made.
    async fn grant(&mut self, lease: &Lease<'_>) -> Result<(), Failure>;

    /// As an administrator: ends what `lease` has open, and removes its login, whatever is left of it.
    async fn revoke(&mut self, lease: &Lease<'_>) -> Result<(), Failure>;

    /// As an administrator: ends all connections of `user`.
    async fn disconnect(&mut self, user: &str) -> Result<(), Failure>;

    /// Says goodbye.
    async fn close(self: Box<Self>);
}

/// How a connection is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    Plain,
    /// By TLS of this version, with a certificate that is believed: `TLSv1.3`.
    Tls(String),
}

/// One thing that a plan says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// This is as it should be.
    Fine(String),
    /// A change would fail for this: the fact, and what to do.
    Missing(String, String),
    /// This statement would run; where a password would stand it says `<password>`.
    Statement(String),
}

/// A login that is made for a while.
#[derive(Clone, Copy)]
pub struct Lease<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The user's password.
    pub password: &'a Sensitive,
    /// What makes it, `{{name}}`, `{{password}}` and `{{expiration}}` standing for what they say, each already
    /// quoted as the engine quotes; empty for the engine's own way.
    pub creation: &'a [String],
    /// What removes it; empty for the engine's own way.
    pub revocation: &'a [String],
    /// When it ends: `2026-11-21 18:00:00+00`.
    pub expiration: &'a str,
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Lease").field("user", &self.user).finish_non_exhaustive()
    }
}
