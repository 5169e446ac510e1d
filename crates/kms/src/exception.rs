//! Why a KMS operation says no, and what the wire says then.
//!
//! Source: KMS API Reference, "Errors" of each operation; recorded answers.

use crate::{Error, KeyState};
use service::{Fault, Refusal};
use wire::{Code, Member};

/// Why a KMS operation said no.
///
/// Variants are AWS's exceptions, or reasons within one. The texts are the service's own, to the byte:
/// clients match on them.
#[derive(Debug, thiserror::Error)]
pub enum Exception {
    /// The alias exists.
    #[error("An alias with the name {0} already exists")]
    AliasExists(String),
    /// An alias where only a key id or key ARN may stand.
    #[error("Key Aliases are not supported for this operation")]
    AliasGiven,
    /// An alias without `alias/`.
    #[error(
        "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
    )]
    AliasPrefix,
    /// An alias whose prefix is reserved for AWS.
    #[error("")]
    AliasReserved,
    /// Too much slow work of the account is waiting.
    #[error("Rate exceeded")]
    Busy,
    /// A policy forbids it, or none permits it.
    #[error("{0}")]
    Denied(String),
    /// The import token was good for a day, which is over.
    #[error("The import token has expired.")]
    ExpiredToken,
    /// It would have succeeded.
    #[error("The request would have succeeded, but the DryRun option is set.")]
    DryRun,
    /// A grant id that no grant of the key has.
    #[error("No grant with the id {0} exists for this key")]
    GrantId(String),
    /// A grant token that is none.
    #[error("The grant token is not valid")]
    GrantToken,
    /// Material that was never this key's, where only its own may come back.
    #[error("The key material in the request is not the key material of the KMS key.")]
    IncorrectMaterial,
    /// The blob was encrypted under another key than the one named.
    #[error("The key ID in the request does not identify a CMK that can perform this operation.")]
    IncorrectKey,
    /// A member breaks the model's constraints, or a combination of members the service's.
    #[error("{0}")]
    Invalid(String),
    /// A principal that can't be one, or that doesn't exist.
    #[error("ARN does not refer to a valid principal: {0}")]
    InvalidPrincipal(String),
    /// Another encryption context, changed bytes, or bytes of something else.
    #[error("")]
    InvalidCiphertext,
    /// An import token of another key, or no import token.
    #[error("The import token is not valid for this KMS key.")]
    InvalidToken,
    /// The key exists, and its state forbids this.
    #[error("{arn} is {}.", state_text(*.state, *.wanted))]
    KeyState {
        /// The key's ARN.
        arn: String,
        /// The state it is in.
        state: KeyState,
        /// The state it must be in, where only one will do.
        wanted: Option<KeyState>,
    },
    /// What the key has, or lacks, forbids this.
    #[error("{0}")]
    KeyContent(String),
    /// A key or a stored row is damaged; the source is for the log.
    #[error("a key can't be used")]
    Keys(#[source] Error),
    /// The operation is not for keys of this kind.
    #[error("{0}")]
    KeyUsage(String),
    /// More than may be.
    #[error("{0}")]
    Limit(String),
    /// A page marker of another listing, or none at all.
    #[error("Invalid Marker")]
    Marker,
    /// No such key or alias, or a text that can't name one.
    #[error("{0}")]
    NotFound(String),
    /// The new policy would shut out the one who puts it.
    #[error("The new key policy will not allow you to update the key policy in the future.")]
    PolicyLockout,
    /// A policy for somebody who doesn't exist.
    #[error("Policy contains a statement with one or more invalid principals.")]
    PolicyPrincipal,
    /// A policy that isn't one.
    #[error("The new key policy is not valid.")]
    PolicySyntax,
    /// The store failed; the source is for the log.
    #[error("the store failed")]
    Store(#[source] store::Error),
    /// Tags that can't be set.
    #[error("{0}")]
    Tag(&'static str),
    /// Not for this key, or not by this server.
    #[error("{0}")]
    Unsupported(String),
}

impl Fault for Exception {
    fn code(&self) -> Code {
        Code::protocol(match self {
            Self::AliasExists(_) => "AlreadyExistsException",
            Self::AliasGiven | Self::InvalidPrincipal(_) => "InvalidArnException",
            Self::AliasPrefix | Self::Invalid(_) => "ValidationException",
            Self::AliasReserved => return silent("NotAuthorizedException"),
            Self::Busy => return Code::THROTTLING,
            Self::Denied(_) => return Code::ACCESS_DENIED,
            Self::DryRun => "DryRunOperationException",
            Self::ExpiredToken => "ExpiredImportTokenException",
            Self::GrantId(_) => "InvalidGrantIdException",
            Self::GrantToken => "InvalidGrantTokenException",
            Self::IncorrectKey => "IncorrectKeyException",
            Self::IncorrectMaterial => "IncorrectKeyMaterialException",
            Self::InvalidCiphertext => return silent("InvalidCiphertextException"),
            Self::InvalidToken => "InvalidImportTokenException",
            Self::KeyState { state: KeyState::Disabled, wanted: None, .. } => "DisabledException",
            Self::KeyContent(_) | Self::KeyState { .. } => "KMSInvalidStateException",
            Self::Keys(_) | Self::Store(_) => {
                return Code { status: 500, ..Code::protocol("KMSInternalException") };
            }
            Self::KeyUsage(_) => "InvalidKeyUsageException",
            Self::Limit(_) => "LimitExceededException",
            Self::Marker => "InvalidMarkerException",
            Self::NotFound(_) => "NotFoundException",
            Self::PolicyLockout | Self::PolicyPrincipal | Self::PolicySyntax => {
                "MalformedPolicyDocumentException"
            }
            Self::Tag(_) => "TagException",
            Self::Unsupported(_) => "UnsupportedOperationException",
        })
    }
}

impl Exception {
    /// No key is called `arn`.
    pub(crate) fn no_key(arn: &str) -> Self {
        Self::NotFound(format!("Key '{arn}' does not exist"))
    }

    /// The key called `arn` must be in the state `wanted`.
    pub(crate) fn not_in(arn: &str, state: KeyState, wanted: KeyState) -> Self {
        Self::KeyState { arn: arn.to_owned(), state, wanted: Some(wanted) }
    }
}

impl From<Refusal> for Exception {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Denied(text) => Self::Denied(text),
            Refusal::Invalid(text) => Self::Invalid(text),
        }
    }
}

impl From<store::Error> for Exception {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Exception {
    fn from(error: Error) -> Self {
        match error {
            Error::KeyNotFound { arn } => Self::no_key(&arn),
            Error::KeyUnusable { arn, state } => Self::KeyState { arn, state, wanted: None },
            Error::Store(error) => Self::Store(error),
            error => Self::Keys(error),
        }
    }
}

/// An exception without message.
const fn silent(name: &'static str) -> Code {
    Code { member: Member::None, ..Code::protocol(name) }
}

fn state_text(state: KeyState, wanted: Option<KeyState>) -> String {
    wanted.map_or_else(|| state.to_string(), |it| format!("not {it}"))
}
