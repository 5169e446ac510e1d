//! Lambda served without a network.

// `cfg(test)` tells the lints that helpers are test code, too.
#[cfg(test)]
mod administration;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod invocations;
#[cfg(test)]
mod permissions;
