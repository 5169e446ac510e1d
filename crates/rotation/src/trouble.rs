//! Why an attempt failed, and where.

use rotators::Failure;

/// Why an attempt failed, and where.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A function failed in this step. The text is its own, without secrets.
    #[error("{1}")]
    Function(&'static str, String),
    /// A client has written, cancelled or deleted meanwhile: there is nothing to do any more.
    #[error("the rotation has gone")]
    Gone,
    /// None of the passwords that are known is the server's.
    #[error("{1}")]
    Lost(&'static str, String),
    /// A secret's value can't be read or kept.
    #[error("the secret's value can't be read or kept")]
    Secret(&'static str, #[source] secrets::Error),
    /// A server failed in this step.
    #[error("{1}")]
    Server(&'static str, Failure),
    /// The same after the server had taken the new password; it has the one before again.
    #[error(transparent)]
    Undone(Box<Trouble>),
}

impl Trouble {
    /// The step that it happened in, as functions call them.
    pub fn step(&self) -> &'static str {
        match self {
            Self::Gone => "",
            Self::Function(step, _)
            | Self::Lost(step, _)
            | Self::Secret(step, _)
            | Self::Server(step, _) => step,
            Self::Undone(trouble) => trouble.step(),
        }
    }

    /// Whether the server couldn't be asked.
    pub(crate) fn is_unreachable(&self) -> bool {
        match self {
            Self::Server(_, Failure::Unreachable(_)) => true,
            Self::Undone(trouble) => trouble.is_unreachable(),
            _ => false,
        }
    }

    /// Whether the server has the password before again.
    pub(crate) fn is_undone(&self) -> bool {
        matches!(self, Self::Undone(_))
    }

    /// Whether a further attempt would only knock at a door that is shut.
    pub(crate) fn needs_operator(&self) -> bool {
        matches!(self, Self::Lost(..))
    }
}

/// Puts failures of the server into a step.
pub(crate) trait During<T> {
    fn during(self, step: &'static str) -> Result<T, Trouble>;
}

impl<T> During<T> for Result<T, Failure> {
    fn during(self, step: &'static str) -> Result<T, Trouble> {
        self.map_err(|failure| Trouble::Server(step, failure))
    }
}

impl<T> During<T> for Result<T, secrets::Error> {
    fn during(self, step: &'static str) -> Result<T, Trouble> {
        self.map_err(|error| Trouble::Secret(step, error))
    }
}

impl<T> During<T> for Result<Result<T, secrets::rotation::work::Gone>, secrets::Error> {
    fn during(self, step: &'static str) -> Result<T, Trouble> {
        match self {
            Ok(done) => done.map_err(|_| Trouble::Gone),
            Err(error) => Err(Trouble::Secret(step, error)),
        }
    }
}
