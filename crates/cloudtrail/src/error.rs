//! Why an operation says no, and what the wire says then.

use crate::Unreadable;
use service::{Fault, Refusal};
use wire::Code;

/// Why an operation said no. Names are the service's; its texts aren't published, so they are ours.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A policy forbids it, or none permits it.
    #[error("{0}")]
    Denied(String),
    /// Only Insights events have a category that can be asked for.
    #[error("The event category isn't valid. The only valid value is insight.")]
    EventCategory,
    /// A member breaks the model's constraints.
    #[error("{0}")]
    Invalid(String),
    /// More than one attribute, an unknown one, or a value that none has.
    #[error("{0}")]
    LookupAttributes(&'static str),
    /// Fewer or more than a page holds.
    #[error("Value for MaxResults must be between 1 and 50.")]
    MaxResults,
    /// A token of another lookup, or none at all.
    #[error("The token is invalid: it belongs to a request with other parameters, or to none.")]
    NextToken,
    /// It ends before it begins.
    #[error("The start of the time range must not be later than its end.")]
    TimeRange,
    /// The journal can't be read; the source is for the log.
    #[error("the journal can't be read")]
    Unreadable(#[from] Unreadable),
    /// The store failed; the source is for the log.
    #[error("the store failed")]
    Store(#[from] store::Error),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Denied(text) => Self::Denied(text),
            Refusal::Invalid(text) => Self::Invalid(text),
        }
    }
}

impl Fault for Error {
    fn code(&self) -> Code {
        Code::protocol(match self {
            Self::Denied(_) => return Code::ACCESS_DENIED,
            Self::EventCategory => "InvalidEventCategoryException",
            Self::Invalid(_) => return Code::VALIDATION,
            Self::LookupAttributes(_) => "InvalidLookupAttributesException",
            Self::MaxResults => "InvalidMaxResultsException",
            Self::NextToken => "InvalidNextTokenException",
            Self::TimeRange => "InvalidTimeRangeException",
            Self::Store(_) | Self::Unreadable(_) => return Code::INTERNAL,
        })
    }
}
