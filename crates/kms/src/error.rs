//! Why a key couldn't be used.

use crate::KeyState;
use crate::root::file::FileError;
use crate::root::passphrase::PassphraseError;
use envelope::{OpenError, RootError, SealError};

/// Why a key couldn't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store has its root record already.
    #[error("the store is sealed under a root key already")]
    AlreadyInitialized,
    /// Something sealed doesn't open: it was changed, moved, or sealed under another key.
    #[error("{what} doesn't open: {reason}")]
    Damaged {
        /// What it is, as a noun phrase; never a value.
        what: String,
        /// How it fails.
        reason: OpenError,
    },
    /// No such KMS key.
    #[error("key `{arn}` does not exist")]
    KeyNotFound {
        /// The ARN that was looked for.
        arn: String,
    },
    /// The KMS key exists, and its state forbids its use.
    #[error("key `{arn}` is {state}")]
    KeyUnusable {
        /// The key's ARN.
        arn: String,
        /// The state it is in.
        state: KeyState,
    },
    /// A key that others depend on is gone from the store. It is not made anew: what was sealed
    /// under it would be lost behind the new one.
    #[error("{what} is missing from the store\nhint: restore the store from a backup")]
    Missing {
        /// What is gone, as a noun phrase.
        what: String,
    },
    /// No shares were ever made for this store, or they were not made to the end.
    #[error("this store has no recovery shares\nhint: bring the root key back from its copy")]
    NoRecovery,
    /// Rows exist, and no record says which root key they are sealed under.
    #[error(
        "the store holds data but no root key record, so nothing can tell which key it needs\n\
         hint: restore the store from a backup"
    )]
    NoRootRecord,
    /// A brand-new store: [`initialize`](crate::initialize) it first.
    #[error("the store is empty: no root key has been chosen yet")]
    NotInitialized,
    /// The passphrase, or what the store keeps beside it, is no good.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The root key's provider failed, or a root key is not at hand.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The token that holds the root key is not there, or refuses.
    #[cfg(feature = "pkcs11")]
    #[error(transparent)]
    Token(#[from] crate::root::pkcs11::TokenError),
    /// The root key file is missing, unfit or can't be written.
    #[error(transparent)]
    RootFile(#[from] FileError),
    /// The change of the root key was interrupted, and needs both keys to go on.
    #[error(
        "the change from root key `{from}` to `{to}` is unfinished, and `{missing}` was not given\n\
         hint: start with both root keys; the change then goes on by itself"
    )]
    RotationUnfinished {
        /// The key that is given up.
        from: String,
        /// The key that takes over.
        to: String,
        /// Which of the two is not at hand.
        missing: String,
    },
    /// Another change of the root key is under way.
    #[error("a change to root key `{to}` is under way\nhint: let it finish first")]
    RotationUnderWay {
        /// The key that takes over there.
        to: String,
    },
    /// The shares of the recovery key are not enough, or not the right ones.
    #[error(transparent)]
    Share(#[from] crate::root::share::ShareError),
    /// Too long to be sealed, or the crypto library failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed, or another commit was first.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The root key at hand is not the one the store is sealed under.
    #[error(
        "the store is sealed under root key `{expected}`, and the key given is `{given}`\n\
         hint: give the root key this store was made with; without it the store can't be read"
    )]
    WrongRoot {
        /// The id of the key the store needs.
        expected: String,
        /// The id of the key that was given.
        given: String,
    },
}
