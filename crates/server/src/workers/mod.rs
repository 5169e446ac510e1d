//! What runs besides requests. Only here is anything repeated by the clock.
//!
//! Each worker is a task that its owner waits for, and ends soon after the stop was asked for.
//! Certificates are looked at when a connection comes, not by a worker.

mod index;
mod last_uses;
mod leases;
mod maintenance;
mod outbox;
mod rotations;
mod sweep;

pub(crate) use index::Index;
pub(crate) use last_uses::LastUses;
pub(crate) use leases::Leases;
pub(crate) use maintenance::Maintenance;
pub(crate) use outbox::Outbox;
pub(crate) use rotations::{Grounds, Rotations};
pub(crate) use sweep::Sweep;
