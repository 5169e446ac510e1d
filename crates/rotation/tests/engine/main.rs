//! The engine, in a world in memory.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod leases;
mod left;
mod looking;
mod native;
mod program;
mod queue;
mod scale;
mod world;
