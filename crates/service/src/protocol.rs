//! The three forms in which requests and answers travel.

use crate::Reply;
use crate::operation::INTERNAL_TEXT;
use base::Uuid;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::query::{self, Parameters};
use wire::rest::{Binding, Manner};
use wire::{Body, Code, json, rest};

/// How a service is spoken to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    /// awsJson.
    Json,
    /// Query: form parameters in, XML out.
    Query(&'static query::Service),
    /// REST-JSON: method and path, JSON in and out.
    Rest(&'static rest::Binding),
}

impl Protocol {
    /// Binds `body` to `T`; the error is the message for the wire.
    pub(crate) fn decode<T: DeserializeOwned>(self, body: &[u8]) -> Result<T, String> {
        match self {
            Self::Json | Self::Rest(_) => json::decode(body).map_err(|it| it.to_string()),
            Self::Query(_) => query::decode(&Parameters::parse(body)).map_err(|it| it.to_string()),
        }
    }

    /// The answer `output` to the operation `name`; the error is for the log.
    pub(crate) fn encode<T: Serialize>(
        self,
        name: &str,
        output: &T,
        request_id: Uuid,
    ) -> Result<Body, String> {
        match self {
            Self::Json | Self::Rest(_) => json::encode(output, 1024).map_err(|it| it.to_string()),
            Self::Query(service) => query::encode(service, name, output, &request_id.to_string())
                .map_err(|it| it.to_string()),
        }
    }

    /// The error `code` with `message`.
    pub(crate) fn fault(self, code: Code, message: &str, request_id: Uuid) -> Reply {
        let body = match self {
            Self::Json => code.json(message),
            Self::Rest(Binding { manner: Manner::Camel, .. }) => code.rest(message),
            Self::Rest(_) => code.rest_pascal(message),
            Self::Query(service) => service.fault(code, message, &request_id.to_string()),
        };
        Reply::told(code, body)
    }

    /// A failure inside, which tells nothing of its cause.
    pub(crate) fn internal(self, cause: String, request_id: Uuid) -> Reply {
        let code = match self {
            Self::Json | Self::Rest(Binding { manner: Manner::Camel, .. }) => Code::INTERNAL,
            Self::Rest(_) => Code { status: 500, ..Code::modelled("ServiceException") },
            Self::Query(_) => Code::query("InternalFailure", 500),
        };
        Reply { cause: Some(cause), ..self.fault(code, INTERNAL_TEXT, request_id) }
    }

    /// The HTTP status of a success.
    pub(crate) fn success(self) -> u16 {
        match self {
            Self::Json | Self::Query(_) => 200,
            Self::Rest(binding) => binding.status,
        }
    }

    /// What a body is called that can't be bound.
    pub(crate) fn undecodable(self) -> Code {
        match self {
            Self::Json | Self::Rest(_) => Code::SERIALIZATION,
            Self::Query(_) => Code::query("MalformedInput", 400),
        }
    }

    /// What too many requests at once are called.
    pub(crate) fn busy(self) -> Code {
        match self {
            Self::Json => Code::THROTTLING,
            Self::Rest(Binding { manner: Manner::Camel, .. }) => {
                Code { status: 429, ..Code::THROTTLING }
            }
            Self::Rest(_) => Code { status: 429, ..Code::protocol("TooManyRequestsException") },
            Self::Query(_) => Code::query("Throttling", 400),
        }
    }
}
