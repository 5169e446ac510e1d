//! Types of members: what may stand in a request body, and what anything else is told.
//!
//! `null` for a member is the same as leaving it out, so members are `Option<Text>` and so on.
//! [`SecretText`] and [`Blob`] don't implement `Serialize`: a struct that holds one can be written
//! to an audit record only if the member is skipped.

use base::{Sensitive, Timestamp};
use base64::Engine as _;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// A string.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(String);

/// A string that must not leak: `SecretString`, `RotationToken`.
#[derive(Debug)]
pub struct SecretText(Sensitive);

/// Bytes that arrive as padded standard base64: `SecretBinary`.
#[derive(Debug)]
pub struct Blob(Sensitive);

/// A whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Integer(i64);

/// A truth value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boolean(bool);

/// An instant: seconds since the epoch, with or without a fraction. Exact to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(Timestamp);

/// A structure, which must arrive as a JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure<T>(pub T);

/// A list. `null` elements are dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T>(Vec<T>);

/// Names under which members ask for what a format without types, as Query, must read from a text.
pub(crate) mod kind {
    pub(crate) const BOOLEAN: &str = "Boolean";
    pub(crate) const INTEGER: &str = "Integer";
    pub(crate) const LIST: &str = "List";
}

impl Text {
    /// The string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

impl SecretText {
    /// The text's bytes, UTF-8.
    pub fn value(&self) -> &Sensitive {
        &self.0
    }
}

impl Blob {
    /// The decoded bytes.
    pub fn value(&self) -> &Sensitive {
        &self.0
    }
}

impl Integer {
    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_i64(self.0)
    }
}

impl Boolean {
    /// The truth value.
    pub fn get(self) -> bool {
        self.0
    }
}

impl Serialize for Boolean {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_bool(self.0)
    }
}

impl Instant {
    /// The instant.
    pub fn get(self) -> Timestamp {
        self.0
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&self.0)
    }
}

impl<T: Serialize> Serialize for Structure<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(out)
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> List<T> {
    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(&self.0)
    }
}

/// Refuses every JSON type but the wanted one, in the service's words.
macro_rules! refuse {
    ($wanted:literal: $($kind:ident),*) => { $(refuse!(@ $wanted, $kind);)* };
    (@ $wanted:literal, number) => {
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> { refuse!(# $wanted, "NUMBER_VALUE") }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> { refuse!(# $wanted, "NUMBER_VALUE") }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> { refuse!(# $wanted, "NUMBER_VALUE") }
    };
    (@ $wanted:literal, boolean) => {
        fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
            if value { refuse!(# $wanted, "TRUE_VALUE") } else { refuse!(# $wanted, "FALSE_VALUE") }
        }
    };
    (@ $wanted:literal, string) => {
        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> { refuse!(# $wanted, "STRING_VALUE") }
    };
    (@ $wanted:literal, null) => {
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> { refuse!(# $wanted, "NULL_VALUE") }
    };
    (@ $wanted:literal, list) => {
        fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom("Start of list found where not expected."))
        }
    };
    (@ $wanted:literal, map) => {
        fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err(A::Error::custom("Start of structure or map found where not expected."))
        }
    };
    (# $wanted:literal, $found:literal) => {
        Err(E::custom(concat!($found, " can not be converted to ", $wanted)))
    };
}

/// Takes what a format with types has, whatever the name asked for.
macro_rules! as_named {
    () => {
        fn visit_newtype_struct<D: Deserializer<'de>>(
            self,
            input: D,
        ) -> Result<Self::Value, D::Error> {
            input.deserialize_any(self)
        }
    };
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    refuse!("a String": number, boolean, null, list, map);
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(TextVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Sensitive;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Sensitive, E> {
        Ok(Sensitive::from(text.as_bytes()))
    }

    refuse!("a String": number, boolean, null, list, map);
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(SecretVisitor).map(Self)
    }
}

struct BlobVisitor;

impl<'de> Visitor<'de> for BlobVisitor {
    type Value = Blob;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Blob, E> {
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .map(|bytes| Blob(Sensitive::new(bytes)))
            .map_err(|_| E::custom("Invalid Base64 value."))
    }

    refuse!("a ByteBuffer": number, boolean, null, list, map);
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(BlobVisitor)
    }
}

struct IntegerVisitor;

impl<'de> Visitor<'de> for IntegerVisitor {
    type Value = Integer;

    as_named!();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Integer, E> {
        Ok(Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Integer, E> {
        i64::try_from(number)
            .map(Integer)
            .map_err(|_| E::custom("NUMBER_VALUE can not be converted to a Long"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Integer, E> {
        Err(E::custom("NUMBER_VALUE can not be converted to a Long"))
    }

    refuse!("a Long": boolean, string, null, list, map);
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_newtype_struct(kind::INTEGER, IntegerVisitor)
    }
}

struct InstantVisitor;

/// The last second of the year 9999, beyond which no date is written.
const LAST_SECOND: i64 = 253_402_300_799;

impl InstantVisitor {
    fn check<E: Error>(millis: i64) -> Result<Instant, E> {
        let possible = (0..=LAST_SECOND * 1000).contains(&millis);
        let instant = possible.then(|| Instant(Timestamp::from_millis(millis)));
        instant.ok_or_else(|| E::custom("NUMBER_VALUE can not be converted to a Date"))
    }
}

impl<'de> Visitor<'de> for InstantVisitor {
    type Value = Instant;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("seconds since the epoch")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Instant, E> {
        Self::check(seconds.saturating_mul(1000))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Instant, E> {
        self.visit_i64(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Instant, E> {
        #[expect(clippy::cast_possible_truncation, reason = "casts saturate, and `check` bounds")]
        let millis = (seconds * 1000.0).round() as i64;
        Self::check(millis)
    }

    refuse!("a Date": boolean, string, null, list, map);
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(InstantVisitor)
    }
}

struct BooleanVisitor;

impl<'de> Visitor<'de> for BooleanVisitor {
    type Value = Boolean;

    as_named!();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a boolean")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Boolean, E> {
        Ok(Boolean(value))
    }

    refuse!("a Boolean": number, string, null, list, map);
}

impl<'de> Deserialize<'de> for Boolean {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_newtype_struct(kind::BOOLEAN, BooleanVisitor)
    }
}

struct StructureVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for StructureVisitor<T> {
    type Value = Structure<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a structure")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Structure<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Structure)
    }

    refuse!("a structure": number, boolean, string, null, list);
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Structure<T> {
    // By way of a map: derived code would also take a list, member by member.
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(StructureVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    as_named!();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<List<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element::<Option<T>>()? {
            list.extend(element);
        }
        Ok(List(list))
    }

    refuse!("a List": number, boolean, string, null, map);
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_newtype_struct(kind::LIST, ListVisitor(PhantomData))
    }
}
