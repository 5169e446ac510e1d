//! Facts of this build.

/// `0.1.0`.
pub(crate) const NUMBER: &str = env!("CARGO_PKG_VERSION");

/// `0.1.0 (1f3c9a7e02bd)`.
pub(crate) const SHORT: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (", env!("STRONGROOM_COMMIT"), ")");

/// The same with everything a bug report needs.
pub(crate) const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit   ",
    env!("STRONGROOM_COMMIT"),
    "\ntarget   ",
    env!("STRONGROOM_TARGET"),
    "\nprofile  ",
    env!("STRONGROOM_PROFILE"),
    "\nrustc    ",
    env!("STRONGROOM_RUSTC"),
);
