//! Starts one function's process, for tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    strongroom_runtime::function_init(&[])
}
