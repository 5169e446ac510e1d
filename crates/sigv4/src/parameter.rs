//! Query parameters: taken apart, decoded, and put back in canonical form.

use crate::hex;
use crate::rejection::{EscapeFault, Rejection};
use std::borrow::Cow;

/// One decoded `name=value` of the query; a name without `=` has an empty value.
pub(crate) struct Parameter<'a> {
    pub(crate) name: Cow<'a, [u8]>,
    pub(crate) value: Cow<'a, [u8]>,
}

/// Takes `query` apart at `&` and the first `=`, and decodes both sides.
pub(crate) fn parse(query: &str) -> Result<Vec<Parameter<'_>>, Rejection> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let pairs = query.split('&').filter(|it| !it.is_empty());
    let decoded = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok(Parameter { name: decode(name)?, value: decode(value)? })
    });
    decoded.collect::<Result<_, EscapeFault>>().map_err(Rejection::QueryString)
}

/// The first value of the parameter called `name`; the case counts.
pub(crate) fn first<'p, 'a>(all: &'p [Parameter<'a>], name: &str) -> Option<&'p Cow<'a, [u8]>> {
    all.iter().find(|it| *it.name == *name.as_bytes()).map(|it| &it.value)
}

/// Appends `all` but the signature to `out`: encoded anew, sorted by name and then by value.
pub(crate) fn write_canonical(all: &[Parameter<'_>], out: &mut Vec<u8>) {
    let signed = all.iter().filter(|it| *it.name != *b"X-Amz-Signature");
    let mut encoded: Vec<_> = signed.map(|it| (encode(&it.name), encode(&it.value))).collect();
    encoded.sort_unstable();
    for (place, (name, value)) in encoded.iter().enumerate() {
        if place > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

/// Percent-encodes every byte of `text` but letters, digits and `-._~`.
pub(crate) fn encode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        push_encoded(*byte, &mut out);
    }
    out
}

/// Appends `byte`, percent-encoded unless it is a letter, a digit or one of `-._~`.
pub(crate) fn push_encoded(byte: u8, out: &mut Vec<u8>) {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        out.push(byte);
    } else {
        out.push(b'%');
        out.extend_from_slice(&hex::encode_upper(byte));
    }
}

/// Undoes percent-encoding; `+` is a space.
fn decode(text: &str) -> Result<Cow<'_, [u8]>, EscapeFault> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text.as_bytes()));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b'%' => {
                let (decoded, tail) = escape(tail)?;
                out.push(decoded);
                rest = tail;
            }
            b'+' => out.push(b' '),
            other => out.push(*other),
        }
    }
    Ok(Cow::Owned(out))
}

/// The byte that the two digits at the start of `text` stand for, and what follows them.
pub(crate) fn escape(text: &[u8]) -> Result<(u8, &[u8]), EscapeFault> {
    let [high, low, rest @ ..] = text else {
        return Err(EscapeFault::Cut);
    };
    let illegal = EscapeFault::Illegal(char::from(*high), char::from(*low));
    let (high, low) = hex::value(*high).zip(hex::value(*low)).ok_or(illegal)?;
    Ok((high << 4 | low, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(query: &str) -> String {
        let mut out = Vec::new();
        write_canonical(&parse(query).expect("well formed"), &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn one_canonical_form() {
        for (query, expected) in [
            ("", ""),
            ("a", "a="),
            ("a=&b", "a=&b="),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("a=b=c", "a=b%3Dc"),
            ("a=1%202+3", "a=1%202%203"),
            ("a=%7e%2f%41", "a=~%2FA"),
            ("a=\u{1234}", "a=%E1%88%B4"),
            ("&&a=1&&", "a=1"),
            ("a-b=1&a=2", "a=2&a-b=1"), // by name, not by `name=value`
            ("X-Amz-Signature=1&a=2&X-Amz-Sig%6Eature=3", "a=2"),
            ("x-amz-signature=1", "x-amz-signature=1"),
        ] {
            assert_eq!(canonical(query), expected, "{query}");
        }
    }

    #[test]
    fn broken_escapes_are_named() {
        for (query, fault) in [
            ("a=%", EscapeFault::Cut),
            ("a=%4", EscapeFault::Cut),
            ("%4&b=1", EscapeFault::Cut),
            ("a=%4g", EscapeFault::Illegal('4', 'g')),
            ("a=%%41", EscapeFault::Illegal('%', '4')),
        ] {
            let rejection = parse(query).err();
            assert_eq!(rejection, Some(Rejection::QueryString(fault)), "{query}");
        }
    }

    #[test]
    fn the_first_of_two_counts() {
        let all = parse("X-Amz-Date=1&x-amz-date=0&X-Amz-Date=2").expect("well formed");
        assert_eq!(first(&all, "X-Amz-Date").map(|it| &**it), Some(&b"1"[..]));
        assert_eq!(first(&all, "X-Amz-Expires"), None);
    }
}
