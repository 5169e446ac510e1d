//! The CloudTrail API over the audit journal.
//!
//! Read [`operations::lookup_events`]. What it asks is handed in: [`Records`], over the journal of this server.
//!
//! Invariants:
//!
//! - An account is told of its own records, and of those of the Region that it asks in.
//! - What is answered is the record as it stands in the journal.
//!
//! Absent: trails that deliver files, event selectors, insights, Lake. Source: CloudTrail API Reference, version 2013-11-01.

mod error;
pub mod operations;
mod ports;

pub use error::Error;
pub use operations::OPERATIONS;
pub use ports::{Asker, Records, Unreadable};

/// The service's host name: the `eventSource` of its records.
pub const HOST: &str = "cloudtrail.amazonaws.com";
