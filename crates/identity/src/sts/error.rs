//! Why an operation of STS says no, and what the wire says then.

use crate::session::IssueError;
use oidc::Rejection;
use policy::engine::Malformed;
use service::{Fault, Refusal};
use wire::Code;

/// Why an operation of STS said no.
///
/// The texts are the service's own: clients match on them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A code that the device doesn't show, or that was used before.
    #[error("MultiFactorAuthentication failed with invalid MFA one time pass code.")]
    Code,
    /// A policy forbids it, none permits it, or the caller's credentials are of a kind that may not.
    #[error("{0}")]
    Denied(String),
    /// The session policy is no policy.
    #[error("{0}")]
    Document(#[from] Malformed),
    /// What is stored can't be read.
    #[error(transparent)]
    Failed(#[from] crate::Error),
    /// A member breaks the model's constraints, or a rule that the model doesn't know.
    #[error("{0}")]
    Invalid(String),
    /// No authorization message, or none of the caller's account.
    #[error("Message is not valid.")]
    Message,
    /// Policies and tags take so many percent of the room there is for them.
    #[error("Packed policy consumes {0}% of allotted space, please use smaller policy.")]
    PackedTooLarge(usize),
    /// Tags that can't be handed over.
    #[error("{0}")]
    Parameter(&'static str),
    /// A managed policy that can't be handed over: there is none of that ARN.
    #[error("Policy {0} does not exist or is not attachable.")]
    PolicyUnknown(String),
    /// The account of the role knows no such issuer.
    #[error("No OpenIDConnect provider found in your account for {0}")]
    ProviderUnknown(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A token that lets nobody in.
    #[error(transparent)]
    Token(#[from] Rejection),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Denied(text) => Self::Denied(text),
            Refusal::Invalid(text) => Self::Invalid(text),
        }
    }
}

impl From<IssueError> for Error {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Failed(error) => Self::Failed(error),
            IssueError::TooLarge(percent) => Self::PackedTooLarge(percent),
        }
    }
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::Code | Self::Denied(_) => Code::query("AccessDenied", 403),
            Self::Document(_) | Self::PolicyUnknown(_) => {
                Code::query("MalformedPolicyDocument", 400)
            }
            Self::Failed(_) | Self::Store(_) => Code::query("InternalFailure", 500),
            Self::Invalid(_) => Code::query("ValidationError", 400),
            Self::Message => Code::query("InvalidAuthorizationMessageException", 400),
            Self::PackedTooLarge(_) => Code::query("PackedPolicyTooLarge", 400),
            Self::Parameter(_) => Code::query("InvalidParameterValue", 400),
            Self::Token(Rejection::Expired { .. } | Rejection::Old(_)) => {
                Code::query("ExpiredTokenException", 400)
            }
            Self::ProviderUnknown(_) | Self::Token(_) => Code::query("InvalidIdentityToken", 400),
        }
    }

    fn is_counted(&self) -> bool {
        matches!(self, Self::Code)
    }
}
