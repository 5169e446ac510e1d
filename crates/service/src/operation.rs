//! What every API operation provides.

use crate::execute::{Failure, Ports, execute, named, record_only};
use crate::protocol::Protocol;
use crate::{Call, Event, Permit};
use policy::engine::Values;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use store::{Backend, Txn};
use wire::rest::{Binding, Manner};
use wire::{Body, Code, Violations, json, query, rest};

/// An IAM action, `service:Operation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action(pub &'static str);

/// One API operation: its input is the type itself.
///
/// It serialises (camelCase, secrets skipped) as the `requestParameters` of its audit record.
pub trait Operation: DeserializeOwned + Serialize + Send + Sync + 'static {
    /// The operation's name on the wire.
    const NAME: &'static str;
    /// The service it belongs to, as its audit records say: the `eventSource`.
    const SOURCE: &'static str = crate::audit::SERVICE;
    /// What its audit records call it: the `eventName`.
    const RECORDED: &'static str = Self::NAME;
    /// Whether its records are of data and not of management.
    const IS_DATA: bool = false;
    /// What the caller must be allowed to do.
    const ACTION: Action;
    /// Whether audit records call it read-only: a constant, whatever the outcome.
    const READ_ONLY: bool;
    /// What a success answers.
    type Output: Serialize + Send;
    /// Why it may say no.
    type Error: Fault;

    /// Notes every constraint of the model that the input breaks.
    fn constraints(&self, found: &mut Violations);

    /// The value that the input has for a condition key, which is in lower case as a whole:
    /// `secretsmanager:versionstage`, `aws:requesttag/team`. A key exists only if its parameter was given.
    fn condition(&self, _key: &str) -> Option<Values<'_>> {
        None
    }

    /// Does it, within `txn`. May run several times; only the last run is committed.
    fn run(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> impl Future<Output = Result<Answer<Self::Output>, Self::Error>> + Send;

    /// Whether a success stands even if what it has written can't be kept, because the store is full: of a
    /// read that is no more than a mark, such as its day.
    fn only_marks(&self) -> bool {
        Self::READ_ONLY
    }

    /// The answer as it leaves, where that isn't the output in JSON.
    fn framed(_output: &Self::Output) -> Option<Framed> {
        None
    }

    /// The `responseElements` of the audit record: nothing, for reads.
    fn elements(_output: &Self::Output) -> Option<serde_json::Value> {
        None
    }
}

/// An answer that isn't its output in JSON.
#[derive(Debug)]
pub struct Framed {
    /// HTTP status.
    pub status: u16,
    /// Headers: names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

/// An output that a permit has unlocked. Only [`execute`] opens it, after the audit record.
#[derive(Debug)]
pub struct Answer<T> {
    output: T,
    events: Vec<Event>,
}

impl<T> Answer<T> {
    /// The answer `output`, given under `permit`.
    pub fn new(_permit: Permit, output: T) -> Self {
        Self { output, events: Vec::new() }
    }

    /// The same, with further audit records.
    pub fn with_events(self, events: Vec<Event>) -> Self {
        Self { events, ..self }
    }

    pub(crate) fn output(&self) -> &T {
        &self.output
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(crate) fn into_output(self) -> T {
        self.output
    }
}

/// A reason to say no, and the one place that knows its form on the wire.
pub trait Fault: std::error::Error + Send + Sync + 'static {
    /// Its name and status. The message is the error's `Display`.
    fn code(&self) -> Code;

    /// Whether what was written before it stays: that somebody has tried, so that not everything can be.
    fn is_counted(&self) -> bool {
        false
    }

    /// Whether its text is for the log only: of a failure inside.
    fn is_internal(&self) -> bool {
        self.code().status >= 500
    }

    /// Whether it is no answer: what was read is old, and the operation starts again.
    fn is_outdated(&self) -> bool {
        false
    }

    /// What others have to make before there is another answer. What was written asks them to: it is kept, and
    /// the operation starts again when they are done. It is the answer if that takes too long.
    fn awaits(&self) -> Option<&str> {
        None
    }
}

/// What goes back to the client.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Further headers: names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body, without its content type.
    pub body: Body,
    /// The error's wire name, if it is one.
    pub error: Option<&'static str>,
    /// What went wrong inside, for the log and never for the wire.
    pub cause: Option<String>,
}

impl Reply {
    /// The error `code` with `message`.
    pub fn fault(code: Code, message: &str) -> Self {
        Self::told(code, code.json(message))
    }
}

impl Reply {
    /// The success `body` with `status`.
    pub fn success(status: u16, body: Body) -> Self {
        Self { status, headers: Vec::new(), body, error: None, cause: None }
    }

    /// The error `code`, told as `body`.
    pub fn told(code: Code, body: Body) -> Self {
        Self { error: Some(code.name), ..Self::success(code.status, body) }
    }
}

/// A row of a service's operation table: a name and what serves it.
#[derive(Clone, Copy)]
pub struct Row {
    /// The operation's name on the wire.
    pub name: &'static str,
    /// The service it belongs to: the `eventSource` of its audit records.
    pub source: &'static str,
    /// What its audit records call it: the `eventName`.
    pub recorded: &'static str,
    /// Whether audit records call it read-only.
    pub read_only: bool,
    pub(crate) is_data: bool,
    pub(crate) protocol: Protocol,
    serve: Handler,
    bind: fn(&[u8], Protocol) -> Result<(), String>,
    rehearse: Rehearse,
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
type Rehearse = for<'a> fn(&'a Call<'a>, &'a Value, Protocol, &'a dyn Backend) -> Asking<'a>;
type Serving<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;
type Handler = for<'a> fn(&'a Call<'a>, &'a [u8], Protocol, Ports<'a>) -> Serving<'a>;

impl Row {
    /// The row of operation `O` of a service that speaks awsJson.
    pub const fn of<O: Operation>() -> Self {
        Self::speaking::<O>(Protocol::Json)
    }

    /// The row of operation `O` of `service`, which speaks Query.
    pub const fn query<O: Operation>(service: &'static query::Service) -> Self {
        Self::speaking::<O>(Protocol::Query(service))
    }

    /// The row of operation `O`, which is asked for by method and path, as `binding` says.
    pub const fn rest<O: Operation>(binding: &'static rest::Binding) -> Self {
        Self::speaking::<O>(Protocol::Rest(binding))
    }

    const fn speaking<O: Operation>(protocol: Protocol) -> Self {
        Self {
            name: O::NAME,
            source: O::SOURCE,
            recorded: O::RECORDED,
            read_only: O::READ_ONLY,
            is_data: O::IS_DATA,
            protocol,
            serve: serve::<O>,
            bind: bind::<O>,
            rehearse: rehearse::<O>,
        }
    }

    /// The service that the row belongs to, if that speaks Query.
    pub const fn query_service(&self) -> Option<&'static query::Service> {
        match self.protocol {
            Protocol::Json | Protocol::Rest(_) => None,
            Protocol::Query(service) => Some(service),
        }
    }

    /// By which method and path it is asked for, if it is.
    pub const fn binding(&self) -> Option<&'static rest::Binding> {
        match self.protocol {
            Protocol::Json | Protocol::Query(_) => None,
            Protocol::Rest(binding) => Some(binding),
        }
    }

    /// What too many requests at once are called.
    pub fn busy(&self) -> Code {
        self.protocol.busy()
    }

    /// The error `code` as the row's service tells it.
    pub fn fault(&self, code: Code, message: &str, request_id: base::Uuid) -> Reply {
        self.protocol.fault(code, message, request_id)
    }

    /// Serves one request: decodes `body`, executes, encodes.
    pub fn serve<'a>(&self, call: &'a Call<'a>, body: &'a [u8], ports: Ports<'a>) -> Serving<'a> {
        (self.serve)(call, body, self.protocol, ports)
    }

    /// Asks for what the operation asked for when it was recorded with `parameters`; the answer is the
    /// call's [`Rehearsal`](crate::Rehearsal)'s. Nothing is changed, read out or recorded.
    ///
    /// # Errors
    ///
    /// The parameters aren't the operation's.
    pub async fn rehearse<'a>(
        &self,
        call: &'a Call<'a>,
        parameters: &'a Value,
        backend: &'a dyn Backend,
    ) -> Result<(), String> {
        (self.rehearse)(call, parameters, self.protocol, backend).await
    }

    /// Binds `body` to the operation's input and checks the model's constraints, without serving it.
    ///
    /// # Errors
    ///
    /// The message that the client would get.
    pub fn bind(&self, body: &[u8]) -> Result<(), String> {
        (self.bind)(body, self.protocol)
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}

fn bind<O: Operation>(body: &[u8], protocol: Protocol) -> Result<(), String> {
    let operation = protocol.decode::<O>(body)?;
    operation.constraints(&mut Violations::default());
    Ok(())
}

fn rehearse<'a, O: Operation>(
    call: &'a Call<'a>,
    parameters: &'a Value,
    protocol: Protocol,
    backend: &'a dyn Backend,
) -> Asking<'a> {
    Box::pin(async move {
        let input = match protocol {
            // Names on that wire are those of records.
            Protocol::Rest(Binding { manner: Manner::Camel, .. }) => match parameters {
                Value::Null => "{}".to_owned(),
                given => given.to_string(),
            },
            Protocol::Json | Protocol::Query(_) | Protocol::Rest(_) => {
                crate::rehearsal::as_sent(parameters).to_string()
            }
        };
        let operation: O = json::decode(input.as_bytes()).map_err(|it| it.to_string())?;
        // What it reads is dropped with the transaction, and it is refused whatever it asks for.
        let _refused = operation.run(call, &mut store::begin(backend)).await;
        Ok(())
    })
}

fn serve<'a, O: Operation>(
    call: &'a Call<'a>,
    body: &'a [u8],
    protocol: Protocol,
    ports: Ports<'a>,
) -> Serving<'a> {
    Box::pin(async move {
        let operation = match protocol.decode::<O>(body) {
            Ok(operation) => operation,
            Err(text) => {
                let told = (protocol.undecodable(), text.as_str());
                return record_only(call, named::<O>(), protocol, told, ports).await;
            }
        };
        let id = call.request_id;
        match execute(call, &operation, ports).await {
            Ok(output) => answered::<O>(&output, protocol, id),
            Err(Failure::Operation(error)) => {
                let code = error.code();
                let reply = protocol.fault(code, &shown(&error), id);
                Reply { cause: error.is_internal().then(|| chain(&error)), ..reply }
            }
            Err(Failure::Busy) => protocol.fault(protocol.busy(), "Rate exceeded", id),
            Err(Failure::Store(error)) => protocol.internal(chain(&error), id),
            Err(Failure::Trail(error)) => protocol.internal(chain(&error), id),
        }
    })
}

/// The answer `output` as it leaves.
fn answered<O: Operation>(output: &O::Output, protocol: Protocol, id: base::Uuid) -> Reply {
    if let Some(Framed { status, headers, body }) = O::framed(output) {
        return Reply { headers, ..Reply::success(status, body) };
    }
    match protocol.success() {
        204 => Reply::success(204, Body::default()),
        status => match protocol.encode(O::NAME, output, id) {
            Ok(body) => Reply::success(status, body),
            Err(cause) => protocol.internal(cause, id),
        },
    }
}

/// The message for the wire: an internal failure tells nothing of its cause.
pub(crate) fn shown(error: &dyn Fault) -> String {
    if error.is_internal() { INTERNAL_TEXT.to_owned() } else { error.to_string() }
}

pub(crate) const INTERNAL_TEXT: &str = "An error occurred on the server side.";

/// An error and what caused it, for the log.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
