//! Sessions as they go out and as they come back.

use super::{Claims, RootId, Token, root, secret};
use crate::{Error, mint};
use base::{Entropy, Sensitive, Timestamp};
use envelope::Key;
use std::collections::BTreeMap;
use store::Txn;

/// Temporary credentials: what a client signs with until they expire.
#[derive(Debug)]
pub struct Credentials {
    /// `ASIA…`.
    pub access_key_id: String,
    /// The secret access key.
    pub secret: Sensitive,
    /// The token, which goes with each request.
    pub token: Sensitive,
    /// When they end.
    pub expiration: Timestamp,
    /// How much of the room for policies and tags is taken, in percent; `None` if there are none.
    pub packed: Option<usize>,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The root key can't be had.
    #[error(transparent)]
    Failed(#[from] Error),
    /// Policies and tags take so many percent of the room there is for them.
    #[error("Packed policy consumes {0}% of allotted space, please use smaller policy.")]
    TooLarge(usize),
}

/// A session that came with a request: the signature has still to be checked, with `secret`.
#[derive(Debug)]
pub struct Opened {
    /// What is known of it.
    pub claims: Claims,
    /// Its secret access key.
    pub secret: Sensitive,
}

/// Why a token is no good.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// The session is over.
    #[error("The security token included in the request is expired")]
    Expired,
    /// A root key can't be read; nothing is known of the token.
    #[error(transparent)]
    Failed(#[from] Error),
    /// Not one of ours, changed, or of another access key.
    #[error("The security token included in the request is invalid")]
    Invalid,
}

/// Issues credentials for `claims`, whose token has `least` characters or more. Writes nothing, but for the
/// very first session of a store.
///
/// # Errors
///
/// - [`IssueError::Failed`]: those of [`kms::seal_local`], or a policy that is no JSON.
/// - [`IssueError::TooLarge`]: policies and tags don't fit into a token.
pub async fn issue(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    claims: &Claims,
    least: usize,
) -> Result<Credentials, IssueError> {
    let (bytes, packed) = packed(claims)?;
    let root = root::current(txn, scope).await?;
    let sealed = seal((root.0, &root.1), claims, (bytes, least), scope.entropy);
    let (access_key_id, secret, token) = sealed.map_err(Error::from)?;
    Ok(Credentials { access_key_id, secret, token, expiration: claims.expires, packed })
}

/// The session whose `token` came with `access_key_id`, at the scope's instant. The scope's account and
/// Region don't matter.
///
/// Whether its principal still exists, and whether the session still [stands](super::stands), is not asked.
///
/// # Errors
///
/// - [`Rejected::Expired`]: it was one of ours.
/// - [`Rejected::Invalid`]: nothing else is told of why.
pub async fn open(
    txn: &mut Txn<'_>,
    scope: &kms::Scope<'_>,
    access_key_id: &str,
    token: &str,
) -> Result<Opened, Rejected> {
    let parsed = Token::parse(token).ok_or(Rejected::Invalid)?;
    let root = root::find(txn, scope, parsed.root()).await?.ok_or(Rejected::Invalid)?;
    let claims = parsed.open(&root, access_key_id).ok_or(Rejected::Invalid)?;
    if claims.expires <= scope.now {
        return Err(Rejected::Expired);
    }
    let secret = secret::derived(&root, access_key_id, token).ok_or_else(failed)?;
    Ok(Opened { claims, secret })
}

/// The claims as a token holds them, and how much of the room for policies and tags they take.
fn packed(claims: &Claims) -> Result<(Vec<u8>, Option<usize>), IssueError> {
    let bare = Claims {
        tags: BTreeMap::new(),
        transitive: Vec::new(),
        policy: None,
        policy_arns: Vec::new(),
        ..claims.clone()
    };
    let broken =
        |reason| Error::Store(store::Error::Corrupt { key: "session policy".to_owned(), reason });
    let bytes = claims.to_bytes().map_err(broken)?;
    let others = bare.to_bytes().map_err(broken)?.len();
    let (taken, room) = (bytes.len() - others, Token::MAX_CLAIMS.saturating_sub(others).max(1));
    match (taken * 100).div_ceil(room) {
        percent if percent > 100 => Err(IssueError::TooLarge(percent)),
        percent => Ok((bytes, (taken > 0).then_some(percent))),
    }
}

type Minted = (String, Sensitive, Sensitive);

fn seal(
    root: (RootId, &Key),
    claims: &Claims,
    (bytes, least): (Vec<u8>, usize),
    entropy: &dyn Entropy,
) -> Result<Minted, kms::Error> {
    let id = mint::access_key_id(&claims.account, entropy);
    let id = format!("ASIA{}", id.get(4..).unwrap_or_default());
    let token = Token::seal(root, &id, bytes, least, entropy)?.text();
    let text = str::from_utf8(token.expose()).unwrap_or_default();
    let secret = secret::derived(root.1, &id, text);
    let secret = secret.ok_or(kms::Error::Seal(envelope::SealError::Failed))?;
    Ok((id, secret, token))
}

fn failed() -> Rejected {
    Rejected::Failed(kms::Error::Seal(envelope::SealError::Failed).into())
}
