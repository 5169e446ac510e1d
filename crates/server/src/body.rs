//! Request bodies: read whole, up to a limit, and wiped afterwards.
//!
//! Nobody has been authenticated yet, so all bodies together have a limit too: one that is more than
//! small waits for room while others hold it, at most as long as its request may take.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use std::io::Write;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// The connection broke, or its framing did.
    Broken,
    /// More bytes than are taken.
    TooLarge,
}

/// A request's body, and the room it takes among all bodies of this process until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: wire::Body,
    room: Option<SemaphorePermit<'static>>,
}

/// A body up to so many bytes needs no room, so that those who fill it don't stop common requests.
const SMALL: usize = 4 << 10;
/// Bytes of bodies that are more than small, all together.
const ALL: usize = 128 << 20;
static ROOM: Semaphore = Semaphore::const_new(ALL);

/// From here on a body is large: only packages of functions are.
const LARGE: usize = 8 << 20;
/// Bytes of large bodies, all together: they have their own room, so that they stop no others.
static LARGE_ROOM: Semaphore = Semaphore::const_new(160 << 20);

/// Whether bodies up to `limit` are large.
pub(crate) fn is_large(limit: usize) -> bool {
    LARGE < limit
}

/// Reads `body`, at most `limit` bytes. A body that says it is longer is not even begun.
pub(crate) async fn read(body: Incoming, limit: usize) -> Result<Held, BodyError> {
    read_into(if is_large(limit) { &LARGE_ROOM } else { &ROOM }, body, limit).await
}

async fn read_into<B>(
    room: &'static Semaphore,
    mut body: B,
    limit: usize,
) -> Result<Held, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let expected = body.size_hint().lower();
    let expected = usize::try_from(expected).map_err(|_| BodyError::TooLarge)?;
    if limit < expected {
        return Err(BodyError::TooLarge);
    }
    // What is only promised takes no memory.
    let bytes = wire::Body::with_capacity(expected.min(SMALL));
    let mut held = Held { bytes, room: None };
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if limit - held.bytes.len() < bytes.len() {
            return Err(BodyError::TooLarge);
        }
        held.find_room(room, held.bytes.len() + bytes.len()).await?;
        // Writing to memory doesn't fail.
        let _infallible = held.bytes.write_all(&bytes);
    }
    Ok(held)
}

impl Held {
    /// The body.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Waits until there is room for `length` bytes of this body.
    async fn find_room(
        &mut self,
        room: &'static Semaphore,
        length: usize,
    ) -> Result<(), BodyError> {
        let has = self.room.as_ref().map_or(SMALL, |it| SMALL + it.num_permits());
        if length <= has {
            return Ok(());
        }
        let more = u32::try_from(length - has).map_err(|_| BodyError::TooLarge)?;
        // Never closed.
        let more = room.acquire_many(more).await.map_err(|_| BodyError::Broken)?;
        match &mut self.room {
            Some(room) => room.merge(more),
            None => self.room = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;
    use std::time::Duration;
    use tokio::time::timeout;

    /// Reads a body of `length` bytes into `room`; `None` if it waits for ever.
    async fn read(room: &'static Semaphore, length: usize) -> Option<Result<Held, BodyError>> {
        let body = Full::new(Bytes::from(vec![b'x'; length]));
        timeout(Duration::from_mins(1), read_into(room, body, 64 << 10)).await.ok()
    }

    #[tokio::test(start_paused = true)]
    async fn all_bodies_together_are_bounded() {
        static ROOM: Semaphore = Semaphore::const_new(40 << 10);
        let first = read(&ROOM, 32 << 10).await.expect("room").expect("read");
        assert_eq!(first.as_slice().len(), 32 << 10);
        assert!(read(&ROOM, 32 << 10).await.is_none(), "there is no room for a second one");
        let small = read(&ROOM, SMALL).await.expect("needs none").expect("read");
        assert_eq!(small.as_slice().len(), SMALL);

        drop(first);
        read(&ROOM, 32 << 10).await.expect("room again").expect("read");
        assert_eq!(ROOM.available_permits(), 40 << 10, "all of it was given back");
    }

    #[tokio::test(start_paused = true)]
    async fn one_body_is_bounded() {
        static ROOM: Semaphore = Semaphore::const_new(128 << 10);
        assert!(read(&ROOM, 64 << 10).await.expect("room").is_ok());
        let over = read(&ROOM, (64 << 10) + 1).await.expect("refused");
        assert_eq!(over.map(drop), Err(BodyError::TooLarge));
    }
}
