//! The instant of signing, as an instant and as the text that was signed.

use base::Timestamp;

/// The two readings of `X-Amz-Date`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Exact to the second.
    pub(crate) at: Timestamp,
    text: [u8; 16],
}

impl Instant {
    /// Reads ISO 8601 in basic form, or in extended form, which AWS tolerates in headers.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text: [u8; 16] = match text.len() {
            16 => text.try_into().ok()?,
            20 => compact(text.try_into().ok()?)?,
            _ => return None,
        };
        let at = Timestamp::from_basic(str::from_utf8(&text).ok()?).ok()?;
        Some(Self { at, text })
    }

    /// `at`, cut to the second.
    pub(crate) fn of(at: Timestamp) -> Self {
        let mut text = [b'0'; 16];
        text.iter_mut().zip(at.basic().bytes()).for_each(|(byte, it)| *byte = it);
        Self { at: Timestamp::from_secs(at.secs()), text }
    }

    /// `20150830T123600Z`: the form that is signed.
    pub(crate) fn basic(&self) -> &str {
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// `20150830`: the form that stands in a credential scope.
    pub(crate) fn date(&self) -> &str {
        self.basic().get(..8).unwrap_or_default()
    }
}

/// Takes the separators out of `2015-08-30T12:36:00Z`.
fn compact(extended: [u8; 20]) -> Option<[u8; 16]> {
    const SEPARATORS: [(usize, u8); 4] = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let separated = SEPARATORS.iter().all(|(place, byte)| extended.get(*place) == Some(byte));
    let mut rest = extended
        .iter()
        .enumerate()
        .filter(|(place, _)| !SEPARATORS.iter().any(|it| it.0 == *place))
        .map(|it| *it.1);
    let mut out = [0; 16];
    for byte in &mut out {
        *byte = rest.next()?;
    }
    separated.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_one_instant() {
        let basic = Instant::parse(b"20150830T123600Z").expect("valid");
        assert_eq!(Instant::parse(b"2015-08-30T12:36:00Z"), Some(basic));
        assert_eq!(Instant::of(Timestamp::from_millis(1_440_938_160_999)), basic);
        assert_eq!((basic.basic(), basic.date()), ("20150830T123600Z", "20150830"));
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20150830T123600z",
            "20151330T123600Z",
            "2015-08-30T12-36-00Z",
            "2015-08-30 12:36:00Z",
            "2015-08-30T12:36:0-Z",
            "Sun, 30 Aug 2015 12:36:00 GMT",
            "20150830T12360é",
        ] {
            assert_eq!(Instant::parse(text.as_bytes()), None, "{text}");
        }
    }
}
