//! Where rows are kept: [`memory`] for tests, [`embedded`] on this machine's disk.

pub mod embedded;
pub mod memory;
