//! The Query protocol: form parameters in, XML out.

use crate::Body;
use std::borrow::Cow;

/// The content type of every Query answer.
pub const CONTENT_TYPE: &str = "text/xml";

/// `name=value` parameters of a form body or a query string, in arrival order.
///
/// At most 1,000 are kept; a repeated name keeps its first value.
#[derive(Debug, Default)]
pub struct Parameters<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Parameters<'a> {
    /// Takes `form` apart. Invalid UTF-8 becomes replacement characters, which no name has.
    pub fn parse(form: &'a [u8]) -> Self {
        Self(form_urlencoded::parse(form).take(1000).collect())
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_ref())
    }
}

/// The answer to `action`: `members` (already XML) in a result, and the request id.
pub fn response(namespace: &str, action: &str, members: &str, request_id: &str) -> Body {
    Body::from(
        format!(
            "<{action}Response xmlns=\"{namespace}\">\n  <{action}Result>\n{members}  \
             </{action}Result>\n  <ResponseMetadata>\n    <RequestId>{request_id}</RequestId>\n  \
             </ResponseMetadata>\n</{action}Response>\n"
        )
        .as_str(),
    )
}

/// One element of a result.
pub fn element(name: &str, text: &str) -> String {
    format!("    <{name}>{}</{name}>\n", escape(text))
}

/// `text` as XML character data.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
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
    }

    #[test]
    fn answers_are_wrapped_and_escaped() {
        let body = response("urn:x", "Do", &element("Arn", "a&b"), "id");
        let text = str::from_utf8(body.as_slice()).expect("text");
        assert!(text.contains("<DoResult>\n    <Arn>a&amp;b</Arn>\n  </DoResult>"), "{text}");
    }
}
