//! What callers see: listeners, connections, and the three protocols.
//!
//! Connections carry one request each, so that who asks is found out for every request and nobody can
//! hold on to a place.

mod container;
mod front;
mod guard;
mod imds;
mod imds_token;
mod reply;
mod socket;

pub(crate) use front::Front;
pub(crate) use socket::Socket;

use crate::config::Kind;
use crate::processes::Processes;
use crate::rules::Caller;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket::{Arrived, Stream};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// One listener's share of the front.
pub(crate) struct Door {
    pub(crate) front: Arc<Front>,
    pub(crate) offers: BTreeSet<Kind>,
    pub(crate) processes: Processes,
    /// Connections at the same time, of all listeners.
    pub(crate) room: Arc<Semaphore>,
    /// Longest time for one of them.
    pub(crate) patience: Duration,
}

/// Where a request came from.
#[derive(Debug)]
pub(crate) struct From {
    pub(crate) caller: Caller,
    /// This end of the connection; none of a unix socket.
    pub(crate) local: Option<SocketAddr>,
    /// The other end's address, as tokens are bound to it.
    pub(crate) place: String,
}

/// Accepts connections until `stop` changes, then waits for those that are open.
pub(crate) async fn accept(socket: Socket, door: Arc<Door>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let arrived = tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => continue,
            arrived = socket.accept() => arrived,
        };
        let arrived = match arrived {
            Ok(arrived) => arrived,
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                // Out of descriptors, most likely: those who are here finish first.
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let room = tokio::select! {
            _ = stop.changed() => break,
            room = Arc::clone(&door.room).acquire_owned() => room,
        };
        let door = Arc::clone(&door);
        connections.spawn(async move {
            let patience = door.patience;
            let _too_slow = tokio::time::timeout(patience, serve(arrived, door)).await;
            drop(room);
        });
    }
    drop(socket);
    while connections.join_next().await.is_some() {}
}

async fn serve(arrived: Arrived, door: Arc<Door>) {
    let (stream, from) = identify(arrived, &door).await;
    let (front, offers, from) = (&door.front, &door.offers, &from);
    let answer = service_fn(|request| async move {
        Ok::<_, Infallible>(front.answer(&request, from, offers).await)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .keep_alive(false)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = pin!(connection).await {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Finds out who is at the other end. Reads `/proc`, which may take a while on a busy host.
async fn identify(arrived: Arrived, door: &Door) -> (Stream, From) {
    let processes = door.processes.clone();
    let accepted = processes.now();
    match arrived {
        Arrived::Tcp(stream, peer, local) => {
            let look = tokio::task::spawn_blocking(move || processes.of_tcp(peer, local));
            let caller = look.await.unwrap_or_default();
            let place = peer.ip().to_canonical().to_string();
            (Stream::Tcp(stream), From { caller, local: Some(local), place })
        }
        Arrived::Unix(stream, who) => {
            let look = tokio::task::spawn_blocking(move || {
                let ((ids, pid), accepted) = who.zip(accepted)?;
                Some(processes.of_unix(ids, pid, accepted))
            });
            let caller = look.await.ok().flatten().unwrap_or_default();
            (Stream::Unix(stream), From { caller, local: None, place: "unix".to_owned() })
        }
    }
}

const PAUSE: Duration = Duration::from_millis(50);
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// As much as a service account's token may take, and some.
const HEADER_BYTES: usize = 32 * 1024;

#[cfg(test)]
mod tests;
