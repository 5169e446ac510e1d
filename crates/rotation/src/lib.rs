//! The rotation engine: takes what is due, and has a function carry it out.
//!
//! Read [`Queue`] first (what is begun when, so that nothing holds up anything else), then [`Engine`] (a turn
//! of it; `intake` reads what is due), then `native/` (how a password changes without anybody losing the way in) and `program` (the four
//! steps of a function). `plan` and `verify` look without changing anything. What a job is and how it changes is in `secrets::rotation`.
//!
//! Invariants:
//!
//! - A password is durable as `AWSPENDING` before a server hears of it.
//! - Whatever dies when: the next attempt asks the server which password it has, and goes on from there.
//! - Only a server that says no makes another password tried; one that can't be asked is asked later.
//! - Nothing here reads a clock but the one handed in; waiting is done by timeouts of the runtime.

mod backoff;
mod barrier;
mod engine;
mod intake;
mod leases;
mod native;
mod plan;
mod port;
mod program;
mod queue;
mod tally;
mod trouble;
mod verify;

pub use barrier::Barrier;
pub use engine::{Engine, Ground, Turn};
pub use leases::Leases;
pub use port::{Functions, Hidden, Native, Registry, Strategy};
pub use queue::{Bounds, Ended, Entry, Line, Queue};
pub use tally::{Tally, Windows};
pub use trouble::Trouble;
pub use verify::{Login, Verdict};
