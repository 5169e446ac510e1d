//! The doors: listeners, TLS, routing, authentication, workers, configuration.
//!
//! Read [`config`] first (what a server is told), then [`Server::start`] (from a configuration to a
//! running server), then `front` (one request from its head to its answer); `connection` holds the
//! clock over all of it, `admin` is the operator's door.
//!
//! Invariants:
//!
//! - No request is served without a signature that was checked against the access key's row as the
//!   store has it at that moment; or, to begin a session, without a token that its issuer has signed, or
//!   the signature of a certificate that leads to the trust anchor it names.
//! - Everything a stranger can send is bounded: head, body, time, connections, and what is remembered
//!   of any of them.
//! - Every task has an owner that waits for it, and ends when the server stops.
//! - A start that fails leaves everything as it was.
//!
//! Absent: any rule of a service; what an operation may do is decided further down.

mod admin;
mod authenticate;
mod body;
mod certificate;
mod chance;
mod confidant;
pub mod config;
mod connection;
mod dev_certificate;
mod drain;
mod exposition;
mod folder;
mod front;
mod functions;
mod hush;
mod issuers;
mod journal;
mod last_use;
mod listen;
mod metrics;
mod packages;
mod peer;
mod places;
mod records;
mod respond;
mod root_key;
mod route;
mod signing_keys;
mod sockets;
mod start;
mod throttle;
mod tls;
mod web_identity;
mod workers;

pub use config::Config;
pub use folder::FolderError;
pub use functions::RemoteError;
pub use issuers::FetcherError;
pub use listen::ListenError;
pub use root_key::RootKeyError;
pub use start::{Endpoints, Running, Server, StartError};
pub use tls::{EXPIRES_SOON, TlsError, expiry};
