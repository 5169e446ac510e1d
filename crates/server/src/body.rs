//! Request bodies: read whole, up to a limit, and wiped afterwards.

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use std::io::Write;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// The connection broke, or its framing did.
    Broken,
    /// More bytes than are taken.
    TooLarge,
}

/// Reads `body`, at most `limit` bytes. A body that says it is longer is not even begun.
pub(crate) async fn read(mut body: Incoming, limit: usize) -> Result<wire::Body, BodyError> {
    let expected = body.size_hint().lower();
    let expected = usize::try_from(expected).map_err(|_| BodyError::TooLarge)?;
    if limit < expected {
        return Err(BodyError::TooLarge);
    }
    let mut read = wire::Body::with_capacity(expected);
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if limit - read.len() < bytes.len() {
            return Err(BodyError::TooLarge);
        }
        // Writing to memory doesn't fail.
        let _infallible = read.write_all(&bytes);
    }
    Ok(read)
}
