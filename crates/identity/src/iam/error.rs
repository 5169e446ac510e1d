//! Why an operation of IAM says no, and what the wire says then.

use policy::engine::{Absent, Malformed};
use service::{Fault, Refusal};
use wire::Code;

/// Why an operation of IAM said no.
///
/// The texts are the service's own: clients match on them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another account has the alias, or this one.
    #[error("The account alias {0} already exists.")]
    AliasExists(String),
    /// The account doesn't have that alias.
    #[error("The Account Alias {0} cannot be found.")]
    AliasUnknown(String),
    /// A policy's ARN that is none.
    #[error("Invalid ARN:  Could not be parsed!")]
    Arn,
    /// Too many passwords of the account are being hashed.
    #[error("Rate exceeded")]
    Busy,
    /// Codes that a device doesn't show, or that it has shown before.
    #[error("Authentication code for device is not valid.")]
    Code,
    /// A policy forbids it, or none permits it.
    #[error("{0}")]
    Denied(String),
    /// A text that is no policy of its kind.
    #[error("{0}")]
    Document(#[from] Malformed),
    /// Something still hangs on what is to be deleted.
    #[error("{0}")]
    Hangs(&'static str),
    /// There is none of these: a device, an instance profile.
    #[error("{0}")]
    Missing(String),
    /// There is one already: a device, an instance profile.
    #[error("{0}")]
    Taken(String),
    /// A policy that takes part in a simulation is missing or can't be understood.
    #[error("the policy `{0}` can't be evaluated")]
    Evaluation(String),
    /// The name is taken, whatever the case.
    #[error("{what} with name {name} already exists.")]
    Exists {
        /// `User`, `Group`, `Role`.
        what: &'static str,
        /// The name, as it was given.
        name: String,
    },
    /// Parameters that don't go together.
    #[error("{0}")]
    Input(&'static str),
    /// A member breaks the model's constraints, or a marker is of another list.
    #[error("{0}")]
    Invalid(String),
    /// The user has no such access key.
    #[error("The Access Key with id {0} cannot be found.")]
    KeyUnknown(String),
    /// The secret of an access key can't be sealed.
    #[error(transparent)]
    Kms(#[from] kms::Error),
    /// More than there may be.
    #[error("{0}")]
    Limit(String),
    /// No user, group or role of that name.
    #[error("The {what} with name {name} cannot be found.")]
    NotFound {
        /// `user`, `group`, `role`, `user policy`, …
        what: String,
        /// The name, as it was given.
        name: String,
    },
    /// The name of a managed policy is taken.
    #[error("A policy called {0} already exists. Duplicate names are not allowed.")]
    PolicyExists(String),
    /// No managed policy has the ARN.
    #[error("Policy {0} was not found.")]
    PolicyUnknown(String),
    /// The seed of a device has no picture.
    #[error("a seed can't be drawn: {0}")]
    Picture(String),
    /// What is asked can't be simulated.
    #[error("{0}")]
    Simulation(String),
    /// There is a provider for that issuer.
    #[error("Provider with url {0} already exists.")]
    ProviderExists(String),
    /// No provider has the ARN.
    #[error("OpenIDConnect Provider not found for arn {0}")]
    ProviderUnknown(String),
    /// The account already lets its principals have tokens for elsewhere.
    #[error("Outbound web identity federation is already enabled for your account")]
    FederationEnabled,
    /// The account doesn't let its principals have tokens for elsewhere.
    #[error("Outbound web identity federation is disabled for your account")]
    FederationDisabled,
    /// A password can't be hashed: most likely there is not enough memory.
    #[error("a password couldn't be hashed")]
    Hashing,
    /// The caller isn't of the kind that the operation is for.
    #[error("{0}")]
    OfOthers(&'static str),
    /// A password isn't the one that there is.
    #[error("The old password was incorrect.")]
    OldPassword,
    /// What is asked doesn't fit what there is.
    #[error("{0}")]
    Unfit(String),
    /// So many wrong passwords came that none is looked at for a while.
    #[error("Too many wrong passwords. Try again later.")]
    Guesses,
    /// A password that the account's rules don't allow.
    #[error("{0}")]
    Password(&'static str),
    /// The last report is too old.
    #[error("The most recent credential report has expired.")]
    ReportExpired,
    /// There is no report. Observed by others: AWS says no more.
    #[error("Unknown")]
    ReportMissing,
    /// The role is a service's.
    #[error(
        "Cannot perform the operation on the protected role '{0}' - this role is only modifiable by AWS"
    )]
    Protected(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A trust policy whose principals can't be told.
    #[error("Syntax errors in policy.")]
    Syntax,
    /// No managed policy has the ARN, so it can't be attached.
    #[error("Policy {0} does not exist or is not attachable.")]
    Unattachable(String),
    /// A trust policy lets in everybody who uses an issuer that many organizations share.
    #[error("Missing required condition key in the trust policy: {0}")]
    Unpinned(String),
    /// A managed policy has no such version.
    #[error("Policy {arn} version {version} does not exist or is not attachable.")]
    VersionUnknown {
        /// The policy's ARN.
        arn: String,
        /// The version, `v2`.
        version: String,
    },
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Denied(text) => Self::Denied(text),
            Refusal::Invalid(text) => Self::Invalid(text),
        }
    }
}

impl From<Absent> for Error {
    fn from(absent: Absent) -> Self {
        Self::Document(absent.into())
    }
}

impl From<crate::Error> for Error {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Kms(error) => Self::Kms(error),
            crate::Error::Store(error) => Self::Store(error),
            crate::Error::KeyQuota => Self::Limit(error.to_string()),
            crate::Error::KeyUnknown(id) => Self::KeyUnknown(id),
            crate::Error::Picture(why) => Self::Picture(why),
            crate::Error::UserExists { name, .. } => Self::Exists { what: "User", name },
            crate::Error::AccountExists(id) | crate::Error::AccountUnknown(id) => {
                Self::Invalid(format!("there is no account {id}"))
            }
            error @ (crate::Error::NoKeys | crate::Error::RoleUnknown(_)) => {
                Self::Invalid(error.to_string())
            }
            crate::Error::ProviderUnknown(arn) => Self::ProviderUnknown(arn),
            crate::Error::UserName(name) => Self::Invalid(name),
        }
    }
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::AliasUnknown(_)
            | Self::KeyUnknown(_)
            | Self::Missing(_)
            | Self::NotFound { .. }
            | Self::PolicyUnknown(_)
            | Self::ProviderUnknown(_)
            | Self::Unattachable(_)
            | Self::VersionUnknown { .. } => Code::query("NoSuchEntity", 404),
            Self::AliasExists(_)
            | Self::Exists { .. }
            | Self::PolicyExists(_)
            | Self::ProviderExists(_)
            | Self::Taken(_) => Code::query("EntityAlreadyExists", 409),
            Self::Busy => Code::query("Throttling", 400),
            Self::Code => Code::query("InvalidAuthenticationCode", 403),
            Self::Hangs(_) => Code::query("DeleteConflict", 409),
            Self::Limit(_) => Code::query("LimitExceeded", 409),
            Self::Denied(_) | Self::OldPassword => Code::query("AccessDenied", 403),
            Self::Document(_) | Self::Syntax | Self::Unpinned(_) => {
                Code::query("MalformedPolicyDocument", 400)
            }
            Self::FederationDisabled => Code::query("FeatureDisabled", 404),
            Self::FederationEnabled => Code::query("FeatureEnabled", 409),
            Self::Guesses => Code::query("EntityTemporarilyUnmodifiable", 409),
            Self::OfOthers(_) => Code::query("InvalidUserType", 400),
            Self::Password(_) => Code::query("PasswordPolicyViolation", 400),
            Self::Protected(_) => Code::query("UnmodifiableEntity", 400),
            Self::ReportExpired => Code::query("ReportExpired", 410),
            Self::ReportMissing => Code::query("ReportNotPresent", 410),
            Self::Evaluation(_) => Code::query("PolicyEvaluation", 500),
            Self::Input(_) | Self::Simulation(_) | Self::Unfit(_) => {
                Code::query("InvalidInput", 400)
            }
            Self::Arn | Self::Invalid(_) => Code::query("ValidationError", 400),
            Self::Hashing | Self::Kms(_) | Self::Picture(_) | Self::Store(_) => {
                Code::query("ServiceFailure", 500)
            }
        }
    }

    fn is_counted(&self) -> bool {
        matches!(self, Self::Code | Self::OldPassword)
    }
}
