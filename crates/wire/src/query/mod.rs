//! The Query protocol: form parameters in, XML out.
//!
//! Read [`Parameters`] first (a request's body or query string), then [`decode()`] (parameters to an
//! operation's struct) and [`encode()`] (an output to XML).
//!
//! Source: Smithy, "AWS Query protocol".

mod decode;
mod encode;
mod tree;

use crate::fault::query_error;
use crate::{Body, Code};
use std::borrow::Cow;

pub use decode::{Malformed, decode};
pub(crate) use encode::escape;
pub use encode::{Unwritable, document, document_option, encode, instant, instant_option};

/// The content type of every Query answer.
pub const CONTENT_TYPE: &str = "text/xml";

/// So many parameters are kept.
const KEPT: usize = 1000;

/// A service that speaks the Query protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// The namespace of its answers: `https://iam.amazonaws.com/doc/2010-05-08/`.
    pub namespace: &'static str,
    /// The API's version, the `Version` of every request: `2010-05-08`.
    pub version: &'static str,
}

impl Service {
    /// The error `code` with `message`, in XML.
    pub fn fault(&self, code: Code, message: &str, request_id: &str) -> Body {
        query_error(self.namespace, code.name, code.status, message, request_id)
    }
}

/// `name=value` parameters of a form body or a query string, in arrival order.
///
/// At most 1,000 are kept; a repeated name keeps its first value.
#[derive(Debug, Default)]
pub struct Parameters<'a> {
    kept: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    overflows: bool,
}

impl<'a> Parameters<'a> {
    /// Takes `form` apart. Invalid UTF-8 becomes replacement characters, which no name has.
    pub fn parse(form: &'a [u8]) -> Self {
        let mut pairs = form_urlencoded::parse(form);
        let kept = pairs.by_ref().take(KEPT).collect();
        Self { kept, overflows: pairs.next().is_some() }
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.kept.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_ref())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kept.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_value_of_a_name_wins() {
        let form = Parameters::parse(b"Action=GetCallerIdentity&Version=2011-06-15&Action=x&a=%C3");
        assert_eq!(form.get("Action"), Some("GetCallerIdentity"));
        assert_eq!(form.get("Version"), Some("2011-06-15"));
        assert_eq!(form.get("absent"), None);
        assert!(!form.overflows);
    }

    #[test]
    fn errors_are_wrapped_and_escaped() {
        let service = Service { namespace: "urn:x", version: "1" };
        let body = service.fault(Code::query("NoSuchEntity", 404), "a&b", "id");
        let text = str::from_utf8(body.as_slice()).expect("text");
        assert!(text.contains("<Code>NoSuchEntity</Code>"), "{text}");
        assert!(text.contains("<Message>a&amp;b</Message>"), "{text}");
    }
}
