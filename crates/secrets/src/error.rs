//! Why a Secrets Manager operation says no, and what the wire says then.

use crate::stages::{Label, VersionId};
use service::{Fault, Refusal};
use wire::Code;

/// Why a Secrets Manager operation said no.
///
/// Variants are reasons a caller can act on, not places where things went wrong. The texts are the
/// service's own, to the byte: clients match on them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SecretIdList and Filters exclude each other, and one is needed.
    #[error("Either 'SecretIdList' or 'Filters' must be provided, but not both.")]
    BatchSource,
    /// MaxResults without Filters.
    #[error(
        "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."
    )]
    BatchWithoutFilters,
    /// Two schedules at once.
    #[error("You cannot specify both rotation frequency and schedule expression together.")]
    BothRules,
    /// String and binary at once.
    #[error(
        "You can't specify both a binary secret value and a string secret value in the same secret."
    )]
    BothValues,
    /// `AWSCURRENT` can only move.
    #[error(
        "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed."
    )]
    CurrentStays,
    /// The key a value is sealed under can't be used to open it. The text is KMS's.
    #[error("Secrets Manager can't decrypt the secret value: {0}")]
    Decryption(String),
    /// A policy forbids it, or none permits it.
    #[error("{0}")]
    Denied(String),
    /// Something that a dynamic secret isn't for.
    #[error("{0}")]
    Dynamic(&'static str),
    /// The key can't be used to seal a value. The text is KMS's.
    #[error("Secrets Manager can't encrypt the secret value: {0}")]
    Encryption(String),
    /// A secret under the AWS managed key of another account.
    #[error(
        "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key."
    )]
    ForeignDefaultKey,
    /// The function doesn't exist, or doesn't let the service in.
    #[error(
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com."
    )]
    FunctionShut,
    /// A filter without key, or without values.
    #[error("{0}")]
    Filter(String),
    /// A recovery window beside immediate deletion.
    #[error("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")]
    ForceWithWindow,
    /// A member breaks the model's constraints.
    #[error("{0}")]
    Invalid(String),
    /// A secret's name, or an id that is no ARN, holds other characters.
    #[error(
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
    )]
    InvalidName,
    /// A page token of another listing, or no token at all.
    #[error("Invalid NextToken")]
    InvalidNextToken,
    /// More labels than a secret may carry.
    #[error("You can't attach more than 20 staging labels to the versions of a secret.")]
    LabelQuota,
    /// The name waits for the end of its deletion.
    #[error(
        "You can't create this secret because a secret with this name is already scheduled for deletion."
    )]
    NameDeleted,
    /// The name is taken.
    #[error("The operation failed because the secret {name} already exists.")]
    NameExists {
        /// The name.
        name: String,
    },
    /// The database user of a lease can't be made.
    #[error("The database user can't be made: {0}")]
    LeaseFailed(String),
    /// The database user of the lease with this id isn't there yet.
    #[error("The database user is not there yet. Try again.")]
    LeasePending(String),
    /// As many leases as the template allows.
    #[error("You have reached the maximum number of leases for this secret.")]
    LeaseQuota,
    /// No function is named, and none was before.
    #[error("No Lambda rotation function ARN is associated with this secret.")]
    NoFunction,
    /// No such secret, or none the caller may know of.
    #[error("Secrets Manager can't find the specified secret.")]
    NoSecret,
    /// No version carries the label, or it has no value.
    #[error("Secrets Manager can't find the specified secret value for staging label: {}", .0.as_str())]
    NoValueForLabel(Label),
    /// No such version.
    #[error("Secrets Manager can't find the specified secret value for VersionId: {}", .0.as_str())]
    NoValueForVersion(VersionId),
    /// Neither string nor binary.
    #[error("You must provide either SecretString or SecretBinary.")]
    NoValueGiven,
    /// A combination of parameters, or a value, that the service doesn't take.
    #[error("{0}")]
    Parameter(String),
    /// A policy that isn't one.
    #[error("This resource policy contains a syntax error.")]
    PolicySyntax,
    /// A policy for somebody who doesn't exist.
    #[error("This resource policy contains an unsupported principal.")]
    PolicyPrincipal,
    /// No policy of that name.
    #[error("Secrets Manager can't find the resource policy with the specified name.")]
    PolicyUnknown,
    /// A policy that lets everyone in, where that was excluded.
    #[error("You can not attach a resource policy that grants Public access to your secret.")]
    PublicPolicy,
    /// Every character is excluded from the random password.
    #[error("No characters are left to generate a password from.")]
    PasswordAlphabet,
    /// The random password must have more classes than characters.
    #[error("Password length is too short based on the required types.")]
    PasswordTooShort,
    /// What was read is old: the operation starts again, and nobody sees this.
    #[error("the value has just changed")]
    Outdated,
    /// A rotation is under way, to this version if it has one.
    #[error("A previous rotation isn’t complete. That rotation will be reattempted.")]
    RotationBusy(Option<VersionId>),
    /// Rules that no schedule follows from.
    #[error("The rotation schedule expression is invalid: {0}")]
    Schedule(schedule::Invalid),
    /// Already scheduled.
    #[error("You tried to perform the operation on a secret that's currently marked deleted.")]
    ScheduledAlready,
    /// Scheduled for deletion; RestoreSecret brings it back.
    #[error("You can't perform this operation on the secret because it was marked for deletion.")]
    ScheduledForDeletion,
    /// The label sits on another version than the one named.
    #[error(
        "When you move staging label {}, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label {}.", .0.as_str(), .0.as_str()
    )]
    StageElsewhere(Label),
    /// The label and the version asked for don't belong together.
    #[error("You provided a VersionStage that is not associated to the provided VersionId.")]
    StageMismatch,
    /// The label sits on a version that must be named to move it.
    #[error(
        "The parameter RemoveFromVersionId can't be empty. Staging label {} is currently attached to version {}, so you must explicitly reference that version in RemoveFromVersionId.", label.as_str(), version.as_str()
    )]
    StageTaken {
        /// The label.
        label: Label,
        /// Who carries it.
        version: VersionId,
    },
    /// More secrets than an account may have in a Region.
    #[error("You have reached the maximum number of secrets for this account and Region.")]
    SecretQuota,
    /// A dynamic secret's value is none.
    #[error("The template of a dynamic secret can't be used: {0}.")]
    Template(String),
    /// The store failed; the source is for the log.
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// Keys or sealed values are damaged; the source is for the log.
    #[error("a value can't be sealed or opened")]
    Sealing(#[source] kms::Error),
    /// The token already made a version with another value.
    #[error(
        "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
    )]
    TokenInUse {
        /// The token.
        token: String,
        /// The secret.
        arn: String,
    },
    /// No token.
    #[error("You must provide a ClientRequestToken value. We recommend a UUID-type value.")]
    TokenMissing,
    /// Something AWS offers and this server doesn't yet.
    #[error("{0} is not supported by this server yet.")]
    Unsupported(&'static str),
    /// More versions within a day than are kept.
    #[error("You exceeded the maximum number of versions for a secret.")]
    VersionQuota,
    /// A recovery window outside 7 to 30 days.
    #[error("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")]
    Window,
}

impl Fault for Error {
    fn code(&self) -> Code {
        const INVALID_PARAMETER: Code = Code::modelled("InvalidParameterException");
        const INVALID_REQUEST: Code = Code::modelled("InvalidRequestException");
        const LIMIT: Code = Code::modelled("LimitExceededException");
        const MALFORMED_POLICY: Code = Code::modelled("MalformedPolicyDocumentException");
        const NOT_FOUND: Code = Code::modelled("ResourceNotFoundException");
        match self {
            Self::Denied(_) | Self::FunctionShut => Code::ACCESS_DENIED,
            Self::BatchSource
            | Self::BatchWithoutFilters
            | Self::BothRules
            | Self::BothValues
            | Self::CurrentStays
            | Self::Filter(_)
            | Self::ForceWithWindow
            | Self::Parameter(_)
            | Self::PasswordAlphabet
            | Self::PasswordTooShort
            | Self::Schedule(_)
            | Self::StageElsewhere(_)
            | Self::StageTaken { .. }
            | Self::Template(_)
            | Self::Window => INVALID_PARAMETER,
            Self::Dynamic(_)
            | Self::ForeignDefaultKey
            | Self::LeaseFailed(_)
            | Self::NameDeleted
            | Self::NoFunction
            | Self::NoValueGiven
            | Self::RotationBusy(_)
            | Self::ScheduledAlready
            | Self::ScheduledForDeletion
            | Self::StageMismatch
            | Self::TokenMissing
            | Self::Unsupported(_) => INVALID_REQUEST,
            Self::InvalidNextToken => Code::modelled("InvalidNextTokenException"),
            Self::Invalid(_) | Self::InvalidName => Code::VALIDATION,
            Self::Decryption(_) => Code::modelled("DecryptionFailure"),
            Self::Encryption(_) => Code::modelled("EncryptionFailure"),
            Self::LabelQuota | Self::LeaseQuota | Self::SecretQuota | Self::VersionQuota => LIMIT,
            Self::NameExists { .. } | Self::TokenInUse { .. } => {
                Code::modelled("ResourceExistsException")
            }
            Self::NoSecret
            | Self::NoValueForLabel(_)
            | Self::NoValueForVersion(_)
            | Self::PolicyUnknown => NOT_FOUND,
            Self::PolicySyntax | Self::PolicyPrincipal => MALFORMED_POLICY,
            Self::PublicPolicy => Code::modelled("PublicPolicyException"),
            Self::LeasePending(_) | Self::Outdated | Self::Sealing(_) | Self::Store(_) => {
                Code::INTERNAL
            }
        }
    }

    fn is_counted(&self) -> bool {
        // A rotation that is stuck is tried again.
        matches!(self, Self::RotationBusy(_))
    }

    fn is_internal(&self) -> bool {
        self.code().status >= 500 && !matches!(self, Self::LeasePending(_))
    }

    fn awaits(&self) -> Option<&str> {
        match self {
            Self::LeasePending(id) => Some(id),
            _ => None,
        }
    }

    fn is_outdated(&self) -> bool {
        matches!(self, Self::Outdated)
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
