//! Why an operation says no, and what the wire says then.

use service::{Fault, Refusal};
use wire::Code;

/// Why an operation said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A member breaks the model's constraints.
    #[error("{0}")]
    Broken(String),
    /// Too many invocations at once.
    #[error("Rate Exceeded.")]
    Busy,
    /// Something with this name is there already, or nothing of this name can be made or changed.
    #[error("{0}")]
    Conflict(String),
    /// The payload is no JSON.
    #[error("Could not parse request body into json")]
    Content,
    /// A policy forbids it, or none permits it.
    #[error("{0}")]
    Denied(String),
    /// The role's rows can't be read.
    #[error(transparent)]
    Identity(#[from] identity::sts::Error),
    /// A parameter has a value that can't be, or one that isn't supported here.
    #[error("{0}")]
    Invalid(String),
    /// Nothing here can run code.
    #[error("This server has no runtime for functions: {0}")]
    NoRuntime(&'static str),
    /// No such function, statement or policy.
    #[error("{0}")]
    NotFound(String),
    /// The policy would become longer than one may be.
    #[error("The final policy size ({0}) is bigger than the limit (20480).")]
    PolicyLength(usize),
    /// Somebody has changed it since.
    #[error(
        "The Revision Id provided does not match the latest Revision Id. Call the {0} API to retrieve the latest \
         Revision Id"
    )]
    Revision(&'static str),
    /// The runtime failed, and not the function.
    #[error("the function couldn't be run: {0}")]
    Runtime(String),
    /// Environment variables can't be sealed or opened.
    #[error(transparent)]
    Sealing(#[from] kms::Error),
    /// The package can't be kept.
    #[error("the package can't be kept")]
    Storage(#[source] std::io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The payload is too long.
    #[error("{0} byte payload is too large for the invocation type (limit {1} bytes)")]
    TooLarge(usize, usize),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Denied(text) => Self::Denied(text),
            Refusal::Invalid(text) => Self::Broken(text),
        }
    }
}

impl Fault for Error {
    fn code(&self) -> Code {
        let modelled = |name, status| Code { status, ..Code::modelled(name) };
        let lower = |name, status| Code { status, ..Code::protocol(name) };
        match self {
            Self::Broken(_) => Code::VALIDATION,
            Self::Busy => lower("TooManyRequestsException", 429),
            Self::Conflict(_) => lower("ResourceConflictException", 409),
            Self::Content => lower("InvalidRequestContentException", 400),
            Self::Denied(_) => Code { status: 403, ..Code::ACCESS_DENIED },
            Self::Invalid(_) => lower("InvalidParameterValueException", 400),
            Self::NotFound(_) => modelled("ResourceNotFoundException", 404),
            Self::PolicyLength(_) => lower("PolicyLengthExceededException", 400),
            Self::Revision(_) => lower("PreconditionFailedException", 412),
            Self::TooLarge(..) => lower("RequestTooLargeException", 413),
            Self::Identity(_)
            | Self::NoRuntime(_)
            | Self::Runtime(_)
            | Self::Sealing(_)
            | Self::Storage(_)
            | Self::Store(_) => modelled("ServiceException", 500),
        }
    }

    fn is_internal(&self) -> bool {
        !matches!(self, Self::NoRuntime(_)) && self.code().status >= 500
    }
}
