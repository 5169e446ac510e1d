//! Operations over a store in memory, with real policies; numbers are those of the statements they check.

mod desk;
mod messages;
mod rows;
mod second_factor;
mod sessions;
mod web;
