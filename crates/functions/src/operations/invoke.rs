//! Invoke: runs a function, or takes an event for it.
//!
//! What it runs is handed in by the server. Nothing is written, so that it runs once; and the snapshot is let go
//! before, for it may take long. The record follows the invocation, and is refused the answer with.

use super::{INVOKE, SOURCE};
use crate::given::scope;
use crate::{Error, Function, InvokeError, Invoked, Invoker, arrived, limits, lookup};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde::de::IgnoredAny;
use service::{Action, Answer, Call, Framed, Operation, input};
use std::io::Write;
use std::sync::Arc;
use store::Txn;
use wire::members::{Blob, Text};
use wire::{Body, Violations};

input! {
    /// Which function, and with what. The payload stands in no record.
    pub struct Invoke {
        function_name: Text,
        invocation_type: Text,
        log_type: Text,
        #[serde(skip_serializing)]
        client_context: Text,
        durable_execution_name: Text,
        #[serde(skip_serializing)]
        payload: Blob,
        qualifier: Text,
        tenant_id: Text,
    }
}

/// What came of it: its payload and headers.
#[derive(Debug, Serialize)]
pub struct Output {
    #[serde(skip)]
    status: u16,
    #[serde(skip)]
    invoked: Option<Invoked>,
}

impl Operation for Invoke {
    const NAME: &'static str = "Invoke";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "Invoke";
    const IS_DATA: bool = true;
    const ACTION: Action = INVOKE;
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        limits::qualifier(found, self.qualifier.as_ref());
        let kinds = ["Event", "RequestResponse", "DryRun"];
        found.one_of("invocationType", self.invocation_type.as_ref(), &kinds);
        found.one_of("logType", self.log_type.as_ref(), &["None", "Tail"]);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let named = (self.function_name.as_ref(), self.qualifier.as_ref());
        let (permit, found) = lookup::admit(call, txn, self, named).await?;
        let kept = found.existing()?;
        if found.is_native() {
            return Err(Error::Invalid(format!(
                "{} is a native rotation function of this server: only its rotation engine steps it",
                found.name
            )));
        }
        self.refuse_more()?;
        let (payload, kind) = (self.checked()?, self.kind());
        if kind == "DryRun" {
            return Ok(Answer::new(permit, Output { status: 204, invoked: None }));
        }
        let invoker = arrived::machine(call)?.invoker.clone();
        let invoker = invoker.ok_or(Error::NoRuntime("none is set up"))?;
        let scope = kms::Scope { account: &found.account, ..scope(call) };
        let function = kept.opened(txn, &scope).await?;
        txn.release();
        let output = self.begin(&invoker, &function, payload).await?;
        Ok(Answer::new(permit, output))
    }

    fn framed(output: &Output) -> Option<Framed> {
        let Output { status, invoked } = output;
        let mut headers = Vec::new();
        let mut body = Body::default();
        if let Some(Invoked { payload, error, log }) = invoked {
            headers.push(("x-amz-executed-version", crate::names::LATEST.to_owned()));
            headers.extend(error.map(|it| ("x-amz-function-error", it.to_owned())));
            let log = log.as_ref().map(|it| ("x-amz-log-result", STANDARD.encode(it)));
            headers.extend(log);
            let _infallible = body.write_all(payload);
        }
        Some(Framed { status: *status, headers, body })
    }
}

impl Invoke {
    fn kind(&self) -> &str {
        self.invocation_type.as_ref().map_or("RequestResponse", Text::as_str)
    }

    async fn begin(
        &self,
        invoker: &Arc<dyn Invoker>,
        function: &Function,
        payload: Bytes,
    ) -> Result<Output, Error> {
        if self.kind() == "Event" {
            invoker.queue(function, payload).await?;
            return Ok(Output { status: 202, invoked: None });
        }
        let tail = self.log_type.as_ref().is_some_and(|it| it.as_str() == "Tail");
        let done = invoker.invoke(function, payload, tail).await?;
        Ok(Output { status: 200, invoked: Some(done) })
    }

    /// The payload, if it is JSON; nothing is an empty object.
    fn checked(&self) -> Result<Bytes, Error> {
        let Some(payload) = &self.payload else { return Ok(Bytes::from_static(b"{}")) };
        let payload = payload.value().expose();
        let most = if self.kind() == "Event" { limits::EVENT } else { limits::PAYLOAD };
        if most < payload.len() {
            return Err(Error::TooLarge(payload.len(), most));
        }
        serde_json::from_slice::<IgnoredAny>(payload).map_err(|_| Error::Content)?;
        Ok(Bytes::copy_from_slice(payload))
    }

    fn refuse_more(&self) -> Result<(), Error> {
        let given = [
            ("ClientContext", &self.client_context),
            ("DurableExecutionName", &self.durable_execution_name),
            ("TenantId", &self.tenant_id),
        ];
        match given.iter().find(|it| it.1.is_some()) {
            Some((what, _)) => Err(unsupported(what)),
            None => Ok(()),
        }
    }
}

fn unsupported(what: &str) -> Error {
    Error::Invalid(format!("{what} is not supported by this server. Leave it out."))
}

impl From<InvokeError> for Error {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::Busy => Self::Busy,
            InvokeError::Failed(text) => Self::Runtime(text),
            InvokeError::Unsupported(what) => unsupported(what),
        }
    }
}
