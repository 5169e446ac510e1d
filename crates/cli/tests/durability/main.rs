//! The real binary under violence: killed, starved of disk, handed the wrong keys.
//!
//! Read [`process`] first (how a server is started, watched and killed), then [`client`] (how it is
//! asked), then [`crash`]: what is true after a kill under load. [`history`] is the model that the
//! answers are held against.
//!
//! Nothing here waits by the clock: a server is ready when it says so, and is killed when a number
//! of answers that a seed has chosen is in. Which requests that meets differs from run to run; what
//! must be true afterwards doesn't.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod client;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod disk_full;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod history;
#[cfg(test)]
mod import;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod process;
#[cfg(test)]
mod root_key;
#[cfg(test)]
mod rotation;
