//! Why an account, an access key or a provider couldn't be made or changed.

use base::AccountId;

/// Why an account, an access key or a provider couldn't be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is such an account already.
    #[error("account {0} exists already")]
    AccountExists(AccountId),
    /// There is no such account.
    #[error("there is no account {0}")]
    AccountUnknown(AccountId),
    /// The user has as many access keys as it may have.
    #[error("Cannot exceed quota for AccessKeysPerUser: 2")]
    KeyQuota,
    /// There is no such access key.
    #[error("there is no access key `{0}`")]
    KeyUnknown(String),
    /// The secret can't be sealed or opened.
    #[error(transparent)]
    Kms(#[from] kms::Error),
    /// Not a set of keys, or none of them is for signing tokens.
    #[error("not a JSON Web Key Set with a key that signs tokens")]
    NoKeys,
    /// The seed of a device has no picture.
    #[error("a seed can't be drawn: {0}")]
    Picture(String),
    /// There is no such OpenID Connect provider.
    #[error("there is no OpenID Connect provider `{0}`")]
    ProviderUnknown(String),
    /// There is no such role.
    #[error("there is no role `{0}`")]
    RoleUnknown(String),
    /// The store failed, or another commit was first.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Another user's name differs only in its case.
    #[error("account {account} has a user `{name}` already")]
    UserExists {
        /// The account.
        account: AccountId,
        /// The user's name, as it is written.
        name: String,
    },
    /// Not a user's name: 1 to 64 letters, digits and `+=,.@_-`.
    #[error("`{0}` is no user name: 1 to 64 letters, digits and `+=,.@_-`")]
    UserName(String),
}
