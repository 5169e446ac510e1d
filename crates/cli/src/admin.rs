//! The admin socket of a running server: HTTP and JSON over a unix socket in the data folder.

use crate::data::DataFolder;
use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::PathBuf;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;

/// A way to ask the server on one data folder.
pub(crate) struct Admin {
    runtime: Runtime,
    socket: PathBuf,
    folder: String,
}

/// Why a request had no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    /// Nobody listens there.
    #[error(
        "no server is running on `{folder}`\n\
         hint: start one with `strongroom dev --data {folder}`, or name its folder with --data"
    )]
    Absent { folder: String },
    /// The socket belongs to somebody else.
    #[error("may not use the admin socket of `{folder}`\nhint: run this as the server's user")]
    Forbidden { folder: String },
    /// The server said no.
    #[error("{fact}{}", hint.as_ref().map(|it| format!("\nhint: {it}")).unwrap_or_default())]
    Refused { status: u16, fact: String, hint: Option<String> },
    /// The connection failed.
    #[error("can't ask the server on `{folder}`")]
    Broken { folder: String, source: Box<dyn std::error::Error + Send + Sync> },
}

/// `GET /v1/status`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) started_at: serde_json::Value,
    pub(crate) mode: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) tls_endpoint: Option<String>,
    pub(crate) ca_file: Option<String>,
    pub(crate) data_folder: String,
    pub(crate) store_revision: u64,
    pub(crate) journal_sequence: u64,
    pub(crate) root_key: RootKeyStatus,
}

/// The root key in use.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RootKeyStatus {
    pub(crate) id: String,
    pub(crate) provider: String,
}

/// The body of a refusal.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal {
    error: String,
    hint: Option<String>,
}

impl Admin {
    /// Makes a client; nothing is asked yet.
    pub(crate) fn new(data: &DataFolder) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("can't start a runtime")?;
        Ok(Self { runtime, socket: data.admin_socket(), folder: data.shown() })
    }

    /// Asks without a body.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(Method::GET, path, None::<&()>)
    }

    /// Asks for a change.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.ask(Method::POST, path, Some(body))
    }

    /// Whether the server would take requests now.
    pub(crate) fn is_ready(&self) -> Result<(), AdminError> {
        self.runtime.block_on(async {
            let answer = self.send(Method::GET, "/ready", Bytes::new()).await?;
            self.whole(answer).await.map(drop)
        })
    }

    /// Asks for a change, and hands each part of the answer over as it comes.
    pub(crate) fn stream(&self, path: &str, each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.stream_of(path, &serde_json::json!({}), each)
    }

    /// The same with a body.
    pub(crate) fn stream_of(
        &self,
        path: &str,
        body: &impl Serialize,
        mut each: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let body = serde_json::to_vec(body)?;
        self.runtime.block_on(async {
            let answer = self.send(Method::POST, path, Bytes::from(body)).await?;
            let mut body = self.accepted(answer).await?.into_body();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| self.broken(error))?;
                if let Some(data) = frame.data_ref() {
                    each(data)?;
                }
            }
            Ok(())
        })
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T> {
        let body = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let answer = self.runtime.block_on(async {
            let answer = self.send(method, path, Bytes::from(body)).await?;
            self.whole(answer).await
        })?;
        serde_json::from_slice(&answer)
            .with_context(|| format!("the server's answer to `{path}` isn't understood"))
            .context("another version of the server is running")
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, AdminError> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|it| self.unconnected(it))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|it| self.broken(it))?;
        // Ends with the answer; what goes wrong is told to the one who waits for it.
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(hyper::header::HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|it| self.broken(it))?;
        sender.send_request(request).await.map_err(|it| self.broken(it))
    }

    /// The answer, if it is a success; its refusal otherwise.
    async fn accepted(&self, answer: Response<Incoming>) -> Result<Response<Incoming>, AdminError> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(|it| self.broken(it))?.to_bytes();
        let refusal = serde_json::from_slice(&body).unwrap_or_else(|_| Refusal {
            error: format!("the server answered with status {status}"),
            hint: None,
        });
        Err(AdminError::Refused { status, fact: refusal.error, hint: refusal.hint })
    }

    async fn whole(&self, answer: Response<Incoming>) -> Result<Bytes, AdminError> {
        let body = self.accepted(answer).await?.into_body();
        Ok(body.collect().await.map_err(|it| self.broken(it))?.to_bytes())
    }

    fn unconnected(&self, error: std::io::Error) -> AdminError {
        let folder = self.folder.clone();
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => AdminError::Absent { folder },
            ErrorKind::PermissionDenied => AdminError::Forbidden { folder },
            _ => self.broken(error),
        }
    }

    fn broken(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> AdminError {
        AdminError::Broken { folder: self.folder.clone(), source: source.into() }
    }
}

/// Whether nobody answered at all.
pub(crate) fn is_absent(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(AdminError::Absent { .. }))
}

/// The status of a refusal, if it is one.
pub(crate) fn refused_with(error: &anyhow::Error) -> Option<u16> {
    match error.downcast_ref() {
        Some(AdminError::Refused { status, .. }) => Some(*status),
        _ => None,
    }
}
