//! Bytes that must not leak.

use std::fmt;
use zeroize::Zeroize;

/// Bytes that are wiped when dropped and can't be printed.
///
/// No `Display`, no `Serialize`, no `Clone`: each copy of a secret is a decision, made by
/// [`Sensitive::expose`]. `Debug` shows dots, whatever the length.
#[derive(Default)]
pub struct Sensitive(Vec<u8>);

impl Sensitive {
    /// Takes `bytes` over; they are wiped when this value is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the one place that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be changed in place.
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both hold the same bytes; takes the same time wherever they differ.
    pub fn same_as(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl From<String> for Sensitive {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&[u8]> for Sensitive {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Drop for Sensitive {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("••••")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_bytes_nor_length() {
        let short = Sensitive::from("canary".to_owned());
        let long = Sensitive::new(vec![b'x'; 500]);
        assert_eq!(format!("{short:?}"), format!("{long:?}"));
        assert!(!format!("{short:?}").contains("canary"));
    }

    #[test]
    fn equality_is_of_bytes() {
        let one = Sensitive::from("one".to_owned());
        assert!(one.same_as(&Sensitive::from("one".to_owned())));
        assert!(!one.same_as(&Sensitive::from("two".to_owned())));
        assert!(!one.same_as(&Sensitive::from("on".to_owned())));
    }
}
