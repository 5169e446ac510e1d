//! A session token, byte by byte.
//!
//! ```text
//! base64( 01 ‖ id of the root key (4) ‖ sealed message )
//! ```
//!
//! The message is [`envelope::seal`]'s over the [`Claims`] in JSON and the spaces behind them, if the token
//! had to be longer. It is bound to the first five bytes and to the access key id.

use super::{Claims, RootId};
use base::{Entropy, Sensitive};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope::message::OVERHEAD;
use envelope::{Aad, Key, Label, SealError};

/// The claims of a session, sealed under a root key. `Debug` shows the key's id only.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    root: RootId,
    sealed: Vec<u8>,
}

impl Token {
    /// So long a token may be, in characters.
    pub const MAX_LEN: usize = 4096;

    /// So long claims may be, in bytes.
    pub(crate) const MAX_CLAIMS: usize = Self::MAX_LEN / 4 * 3 - HEADER - OVERHEAD;

    /// Seals `claims`, in their own form, under the root key `root`, for `access_key_id`. The token has
    /// `least` characters or more, and never more than [`Token::MAX_LEN`].
    ///
    /// # Errors
    ///
    /// [`SealError::TooLong`]: the claims don't fit.
    pub fn seal(
        (root, key): (RootId, &Key),
        access_key_id: &str,
        mut claims: Vec<u8>,
        least: usize,
        entropy: &dyn Entropy,
    ) -> Result<Self, SealError> {
        if Self::MAX_CLAIMS < claims.len() {
            return Err(SealError::TooLong);
        }
        let least = (least.div_ceil(4) * 3).saturating_sub(HEADER + OVERHEAD);
        claims.resize(claims.len().max(least.min(Self::MAX_CLAIMS)), b' ');
        let sealed = envelope::seal(key, &bound(root, access_key_id), &claims, entropy)?;
        Ok(Self { root, sealed })
    }

    /// The claims, if this was sealed for `access_key_id` under `key`.
    pub fn open(&self, key: &Key, access_key_id: &str) -> Option<Claims> {
        let claims = envelope::open(key, &bound(self.root, access_key_id), &self.sealed).ok()?;
        Claims::from_bytes(claims.expose())
    }

    /// Reads a token as a client sends it; `None` if it can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        if Self::MAX_LEN < text.len() {
            return None;
        }
        let bytes = STANDARD.decode(text).ok()?;
        let ([VERSION, root @ ..], sealed) = bytes.split_first_chunk::<HEADER>()? else {
            return None;
        };
        let sealed = Some(sealed.to_vec()).filter(|it| OVERHEAD <= it.len())?;
        Some(Self { root: RootId::of(*root), sealed })
    }

    /// The token as a client gets it.
    pub fn text(&self) -> Sensitive {
        let bytes = [&[VERSION][..], self.root.as_bytes(), &self.sealed].concat();
        Sensitive::from(STANDARD.encode(bytes))
    }

    /// The root key it was sealed under.
    pub fn root(&self) -> RootId {
        self.root
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Token").field("root", &self.root).finish_non_exhaustive()
    }
}

fn bound(root: RootId, access_key_id: &str) -> Aad {
    let aad = Aad::new(Label::Local).field("session-token").field([VERSION]);
    aad.field(root.as_bytes()).field(access_key_id)
}

const VERSION: u8 = 1;
/// The version and the id of the root key.
const HEADER: usize = 5;
