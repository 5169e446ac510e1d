//! JSON with its members in their order and its numbers in one spelling.
//!
//! A member named twice is refused: two readers of the same text must not see two policies. The
//! syntax itself is `serde_json`'s; this only decides what to keep.

use crate::{Invalid, number};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::fmt;

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    /// In its canonical spelling, see [`number::canonical`].
    Number(Box<str>),
    Text(String),
    List(Vec<Node>),
    /// INVARIANT: no two members have the same name.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The members of an object.
    pub(crate) fn members(&self) -> Result<&[(String, Self)], Invalid> {
        match self {
            Self::Object(members) => Ok(members),
            _ => Err(Invalid::syntax("must be an object")),
        }
    }

    /// A string.
    pub(crate) fn text(&self) -> Result<&str, Invalid> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(Invalid::syntax("must be a string")),
        }
    }

    /// The values of a list that isn't empty, or the one value that stands there without a list.
    pub(crate) fn one_or_more<T>(
        &self,
        read: impl Fn(&Self) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, Invalid> {
        match self {
            Self::List(values) if values.is_empty() => {
                Err(Invalid::syntax("the list must not be empty"))
            }
            Self::List(values) => {
                let values = values.iter().enumerate();
                values.map(|(index, it)| read(it).map_err(|it| it.at(index))).collect()
            }
            value => Ok(vec![read(value)?]),
        }
    }
}

/// Reads one JSON value, at most [`MAX_CHARS`] long and [`MAX_DEPTH`] deep.
pub(crate) fn parse(text: &str) -> Result<Node, Invalid> {
    if text.chars().nth(MAX_CHARS).is_some() {
        return Err(Invalid::syntax("the policy is too long"));
    }
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| {
        let problem = if error.is_eof() { "the text ends too early" } else { "not JSON" };
        Invalid::syntax(problem).at_position(error.line(), error.column())
    })?;
    Reader { text }.node(whole.get(), MAX_DEPTH)
}

/// The element `name` of the object that `text` spells, value by value if it is a list. Empty if
/// there is no such element. Names the element's last occurrence; [`parse`] refuses several.
pub(crate) fn pieces<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let members: Option<Members<'a>> = serde_json::from_str(text).ok();
    let found = members.and_then(|it| it.0.into_iter().rfind(|(known, _)| known == name));
    let Some((_, value)) = found else { return Vec::new() };
    let list: Option<Vec<&RawValue>> = serde_json::from_str(value.get()).ok();
    list.map_or_else(|| vec![value.get()], |it| it.into_iter().map(RawValue::get).collect())
}

/// Where `piece`, a part of `text`, starts, in bytes.
pub(crate) fn offset(text: &str, piece: &str) -> usize {
    piece.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

/// Line and column of a place in `text`, both counted from 1, the column in characters.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|it| *it != '\n').count() + 1;
    (line, column)
}

struct Reader<'a> {
    text: &'a str,
}

impl<'a> Reader<'a> {
    /// The value that `raw`, a well-formed piece of the text, spells; `room` levels may follow.
    fn node(&self, raw: &'a str, room: usize) -> Result<Node, Invalid> {
        let room = room.checked_sub(1).ok_or_else(|| self.fault("nested too deeply", raw))?;
        // What is still wrong in well-formed JSON is half a surrogate pair in a string.
        let out_of_range = || self.fault("the number is out of range", raw);
        let unreadable = |_| self.fault("a string is not Unicode", raw);
        Ok(match raw.as_bytes().first() {
            Some(b'{') => {
                let Members(members) = serde_json::from_str(raw).map_err(unreadable)?;
                self.object(members, room)?
            }
            Some(b'[') => {
                let values: Vec<&RawValue> = serde_json::from_str(raw).map_err(unreadable)?;
                let values = values.into_iter().map(|it| self.node(it.get(), room));
                Node::List(values.collect::<Result<_, _>>()?)
            }
            Some(b'"') => Node::Text(serde_json::from_str(raw).map_err(unreadable)?),
            Some(b'n') => Node::Null,
            Some(b't') => Node::Bool(true),
            Some(b'f') => Node::Bool(false),
            _ => Node::Number(number::canonical(raw).ok_or_else(out_of_range)?),
        })
    }

    fn object(&self, members: Vec<(String, &'a RawValue)>, room: usize) -> Result<Node, Invalid> {
        let mut names = BTreeSet::new();
        for (name, value) in &members {
            if !names.insert(name.as_str()) {
                return Err(self.fault("a member is named twice", value.get()).showing(name));
            }
        }
        let members = members
            .into_iter()
            .map(|(name, value)| Ok((name, self.node(value.get(), room)?)))
            .collect::<Result<_, Invalid>>()?;
        Ok(Node::Object(members))
    }

    /// A fault in the value that `raw`, a piece of the text, spells.
    fn fault(&self, problem: &'static str, raw: &str) -> Invalid {
        let (line, column) = position(self.text, offset(self.text, raw));
        Invalid::syntax(problem).at_position(line, column)
    }
}

/// The members of an object, in order, doubled ones included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        input.deserialize_map(InOrder)
    }
}

/// A policy needs 6 levels; what is printed is read back, so this bounds both.
const MAX_DEPTH: usize = 32;

/// Room for the longest text that a caller may send (20,480 characters), once it is printed in
/// the indented form and read back.
const MAX_CHARS: usize = 8 * 20_480;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order() {
        let node = parse(r#" {"b":1.50,"a":[null,true,"\u00e9"],"":{}} "#).expect("valid");
        let expected = Node::Object(vec![
            ("b".into(), Node::Number("1.5".into())),
            ("a".into(), Node::List(vec![Node::Null, Node::Bool(true), Node::Text("é".into())])),
            (String::new(), Node::Object(vec![])),
        ]);
        assert_eq!(node, expected);
    }

    #[test]
    fn refuses_and_says_where() {
        for (text, detail) in [
            ("", "line 1, column 0: the text ends too early"),
            ("{\n  \"a\"", "line 2, column 5: the text ends too early"),
            ("{\n  'a'", "line 2, column 3: not JSON"),
            ("{} {}", "line 1, column 4: not JSON"),
            ("\u{feff}{}", "line 1, column 1: not JSON"),
            ("\"a\tb\"", "line 1, column 2: not JSON"),
            ("[01]", "line 1, column 3: not JSON"),
            (r#"{"a":1,"b":2,"a":3}"#, "line 1, column 18: a member is named twice, found `a`"),
            (r#"{"a":1,"\u0061":3}"#, "line 1, column 17: a member is named twice, found `a`"),
            ("[1,\n 1e999]", "line 2, column 2: the number is out of range"),
            (r#"["é","\ud800"]"#, "line 1, column 6: a string is not Unicode"),
            (r#"{"\udc00":1}"#, "line 1, column 1: a string is not Unicode"),
        ] {
            assert_eq!(parse(text).expect_err(text).detail(), detail, "{text}");
        }
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert!(parse(&nested(MAX_DEPTH + 1)).is_err());
        assert!(parse(&nested(80_000)).is_err());
        assert!(parse(&"[".repeat(160_000)).is_err());
        assert!(parse(&format!("\"{}\"", "é".repeat(MAX_CHARS - 2))).is_ok());
        assert!(parse(&format!("\"{}\"", "é".repeat(MAX_CHARS - 1))).is_err());
    }
}
