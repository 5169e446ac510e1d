//! Table: the operations of CloudTrail that are built. What is not here is unknown.

pub mod lookup_events;

use service::Row;

/// The `eventSource` of their audit records.
pub(crate) const SOURCE: &str = crate::HOST;

/// Every operation by its name on the wire, in alphabetical order.
pub const OPERATIONS: &[Row] = &[Row::of::<lookup_events::LookupEvents>()];
