//! `strongroom function-init`: the first process of a function, started by the server.

use std::ffi::OsString;
use std::process::ExitCode;

/// Start one function; only the server asks for it
#[derive(Debug, clap::Args)]
pub(crate) struct FunctionInit {}

impl FunctionInit {
    /// Becomes the function. Nothing may have started a thread before.
    #[expect(clippy::unused_self, reason = "it has no arguments, as the others have")]
    pub(crate) fn run(&self) -> ExitCode {
        runtime::function_init(&[OsString::from(NAME)])
    }
}

/// The arguments that lead here.
pub(crate) const NAME: &str = "__function-init";
