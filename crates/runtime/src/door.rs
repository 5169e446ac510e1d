//! The Runtime API, version 2018-06-01, on a port of loopback that belongs to one process.
//!
//! Source: AWS Lambda Developer Guide, "Using the Lambda runtime API"; the errors' words are those of
//! AWS's runtime interface emulator.

use crate::desk::{Desk, Event, LARGEST, Said, Wrong};
use crate::peers::{Family, Peer};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Answers one process until dropped.
pub(crate) struct Door {
    at: SocketAddr,
    /// Ends with this value.
    _accepting: JoinSet<()>,
}

impl Door {
    /// Opens a door to `desk` for the function `arn`.
    pub(crate) async fn open(desk: Arc<Desk>, arn: &str, family: Arc<Family>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let at = listener.local_addr()?;
        let mut accepting = JoinSet::new();
        let counter = Arc::new(Counter { desk, arn: HeaderValue::from_str(arn).ok() });
        accepting.spawn(accept(listener, counter, family));
        Ok(Self { at, _accepting: accepting })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` says.
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }
}

/// Behind the door.
struct Counter {
    desk: Arc<Desk>,
    arn: Option<HeaderValue>,
}

async fn accept(listener: TcpListener, counter: Arc<Counter>, family: Arc<Family>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (counter, family) = (Arc::clone(&counter), Arc::clone(&family));
        connections.spawn(async move {
            serve(stream, counter, family).await;
            drop(place);
        });
    }
}

async fn serve(stream: TcpStream, counter: Arc<Counter>, family: Arc<Family>) {
    let (Ok(peer), Ok(local)) = (stream.peer_addr(), stream.local_addr()) else { return };
    let found = tokio::task::spawn_blocking(move || family.find(peer, local)).await;
    // Where the kernel tells nothing, ids that can't be guessed have to do.
    if !matches!(found, Ok(Peer::Ours | Peer::Unknown)) {
        tracing::warn!("a process that isn't the function's was sent away from its Runtime API");
        return;
    }
    let service = service_fn(move |request| {
        let counter = Arc::clone(&counter);
        async move { Ok::<_, Infallible>(counter.answer(request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    // A process that ends in the middle of a request is nothing to tell.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

impl Counter {
    async fn answer<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix(PREFIX) else { return error(&NOT_FOUND) };
        let parts: Vec<&str> = path.split('/').collect();
        let post = *request.method() == Method::POST;
        match parts.as_slice() {
            ["invocation", "next"] if *request.method() == Method::GET => self.next().await,
            ["invocation", id, kind @ ("response" | "error")] if post => {
                self.said(id, *kind == "error", request.into_body()).await
            }
            ["init", "error"] if post => self.failed(request.into_body()).await,
            ["invocation", ..] | ["init", "error"] => error(&METHOD),
            _ => error(&NOT_FOUND),
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        match self.desk.next().await {
            Ok(event) => self.work(event),
            Err(wrong) => refused(wrong),
        }
    }

    fn work(&self, event: Event) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(event.payload));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert("lambda-runtime-deadline-ms", event.deadline.millis().into());
        let texts = [
            ("lambda-runtime-aws-request-id", HeaderValue::try_from(event.id).ok()),
            ("lambda-runtime-invoked-function-arn", self.arn.clone()),
            ("lambda-runtime-trace-id", HeaderValue::try_from(event.trace).ok()),
        ];
        headers.extend(
            texts
                .into_iter()
                .filter_map(|(name, value)| Some((http::HeaderName::from_static(name), value?))),
        );
        response
    }

    async fn said<B>(&self, id: &str, failure: bool, body: B) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if let Err(wrong) = self.desk.may_answer(id) {
            return refused(wrong);
        }
        let said = match read(body).await {
            Ok((text, trailers)) => match trailers.get(ERROR_TRAILER) {
                Some(kind) => Said::Failure(streamed(kind, trailers.get(BODY_TRAILER))),
                None if failure => Said::Failure(text),
                None => Said::Answer(text),
            },
            Err(Unread::TooLarge) => Said::TooLarge,
            Err(Unread::Broken) => return error(&BROKEN),
        };
        let large = said == Said::TooLarge;
        match self.desk.answer(id, said) {
            Ok(()) if large => error(&TOO_LARGE),
            Ok(()) => accepted(),
            Err(wrong) => refused(wrong),
        }
    }

    async fn failed<B>(&self, body: B) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let said = match read(body).await {
            Ok((text, _)) => Said::Failure(text),
            Err(Unread::TooLarge) => return error(&TOO_LARGE),
            Err(Unread::Broken) => return error(&BROKEN),
        };
        self.desk.fail(said).map_or_else(refused, |()| accepted())
    }
}

enum Unread {
    Broken,
    TooLarge,
}

/// The whole body, chunked or not, and what came after it.
async fn read<B>(body: B) -> Result<(Bytes, HeaderMap), Unread>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let read = Limited::new(body, LARGEST).collect().await.map_err(|error| {
        let large = error.is::<http_body_util::LengthLimitError>();
        if large { Unread::TooLarge } else { Unread::Broken }
    })?;
    let trailers = read.trailers().cloned().unwrap_or_default();
    Ok((read.to_bytes(), trailers))
}

/// The failure of a streamed answer, which is known only after the answer.
fn streamed(kind: &HeaderValue, body: Option<&HeaderValue>) -> Bytes {
    use base64::Engine as _;
    let text = body.and_then(|it| base64::engine::general_purpose::STANDARD.decode(it).ok());
    let bare = || {
        let kind = kind.to_str().unwrap_or_default();
        serde_json::json!({ "errorType": kind }).to_string().into_bytes()
    };
    text.unwrap_or_else(bare).into()
}

fn accepted() -> Response<Full<Bytes>> {
    reply(StatusCode::ACCEPTED, Bytes::from_static(br#"{"status":"OK"}"#))
}

fn refused(wrong: Wrong) -> Response<Full<Bytes>> {
    match wrong {
        Wrong::Id => error(&INVALID_ID),
        Wrong::Turn => error(&TURN),
    }
}

/// Status, type and message of a refusal.
type Refusal = (StatusCode, &'static str, &'static str);

fn error((status, kind, message): &Refusal) -> Response<Full<Bytes>> {
    let text = serde_json::json!({ "errorMessage": message, "errorType": kind });
    reply(*status, text.to_string().into())
}

fn reply(status: StatusCode, text: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

const PREFIX: &str = "/2018-06-01/runtime/";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ERROR_TRAILER: &str = "lambda-runtime-function-error-type";
const BODY_TRAILER: &str = "lambda-runtime-function-error-body";
/// More than any client holds.
const CONNECTIONS: usize = 64;

const BROKEN: Refusal = (StatusCode::BAD_REQUEST, "InvalidRequest", "The body can't be read");
const INVALID_ID: Refusal = (StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID");
const METHOD: Refusal = (StatusCode::METHOD_NOT_ALLOWED, "InvalidMethod", "Method not allowed");
const NOT_FOUND: Refusal = (StatusCode::NOT_FOUND, "NotFound", "No such path in this version");
const TOO_LARGE: Refusal = (
    StatusCode::PAYLOAD_TOO_LARGE,
    "RequestEntityTooLarge",
    "Exceeded maximum allowed payload size (6291556 bytes).",
);
const TURN: Refusal =
    (StatusCode::FORBIDDEN, "InvalidStateTransition", "State transition is not allowed");
