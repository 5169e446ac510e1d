//! A world for tests: the whole server in this process, with a clock that is moved by hand, chance
//! that follows from a seed, and a store that fails on demand.
//!
//! [`World::start`] gives a server over a store in memory; [`World::call`] is a signed request to
//! it; [`World::advance`] lets time pass. [`http`] is a client that does exactly what it is told,
//! also what no client should.

pub mod chance;
pub mod clock;
pub mod http;
mod world;

pub use world::{Credentials, Signing, World};
