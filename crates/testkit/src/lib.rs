//! A world for tests: hand-moved clock, chance that follows from a seed, stores that fail on demand.
//!
//! [`Desk`] serves operations without a network: one call, its answer, its audit records. [`World`] is
//! the whole server in this process: [`World::start`] gives one over a store in memory,
//! [`World::call`] is a signed request to it, [`World::advance`] lets time pass. [`http`] is a client
//! that does exactly what it is told, also what no client should. Imported by tests only.

pub mod chance;
pub mod clock;
mod desk;
pub mod http;
mod paper;
mod world;

pub use desk::{Answered, Desk, access, administrator, caller, signed};
pub use paper::PaperTrail;
pub use world::{Credentials, Signing, World};
