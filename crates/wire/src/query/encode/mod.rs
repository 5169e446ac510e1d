//! An output to XML: members as elements, lists as `<member>`s, maps as `<entry>`s.

use super::Service;
use crate::Body;
use base::Timestamp;
use serde::ser::{self, Impossible, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Display;
use std::io::Write;

/// An output that has no form in XML: a fault of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unwritable(String);

/// The answer of `service` to `action`. An `output` of type `()` has no result element.
pub fn encode<T: Serialize>(
    service: &Service,
    action: &str,
    output: &T,
    request_id: &str,
) -> Result<Body, Unwritable> {
    let mut body = Body::with_capacity(1024);
    let name = format!("{action}Result");
    line(&mut body, 0, &format!("<{action}Response xmlns=\"{}\">", service.namespace));
    output.serialize(Element { out: &mut body, name: &name, depth: 1 })?;
    line(&mut body, 1, "<ResponseMetadata>");
    line(&mut body, 2, &format!("<RequestId>{request_id}</RequestId>"));
    line(&mut body, 1, "</ResponseMetadata>");
    line(&mut body, 0, &format!("</{action}Response>"));
    Ok(body)
}

/// An instant, to the second: `2026-01-31T10:00:00Z`.
pub fn instant<S: Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&Timestamp::from_secs(at.secs()))
}

/// The same for a member that may be left out.
pub fn instant_option<S: Serializer>(at: &Option<Timestamp>, out: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => instant(at, out),
        None => out.serialize_none(),
    }
}

/// A policy document: percent-encoded, as clients expect it. Source: RFC 3986, "Unreserved Characters".
pub fn document<S: Serializer>(text: &str, out: S) -> Result<S::Ok, S::Error> {
    let mut encoded = String::with_capacity(text.len() * 2);
    let digit = |it: u8| char::from_digit(u32::from(it), 16).map(|it| it.to_ascii_uppercase());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(digit(byte >> 4).into_iter().chain(digit(byte & 15)));
        }
    }
    out.serialize_str(&encoded)
}

/// The same for a member that may be left out.
pub fn document_option<S: Serializer>(text: &Option<String>, out: S) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => document(text, out),
        None => out.serialize_none(),
    }
}

/// `text` as XML character data. What XML can't hold becomes a replacement character.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let whole = |it: char| matches!(it, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(whole) {
        return quick_xml::escape::escape(text);
    }
    let text: String =
        text.chars().map(|it| if whole(it) || it == '\r' { it } else { '\u{fffd}' }).collect();
    // A bare carriage return would be read as a line feed.
    Cow::Owned(quick_xml::escape::escape(text.as_str()).replace('\r', "&#xD;"))
}

fn line(out: &mut Body, depth: usize, text: &str) {
    // Writing to memory doesn't fail.
    let _infallible = writeln!(out, "{:1$}{text}", "", depth * 2);
}

/// The element that the next value becomes.
struct Element<'a> {
    out: &'a mut Body,
    name: &'a str,
    depth: usize,
}

impl<'a> Element<'a> {
    fn text(self, text: &str) {
        let Self { out, name, depth } = self;
        let _infallible = write!(out, "{:1$}<{name}>", "", depth * 2);
        let _infallible = out.write_all(escape(text).as_bytes());
        let _infallible = writeln!(out, "</{name}>");
    }

    fn open(self) -> Within<'a> {
        let start = self.out.len();
        line(self.out, self.depth, &format!("<{}>", self.name));
        let (inside, key) = (self.out.len(), String::new());
        Within { out: self.out, name: self.name, depth: self.depth, start, inside, key }
    }
}

/// An element that has begun.
struct Within<'a> {
    out: &'a mut Body,
    name: &'a str,
    depth: usize,
    start: usize,
    inside: usize,
    key: String,
}

impl Within<'_> {
    fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Unwritable> {
        value.serialize(Element { out: self.out, name, depth: self.depth + 1 })
    }

    fn close(self) {
        let Self { out, name, depth, start, inside, .. } = self;
        if out.len() == inside {
            out.truncate(start);
            line(out, depth, &format!("<{name}/>"));
        } else {
            line(out, depth, &format!("</{name}>"));
        }
    }
}

macro_rules! displayed {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<(), Unwritable> {
            self.text(&value.to_string());
            Ok(())
        })*
    };
}

impl<'a> Serializer for Element<'a> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Within<'a>;
    type SerializeTuple = Within<'a>;
    type SerializeTupleStruct = Impossible<(), Unwritable>;
    type SerializeTupleVariant = Impossible<(), Unwritable>;
    type SerializeMap = Within<'a>;
    type SerializeStruct = Within<'a>;
    type SerializeStructVariant = Impossible<(), Unwritable>;

    displayed! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
    }

    fn serialize_str(self, text: &str) -> Result<(), Unwritable> {
        self.text(text);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Unwritable> {
        Err(no_form("bytes"))
    }

    fn serialize_none(self) -> Result<(), Unwritable> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unwritable> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritable> {
        self.open().close();
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Unwritable> {
        self.text(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unwritable> {
        Err(no_form("a variant with a value"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Within<'a>, Unwritable> {
        Ok(self.open())
    }

    fn serialize_tuple(self, _: usize) -> Result<Within<'a>, Unwritable> {
        Ok(self.open())
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Unwritable> {
        Err(no_form("a tuple"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritable> {
        Err(no_form("a variant with values"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Within<'a>, Unwritable> {
        Ok(self.open())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Within<'a>, Unwritable> {
        Ok(self.open())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritable> {
        Err(no_form("a variant with members"))
    }
}

impl ser::SerializeSeq for Within<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.add("member", value)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeTuple for Within<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.add("member", value)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeMap for Within<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        let mut written = Body::default();
        key.serialize(Element { out: &mut written, name: "key", depth: self.depth + 2 })?;
        str::from_utf8(written.as_slice()).unwrap_or_default().clone_into(&mut self.key);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        line(self.out, self.depth + 1, "<entry>");
        let _infallible = self.out.write_all(self.key.as_bytes());
        value.serialize(Element { out: self.out, name: "value", depth: self.depth + 2 })?;
        line(self.out, self.depth + 1, "</entry>");
        Ok(())
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close();
        Ok(())
    }
}

impl ser::SerializeStruct for Within<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        self.add(name, value)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close();
        Ok(())
    }
}

fn no_form(what: &str) -> Unwritable {
    Unwritable(format!("{what} has no form in XML"))
}

impl ser::Error for Unwritable {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

#[cfg(test)]
mod tests;
