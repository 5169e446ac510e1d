//! Authorization messages as clients hold them: sealed for an account, and opened by nobody else.
//!
//! ```text
//! base64url( 01 ‖ generation of the account's key (4) ‖ sealed message )
//! ```
//!
//! The message is sealed by [`kms::seal_local`] under the key that the account keeps outside all Regions,
//! for a purpose of its own: it opens as nothing else and for no other account.

use base::{AccountId, Sensitive};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy::message::Message;
use store::Txn;

/// So long a message may be, in characters.
///
/// Source: STS API Reference, "DecodeAuthorizationMessage".
pub const MAX_LEN: usize = 10_240;

const VERSION: u8 = 1;

/// Seals `message` for the principals of `account`. The first use may make the account's key, in this
/// transaction. The scope's account and Region don't matter.
///
/// # Errors
///
/// Those of [`kms::seal_local`].
pub async fn seal(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    account: &AccountId,
    message: &[u8],
) -> Result<String, kms::Error> {
    let plain = Sensitive::from(message);
    let place = kms::Place::global(account);
    let sealed = kms::seal_local(txn, scope, place, purpose(account), &plain).await?;
    Ok(URL_SAFE_NO_PAD.encode([&[VERSION], sealed.as_slice()].concat()))
}

/// The message that `text` is, if it was sealed for `account`; `None` for anything else.
///
/// # Errors
///
/// [`kms::Error::Store`]: nothing is known of it.
pub async fn open(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    account: &AccountId,
    text: &str,
) -> Result<Option<Message>, kms::Error> {
    let Some(sealed) = parse(text) else { return Ok(None) };
    let place = kms::Place::global(account);
    match kms::open_local(txn, scope, place, purpose(account), &sealed).await {
        Ok(plain) => Ok(Message::from_bytes(plain.expose())),
        // A key that never was is a forger's; one that is there and can't be had is damage.
        Err(kms::Error::Damaged { .. } | kms::Error::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is sealed in `text`, if it has the form of a message.
pub fn parse(text: &str) -> Option<Vec<u8>> {
    if MAX_LEN < text.len() {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    match bytes.split_first() {
        Some((&VERSION, sealed)) if !sealed.is_empty() => Some(sealed.to_vec()),
        _ => None,
    }
}

fn purpose(account: &AccountId) -> kms::Purpose<'_> {
    kms::Purpose { what: "authorization-message", whose: account.as_str() }
}
