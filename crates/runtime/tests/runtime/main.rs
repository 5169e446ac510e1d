//! Real functions in real processes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests, whose helpers aren't marked as such"
)]

mod api;
mod common;
mod life;
mod node;
mod python;
mod room;
mod walls;
