//! Why a server's password isn't changed.

/// What went wrong, told so that the next act can be chosen. No text holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server was asked, and says that this user has another password, or may not log in.
    #[error("{0}")]
    Denied(String),
    /// The secret's content can't be used: a key is missing, a name is too long.
    #[error("{0}")]
    Invalid(String),
    /// The server understood the statement and said no: a right is missing, a password rule isn't met.
    #[error("{0}")]
    Refused(String),
    /// It couldn't be asked, or its answer was lost: whether it did what was asked is unknown.
    #[error("{0}")]
    Unreachable(String),
    /// Its certificate isn't believed, or it offers no TLS where that is required.
    #[error("{0}")]
    Untrusted(String),
}

#[cfg(any(feature = "db2", feature = "postgres"))]
impl Failure {
    /// The same without `secret`, which a server may have quoted.
    pub(crate) fn without(self, secret: &str) -> Self {
        let mask = |told: String| told.replace(secret, "<password>");
        match self {
            Self::Denied(told) => Self::Denied(mask(told)),
            Self::Invalid(told) => Self::Invalid(mask(told)),
            Self::Refused(told) => Self::Refused(mask(told)),
            Self::Unreachable(told) => Self::Unreachable(mask(told)),
            Self::Untrusted(told) => Self::Untrusted(mask(told)),
        }
    }
}
