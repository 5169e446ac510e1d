//! Why a token lets nobody in.

/// Why a token lets nobody in. Texts with a source are the service's own; none holds anything secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It is for somebody else.
    #[error("Incorrect token audience")]
    Audience,
    /// A claim can't be what it has to be.
    #[error("The claim {0} is not valid")]
    Claim(&'static str),
    /// It names a moment that is still to come: the claim.
    #[error("Token is not valid yet: {0} is in the future")]
    Early(&'static str),
    /// It is over, in seconds since 1970: now, and when it ended.
    #[error(
        "Token expired: current date/time {now} must be before the expiration date/time {expired}"
    )]
    Expired {
        /// Now.
        now: i64,
        /// When it ended.
        expired: i64,
    },
    /// A claim isn't there.
    #[error("Missing a required claim: {0}")]
    Missing(&'static str),
    /// It was issued so many seconds ago.
    #[error("Token too old: {0}")]
    Old(i64),
    /// It is no token, or one of a kind that nobody takes.
    #[error(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
    )]
    Shape,
    /// The issuer hasn't signed it.
    #[error("Invalid identity token signature")]
    Signature,
    /// The issuer has no such key, as far as is known.
    #[error(
        "Couldn't retrieve verification key from your identity provider,  please reference \
         AssumeRoleWithWebIdentity documentation for requirements"
    )]
    UnknownKey,
}
