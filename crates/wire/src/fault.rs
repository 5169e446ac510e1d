//! Error codes and the form they take on the wire.

use crate::Body;
use crate::query::escape;
use std::io::Write;

/// Which member of an awsJson error body carries the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// `message`: validation and authentication errors.
    Lower,
    /// No message at all: `UnknownOperationException`.
    None,
    /// `Message`: Secrets Manager's modelled errors.
    Upper,
}

/// An error's name and status, without its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The shape's name, as in `__type`: `ResourceNotFoundException`.
    pub name: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Where the message goes.
    pub member: Member,
    /// The name in an audit record: `AccessDenied` for `AccessDeniedException`, else `name`.
    pub recorded: &'static str,
}

impl Code {
    /// A modelled error: 400 with `Message`.
    pub const fn modelled(name: &'static str) -> Self {
        Self { name, status: 400, member: Member::Upper, recorded: name }
    }

    /// An error of the protocol: 400 with `message`.
    pub const fn protocol(name: &'static str) -> Self {
        Self { name, status: 400, member: Member::Lower, recorded: name }
    }

    /// An error of a service that speaks Query: its name there, and its status.
    pub const fn query(name: &'static str, status: u16) -> Self {
        Self { name, status, member: Member::Upper, recorded: name }
    }

    /// A policy forbids it, or none permits it.
    pub const ACCESS_DENIED: Self = Self {
        name: "AccessDeniedException",
        status: 400,
        member: Member::Upper,
        recorded: "AccessDenied",
    };

    /// The service failed; the cause is in its log under the request id.
    pub const INTERNAL: Self = Self {
        name: "InternalServiceError",
        status: 500,
        member: Member::Upper,
        recorded: "InternalServiceError",
    };

    /// Too many requests; clients retry it.
    pub const THROTTLING: Self = Self::protocol("ThrottlingException");

    /// No such operation, or not built.
    pub const UNKNOWN_OPERATION: Self = Self {
        name: "UnknownOperationException",
        status: 400,
        member: Member::None,
        recorded: "UnknownOperationException",
    };

    /// A body that can't be bound to the operation's types.
    pub const SERIALIZATION: Self = Self::modelled("SerializationException");

    /// A member that breaks one of the model's constraints.
    pub const VALIDATION: Self = Self::protocol("ValidationException");

    /// The awsJson body: `{"__type":…,"Message":…}`.
    pub fn json(&self, message: &str) -> Body {
        let mut body = Body::with_capacity(64 + self.name.len() + message.len());
        let member = match self.member {
            Member::Lower => ",\"message\":",
            Member::None => "",
            Member::Upper => ",\"Message\":",
        };
        // Writing to memory doesn't fail; a text serialises always.
        let _infallible = write!(body, "{{\"__type\":\"{}\"{member}", self.name);
        if self.member != Member::None {
            let _infallible = serde_json::to_writer(&mut body, message);
        }
        let _infallible = body.write_all(b"}");
        body
    }
}

/// The Query protocol's error document.
///
/// `namespace` is the service's, such as `https://sts.amazonaws.com/doc/2011-06-15/`.
pub fn query_error(
    namespace: &str,
    code: &str,
    status: u16,
    message: &str,
    request_id: &str,
) -> Body {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let (code, message) = (escape(code), escape(message));
    Body::from(
        format!(
            "<ErrorResponse xmlns=\"{namespace}\">\n  <Error>\n    <Type>{fault}</Type>\n    \
             <Code>{code}</Code>\n    <Message>{message}</Message>\n  </Error>\n  \
             <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
        )
        .as_str(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_member() {
        for (code, message, expected) in [
            (
                Code::modelled("ResourceNotFoundException"),
                "can't",
                r#"{"__type":"ResourceNotFoundException","Message":"can't"}"#,
            ),
            (Code::VALIDATION, "a\"b", r#"{"__type":"ValidationException","message":"a\"b"}"#),
            (Code::UNKNOWN_OPERATION, "unused", r#"{"__type":"UnknownOperationException"}"#),
        ] {
            assert_eq!(code.json(message).as_slice(), expected.as_bytes());
        }
    }

    #[test]
    fn query_errors_are_escaped_xml() {
        let body = query_error("urn:x", "SignatureDoesNotMatch", 403, "a<b&c", "id-1");
        let text = str::from_utf8(body.as_slice()).expect("text");
        assert!(text.contains("<Message>a&lt;b&amp;c</Message>"), "{text}");
        assert!(text.contains("<Type>Sender</Type>"), "{text}");
    }
}
