//! A world for tests: hand-moved clock, seeded chance, faults on demand.
//!
//! [`Desk`] serves operations without a network: one call, its answer, its audit records. Imported by
//! tests only.

mod chance;
mod clock;
mod desk;
mod paper;

pub use chance::Seeded;
pub use clock::HandClock;
pub use desk::{Answered, Desk, caller};
pub use paper::PaperTrail;
