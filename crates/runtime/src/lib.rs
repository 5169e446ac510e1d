//! Runs the code of Lambda-style functions as local processes that speak the Lambda Runtime API.
//!
//! [`Host`] keeps processes and gives them work; [`starter`] starts them. One [`process`] is one running copy of a function:
//! [`desk`] is its state, as the Runtime API defines it, [`door`] the API itself on a port of its own,
//! [`log`] what it prints. [`variables`] and [`layout`] say what it finds around it, [`python`] and
//! [`node`] where its interpreter is. [`sandbox`] builds the walls; read `docs/design/0005-functions.md`
//! first.
//!
//! Invariants:
//!
//! - A process runs one invocation at a time, and none after one that it didn't end in time, a new
//!   revision, or the end of its credentials.
//! - When a process ends, all that it started ends with it; also when the server dies.
//! - A function sees nothing of the server's environment, and of its folders only what it is shown.
//! - All functions together have no more memory, by what they were given, than the operator says.
//! - What a function prints, and what it says of its failures, leaves this crate masked.
//!
//! Deliberately absent: any store, and the control API of Lambda.

mod desk;
mod door;
mod failure;
mod host;
mod layout;
mod log;
mod mask;
mod node;
mod peers;
mod process;
mod program;
mod python;
mod room;
mod sandbox;
mod settings;
mod starter;
mod variables;

pub use host::{Host, World};
pub use program::{
    CredentialSource, Credentials, Error, Hidden, LogSink, Outcome, Program, Runtime,
};
pub use sandbox::{Ground, Level, choose, function_init};
pub use settings::{Demand, Settings};

use base::Sensitive;
use std::fmt::Write as _;

/// `text` without `secrets`, in whatever form it prints them: for what functions say that run somewhere else.
pub fn masked<'a>(text: &[u8], secrets: impl IntoIterator<Item = &'a Sensitive>) -> Vec<u8> {
    mask::Mask::of(secrets).apply(text)
}

/// `bytes` as hexadecimal digits.
fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
