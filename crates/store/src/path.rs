//! Keys: readable paths such as `s/111122223333/eu-central-1/secret/…`.
//!
//! A path is components joined by `/`. Within a component `/` and `%` are written `%2F` and `%25`,
//! so that a path is taken apart the way it was put together. Only a last component may be
//! [`rest`](Path::rest): raw text that keeps its order and may hold `/`.

use std::fmt::Display;
use std::ops::Bound;

/// A key under construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// A path that begins with `root`, such as `s` or `outbox`.
    pub fn new(root: &str) -> Self {
        let mut path = String::with_capacity(TYPICAL);
        path.push_str(root);
        Self(path)
    }

    /// The path with one more component.
    pub fn with(mut self, component: impl AsRef<str>) -> Self {
        let component = component.as_ref();
        self.0.push('/');
        if component.bytes().any(|it| matches!(it, b'/' | b'%')) {
            self.0.push_str(&component.replace('%', "%25").replace('/', "%2F"));
        } else {
            self.0.push_str(component);
        }
        self
    }

    /// The path with one more component, as `component` is displayed.
    pub fn with_shown(self, component: impl Display) -> Self {
        self.with(component.to_string())
    }

    /// The path with `text` as its last component, unescaped: sorted as it is.
    pub fn rest(self, text: &str) -> String {
        let Self(mut path) = self;
        path.push('/');
        path.push_str(text);
        path
    }

    /// The prefix of all keys below this path: the path and a `/`.
    pub fn below(self) -> String {
        let Self(mut path) = self;
        path.push('/');
        path
    }

    /// The key itself.
    pub fn key(self) -> String {
        self.0
    }
}

/// Room for most keys.
const TYPICAL: usize = 112;

/// The components of `key`, unescaped; `None` where an escape is broken.
pub fn components(key: &str) -> Option<Vec<String>> {
    key.split('/').map(unescape).collect()
}

fn unescape(component: &str) -> Option<String> {
    let mut out = String::with_capacity(component.len());
    let mut parts = component.split('%');
    out.push_str(parts.next()?);
    for part in parts {
        out.push(match part.get(..2)? {
            "2F" => '/',
            "25" => '%',
            _ => return None,
        });
        out.push_str(part.get(2..)?);
    }
    Some(out)
}

/// The end of the range of keys that start with `prefix`.
pub(crate) fn after_prefix(prefix: &str) -> Bound<String> {
    let mut end: Vec<char> = prefix.chars().collect();
    while let Some(last) = end.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            end.push(next);
            return Bound::Excluded(end.into_iter().collect());
        }
    }
    Bound::Unbounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyRange;

    #[test]
    fn components_survive() {
        let key = Path::new("s").with("a/b").with("50%").with("").with("x").key();
        assert_eq!(key, "s/a%2Fb/50%25//x");
        assert_eq!(components(&key).expect("whole"), ["s", "a/b", "50%", "", "x"]);
        assert_eq!(components("s/%"), None);
        assert_eq!(components("s/%2"), None);
        assert_eq!(components("s/%2f"), None);
        assert_eq!(components("s/%é"), None);
    }

    #[test]
    fn a_prefix_holds_its_keys_and_no_others() {
        let range = KeyRange::prefix("s/a/");
        for (key, inside) in
            [("s/a/", true), ("s/a/z", true), ("s/a", false), ("s/a0", false), ("s/b/", false)]
        {
            assert_eq!(range.contains(key), inside, "{key}");
        }
        assert!(KeyRange::prefix("").contains("anything"));
        assert!(KeyRange::prefix("\u{10ffff}").contains("\u{10ffff}x"));
    }
}
