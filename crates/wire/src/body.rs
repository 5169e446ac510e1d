//! Response bodies that leave no copy behind.

use bytes::Bytes;
use std::io;
use zeroize::Zeroize;

/// The bytes of a response, wiped when the last user has dropped them.
///
/// Grows by moving to a larger buffer and wiping the old one, so that a secret value written into
/// it exists once. Becomes [`Bytes`] without a copy.
#[derive(Default)]
pub struct Body(Vec<u8>);

impl Body {
    /// An empty body with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// What was written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all but the first `length` bytes; what is forgotten is wiped.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.0.get_mut(length..).unwrap_or_default().zeroize();
        self.0.truncate(length);
    }

    fn make_room(&mut self, more: usize) {
        if self.0.capacity() - self.0.len() >= more {
            return;
        }
        let wanted = self.0.len().saturating_add(more).max(self.0.capacity().saturating_mul(2));
        let mut larger = Vec::with_capacity(wanted);
        larger.extend_from_slice(&self.0);
        self.0.zeroize();
        self.0 = larger;
    }
}

impl io::Write for Body {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.make_room(bytes.len());
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<Body> for Bytes {
    fn from(body: Body) -> Self {
        Self::from_owner(body)
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Body({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn grows_and_keeps_order() {
        let mut body = Body::with_capacity(2);
        for part in ["a", "bc", "", "defghijklmnop"] {
            body.write_all(part.as_bytes()).expect("memory");
        }
        assert_eq!(body.as_slice(), b"abcdefghijklmnop");
        assert_eq!(Bytes::from(body), "abcdefghijklmnop");
    }

    #[test]
    fn debug_tells_only_the_length() {
        assert_eq!(format!("{:?}", Body::from("canary")), "Body(6 bytes)");
    }
}
