//! Why an operation says no, and what the wire says then.

use crate::Unfit;
use identity::sts;
use service::{Fault, Refusal};
use wire::Code;

/// Why an operation said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A policy forbids it, or none permits it; or a certificate gets no session, and the text says why.
    #[error("{0}")]
    Denied(String),
    /// What is stored can't be read.
    #[error(transparent)]
    Failed(#[from] identity::Error),
    /// A member breaks the model's constraints, or a rule that the model doesn't know.
    #[error("{0}")]
    Invalid(String),
    /// No such resource in this account and Region.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The resource would have more tags than one may have.
    #[error("Too many tags")]
    TooManyTags,
}

impl Error {
    /// Why the role `arn` gives no session: whether it exists, and what it trusts, stays untold.
    pub(crate) fn of_role(error: sts::Error, arn: &str) -> Self {
        match error {
            sts::Error::Failed(error) => Self::Failed(error),
            sts::Error::PackedTooLarge(_) => Self::Invalid(error.to_string()),
            sts::Error::Store(error) => Self::Store(error),
            sts::Error::Code
            | sts::Error::Denied(_)
            | sts::Error::Document(_)
            | sts::Error::Invalid(_)
            | sts::Error::Message
            | sts::Error::Parameter(_)
            | sts::Error::PolicyUnknown(_)
            | sts::Error::ProviderUnknown(_)
            | sts::Error::Token(_) => Self::Denied(format!("Unable to assume role for {arn}")),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Denied(text) => Self::Denied(text),
            Refusal::Invalid(text) => Self::Invalid(text),
        }
    }
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        Self::Denied(unfit.to_string())
    }
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::Denied(_) => Code { status: 403, ..Code::ACCESS_DENIED },
            Self::Failed(_) | Self::Store(_) => Code::INTERNAL,
            Self::Invalid(_) => Code::VALIDATION,
            Self::NotFound(_) => {
                Code { status: 404, ..Code::protocol("ResourceNotFoundException") }
            }
            Self::TooManyTags => Code::protocol("TooManyTagsException"),
        }
    }
}
