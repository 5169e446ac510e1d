//! `[limits]`: how large, how long, how many.

use serde::Deserialize;
use std::time::Duration;

/// `[limits]`: how large, how long, how many.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Bytes of a request's head: request line and headers together. Over h2, where one connection
    /// carries many requests at once, never more than 16 KiB.
    pub header_bytes: u32,

    /// Bytes of a request's body. The largest legal one is about 400 KB, but for packages of functions (67 MB)
    /// and payloads of Invoke (6 MB): those have limits of their own.
    pub body_bytes: u32,

    /// How long a request's head, and before it a TLS handshake, may take to arrive.
    #[serde(with = "base::duration")]
    pub header_timeout: Duration,

    /// How long a request may take from its head to its answer, its body included.
    #[serde(with = "base::duration")]
    pub request_timeout: Duration,

    /// How long a connection may stay open without a request. For one that has carried none with a
    /// right signature, `header_timeout` counts instead.
    #[serde(with = "base::duration")]
    pub idle_timeout: Duration,

    /// Connections at the same time; further ones wait until one closes.
    pub connections: u32,

    /// Connections at the same time from one address (of IPv6, from one /64); further ones are closed
    /// at once. Loopback and unix sockets are not held to it; a proxy on another machine needs more.
    pub connections_per_address: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            header_bytes: 64 << 10,
            body_bytes: 1 << 20,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_mins(2),
            connections: 4096,
            connections_per_address: 256,
        }
    }
}
