//! What the engine asks of others.

use async_trait::async_trait;
use base::Sensitive;
use rotators::Rotator;
use secrets::rotation::work::Assignment;

/// How a user's password is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Two users take turns; the one in use is never touched.
    AlternatingUsers,
    /// As the secret says: alternating if it names an administrator.
    BySecret,
    /// One user gets another password.
    SingleUser,
}

/// A function that the engine carries out itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Native {
    /// The engine's name as the dialect has it, `PostgreSQL`; `None`: as the secret says.
    pub engine: Option<&'static str>,
    /// How.
    pub strategy: Strategy,
}

/// The functions that can be named in RotateSecret.
#[async_trait]
pub trait Functions: Send + Sync {
    /// What the function `arn` is, if the engine carries it out itself.
    fn native(&self, arn: &str) -> Option<Native>;

    /// Has the function of `of` take `event`, and waits for the end. `hidden` must not stand in what it writes.
    ///
    /// # Errors
    ///
    /// What went wrong, without a secret.
    async fn invoke(
        &self,
        of: &Assignment,
        event: Vec<u8>,
        hidden: &dyn Hidden,
    ) -> Result<(), String>;
}

/// What a function must not print.
#[async_trait]
pub trait Hidden: Send + Sync {
    /// The texts there are by now: a step may have made one. `None` if nobody can tell.
    async fn texts(&self) -> Option<Vec<Sensitive>>;
}

/// The engines that passwords can be changed in.
pub trait Registry: Send + Sync {
    /// The rotator for a secret whose `engine` is `name`.
    fn of_engine(&self, name: &str) -> Option<&dyn Rotator>;
}
