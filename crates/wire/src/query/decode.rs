//! Parameters to the struct of an operation.
//!
//! Members are those of [`crate::members`]. All values arrive as text, so numbers, truth values and lists
//! say by name what they want to read.

use super::Parameters;
use super::tree::Node;
use crate::members::kind;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt::{self, Display};

/// Parameters that can't be bound to the operation's types. Holds the message for the wire, which never
/// quotes a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(&'static str);

/// Binds `parameters` to `T`. Those that `T` doesn't know are skipped.
///
/// # Errors
///
/// [`Malformed`]: a value that is no number, a list that isn't numbered, a structure where a text belongs.
pub fn decode<T: DeserializeOwned>(parameters: &Parameters<'_>) -> Result<T, Malformed> {
    if parameters.overflows {
        return Err(TOO_MANY);
    }
    T::deserialize(&Node::of(parameters))
}

const TOO_MANY: Malformed = Malformed("The request has more than 1000 parameters.");
const NOT_FLAT: Malformed = Malformed("Start of structure or map found where not expected.");
const NO_LIST: Malformed = Malformed("A list must be numbered, as in Name.member.1.");
const NO_MAP: Malformed = Malformed("A map must be numbered, as in Name.entry.1.key.");
const NO_NUMBER: Malformed = Malformed("A parameter can not be converted to an Integer.");
const NO_TRUTH: Malformed = Malformed("A parameter can not be converted to a Boolean.");
const OTHER: Malformed = Malformed("A parameter has an unexpected value.");

impl<'de> Node<'de> {
    fn text(&self) -> Result<&'de str, Malformed> {
        self.value.filter(|_| self.below.is_empty()).ok_or(NOT_FLAT)
    }
}

impl<'de> Deserializer<'de> for &Node<'de> {
    type Error = Malformed;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        match name {
            kind::BOOLEAN => visitor.visit_bool(truth(self.text()?)?),
            kind::INTEGER => visitor.visit_i64(self.text()?.parse().map_err(|_| NO_NUMBER)?),
            kind::LIST => self.deserialize_seq(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        let elements = self.numbered("member").ok_or(NO_LIST)?;
        visitor.visit_seq(SeqDeserializer::new(elements.into_iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        let entries = self.numbered("entry").ok_or(NO_MAP)?;
        let mut pairs = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = entry.below.get("key").ok_or(NO_MAP)?.text()?;
            pairs.push((key, entry.below.get("value").ok_or(NO_MAP)?));
        }
        visitor.visit_map(MapDeserializer::new(pairs.into_iter()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        if self.value.is_some_and(|it| !it.is_empty()) {
            return Err(OTHER);
        }
        visitor.visit_map(MapDeserializer::new(self.below.iter().map(|(name, it)| (*name, it))))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit tuple
        tuple_struct enum identifier
    }
}

impl<'de> IntoDeserializer<'de, Malformed> for &Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn truth(text: &str) -> Result<bool, Malformed> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(NO_TRUTH),
    }
}

impl Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

impl Error for Malformed {
    /// What a type says of a value may quote it.
    fn custom<T: Display>(_: T) -> Self {
        OTHER
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::{Boolean, Integer, List, Text};
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Sample {
        user_name: Option<Text>,
        max_items: Option<Integer>,
        only_attached: Option<Boolean>,
        policy_arns: Option<List<Text>>,
        tags: Option<List<Tag>>,
        inner: Option<Tag>,
        attributes: Option<BTreeMap<String, Text>>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Tag {
        key: Option<Text>,
        value: Option<Text>,
    }

    fn sample(form: &str) -> Result<Sample, Malformed> {
        decode(&Parameters::parse(form.as_bytes()))
    }

    #[test]
    fn binds_every_kind_of_member() {
        let form = "Action=X&UserName=a%26b&MaxItems=-7&OnlyAttached=TRUE&PolicyArns.member.10=j&\
                    PolicyArns.member.2=b&Tags.member.1.Key=k&Tags.member.1.Value=&Inner.Value=v&\
                    Attributes.entry.1.key=x&Attributes.entry.1.value=y&Unknown.deep.er=1";
        let found = serde_json::to_value(sample(form).expect("bound")).expect("JSON");
        let expected = serde_json::json!({
            "UserName": "a&b", "MaxItems": -7, "OnlyAttached": true, "PolicyArns": ["b", "j"],
            "Tags": [{ "Key": "k", "Value": "" }], "Inner": { "Key": null, "Value": "v" },
            "Attributes": { "x": "y" },
        });
        assert_eq!(found, expected);
        assert_eq!(sample("Action=X"), Ok(Sample::default()));
        let empty = sample("Tags=&PolicyArns=").expect("bound");
        assert_eq!((empty.tags, empty.policy_arns), (Some(List::default()), Some(List::default())));
    }

    #[test]
    fn what_cant_be_bound() {
        for (form, expected) in [
            ("UserName.x=1", NOT_FLAT),
            ("UserName=a&UserName.x=1", NOT_FLAT),
            ("MaxItems=", NO_NUMBER),
            ("MaxItems=1e3", NO_NUMBER),
            ("MaxItems=99999999999999999999", NO_NUMBER),
            ("OnlyAttached=1", NO_TRUTH),
            ("Tags=x", NO_LIST),
            ("Tags.1.Key=x", NO_LIST),
            ("Tags.member.x.Key=x", NO_LIST),
            ("Tags.member.-1.Key=x", NO_LIST),
            ("Tags.member.1=x", OTHER),
            ("Attributes.entry.1.value=x", NO_MAP),
            (&"a=&".repeat(1001), TOO_MANY),
        ] {
            assert_eq!(sample(form), Err(expected), "{form:.30}");
        }
        let deep = format!("{}=1", "UserName.".repeat(100_000));
        assert_eq!(sample(&deep), Err(NOT_FLAT), "without a deep stack");
    }

    proptest! {
        #[test]
        fn any_bytes_are_bound_or_refused(form in any::<Vec<u8>>()) {
            let _either = decode::<Sample>(&Parameters::parse(&form));
        }

        #[test]
        fn any_parameters_are_bound_or_refused(
            form in "((Tags|Inner|MaxItems|Attributes|UserName|member|entry|key|value|Key|1|0|\\.){1,6}=?[a0&]{0,2}&?){0,6}",
        ) {
            let _either = sample(&form);
        }

        #[test]
        fn texts_come_back(texts in prop::collection::vec(any::<String>(), 0..30), count in any::<i64>()) {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (index, text) in texts.iter().enumerate() {
                form.append_pair(&format!("Tags.member.{}.Key", index + 1), text);
            }
            form.append_pair("MaxItems", &count.to_string());
            let found = sample(&form.finish()).expect("bound");
            let tags = found.tags.unwrap_or_default();
            let keys: Vec<_> = tags.as_slice().iter().filter_map(|it| it.key.as_ref()).collect();
            prop_assert_eq!(keys.iter().map(|it| it.as_str()).collect::<Vec<_>>(), texts);
            prop_assert_eq!(found.max_items.map(Integer::get), Some(count));
        }
    }
}
