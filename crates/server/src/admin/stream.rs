//! Long answers: a backup, and the progress of a root-key change.
//!
//! The work is done by the answer's body itself, so it stops when nobody reads any more. Both kinds
//! of work can be stopped anywhere and done again.

use super::Admin;
use super::answer::{AdminBody, Fault, Replied, typed};
use bytes::Bytes;
use http::StatusCode;
use hyper::body::{Body, Frame};
use kms::Progress;
use serde_json::json;
use service::chain;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use store::KeyRange;
use tokio::io::{AsyncRead, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::sync::mpsc;

type Work = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// A body that is made while it is read.
pub(crate) struct Stream {
    /// Until it is done.
    work: Option<Work>,
    made: DuplexStream,
}

/// Bytes that are made ahead of the reader, and the most that are sent at once.
const AHEAD: usize = 64 << 10;

impl Stream {
    /// What `work` writes into its end of a pipe.
    pub(super) fn of<F>(work: impl FnOnce(DuplexStream) -> F) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let (write, made) = duplex(AHEAD);
        Self { work: Some(Box::pin(work(write))), made }
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(work) = &mut self.work
            && let Poll::Ready(outcome) = work.as_mut().poll(context)
        {
            self.work = None;
            if let Err(error) = outcome {
                // The reader sees an answer that breaks off.
                return Poll::Ready(Some(Err(error)));
            }
        }
        let mut bytes = vec![0; AHEAD];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.made).poll_read(context, &mut buffer))?;
        let length = buffer.filled().len();
        if length == 0 {
            return Poll::Ready(None);
        }
        bytes.truncate(length);
        Poll::Ready(Some(Ok(Frame::data(bytes.into()))))
    }
}

impl Admin {
    /// A backup of this moment, in the form of `store::backup`.
    pub(super) async fn backup(self: Arc<Self>) -> Replied {
        let snapshot = self.front.backend.snapshot().await?;
        let details = json!({ "revision": snapshot.revision().0 });
        self.record_nowhere("CreateBackup", &details).await?;
        tracing::info!(revision = snapshot.revision().0, "backup begun");
        let stream = Stream::of(|mut file| async move {
            let done = store::backup::export(&*snapshot, &mut file, &mut |_| ()).await;
            let done = done.map_err(|error| {
                let cause = chain(&error);
                tracing::error!(cause, "backup broken off");
                io::Error::other(error)
            })?;
            tracing::info!(revision = done.revision.0, rows = done.rows, "backup finished");
            Ok(())
        });
        Ok(typed(AdminBody::Stream(stream), "application/octet-stream"))
    }

    /// Changes the root key, and tells in lines of JSON how far it is. One record tells that it was
    /// begun, before anything is answered, and one how it ended, before the last line.
    pub(super) async fn rotate(self: Arc<Self>) -> Replied {
        if self.rotating.try_lock().is_err() {
            let fact = "the root key is being changed already";
            return Err(Fault::new(StatusCode::CONFLICT, fact, "wait until that is done"));
        }
        let details = json!({ "rootKeyId": self.front.keyring.roots().active.id() });
        self.record_nowhere("StartRootKeyRotation", &details).await?;
        let stream = Stream::of(|mut file| async move {
            let last = match self.rotate_and_record(&mut file).await {
                Ok((done, total)) => {
                    let id = self.front.keyring.roots().active.id().to_owned();
                    json!({ "Done": done, "Total": total, "Finished": true, "RootKeyId": id })
                }
                Err(fact) => {
                    let (fact, hint) = fact.split_once("\nhint: ").unwrap_or((&fact, "try again"));
                    json!({ "Error": fact, "Hint": hint })
                }
            };
            file.write_all(format!("{last}\n").as_bytes()).await
        });
        Ok(typed(AdminBody::Stream(stream), "application/x-ndjson"))
    }

    /// Finishes a change of the root key that an earlier process has begun.
    pub(crate) async fn finish_rotation(&self) {
        tracing::info!("an interrupted change of the root key goes on");
        // Both ends are told in the log.
        let _ended = self.rotate_and_record(&mut tokio::io::sink()).await;
    }

    /// The same as [`Admin::rotate_into`], with its end in the trail and the log.
    async fn rotate_and_record(
        &self,
        out: &mut (impl tokio::io::AsyncWrite + Unpin + Send),
    ) -> Result<(u64, u64), String> {
        let outcome = self.rotate_into(out).await;
        let id = self.front.keyring.roots().active.id().to_owned();
        match &outcome {
            Ok(_) => tracing::info!(root_key = id, "root key changed"),
            Err(cause) => tracing::error!(cause, "root key not changed"),
        }
        let details = json!({ "rootKeyId": id, "changed": outcome.is_ok() });
        if self.record_nowhere("EndRootKeyRotation", &details).await.is_err() {
            let changed = if outcome.is_ok() { "was" } else { "was not" };
            return Err(format!("the root key {changed} changed, but the trail can't be written"));
        }
        outcome
    }

    /// Changes the root key; how many partition keys were wrapped anew, of how many.
    async fn rotate_into(
        &self,
        out: &mut (impl tokio::io::AsyncWrite + Unpin + Send),
    ) -> Result<(u64, u64), String> {
        let Ok(_one_at_a_time) = self.rotating.try_lock() else {
            return Err("the root key is being changed already".to_owned());
        };
        let front = &self.front;
        let total = self.count_partition_keys().await.map_err(|error| chain(&error))?;
        let (send, mut progress) = mpsc::channel(16);
        let work = async move {
            let mut tell = |it: Progress| {
                // A reader that is behind misses some; the last line doesn't come this way.
                let _full = send.try_send(it);
            };
            let backend = &*front.backend;
            self.root_key.rotate(backend, &front.keyring, &*front.entropy, &mut tell).await
        };
        let tell = async {
            while let Some(Progress { wrapped, finished }) = progress.recv().await {
                if !finished {
                    let line = json!({ "Done": wrapped, "Total": total });
                    // Nobody listens any more: the work is done all the same.
                    let _gone = out.write_all(format!("{line}\n").as_bytes()).await;
                }
            }
        };
        let (outcome, ()) = tokio::join!(work, tell);
        outcome.map_err(|error| chain(&error))?;
        Ok((total, total))
    }

    async fn count_partition_keys(&self) -> Result<u64, store::Error> {
        let snapshot = self.front.backend.snapshot().await?;
        let mut range = KeyRange::prefix("kek/");
        let mut count = 0;
        loop {
            let rows = snapshot.scan(&range, 1024, false).await?;
            let Some((last, _)) = rows.last() else { return Ok(count) };
            range.from = std::ops::Bound::Excluded(last.clone());
            count += rows.len() as u64;
        }
    }
}
