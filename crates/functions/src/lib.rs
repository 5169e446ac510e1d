//! The part of the Lambda API that rotation needs: functions, their code, their policies.
//!
//! Read [`Function`] first (what is known of one), then [`may_be_invoked`] (whether a service may invoke it,
//! which its own policy says), then any file in [`operations`]: each is one API operation from input to
//! answer. [`native`] is the table of functions that this server is itself.
//!
//! Invariants:
//!
//! - A function's code is on disk before the function that names it, and is removed only when no function does.
//! - A package is taken apart only after all of it was seen to fit: see [`package`].
//! - Environment variables are sealed in the store, and stand in no record.
//! - What a function is made with is kept or refused, never taken and forgotten.
//!
//! Nothing here runs code: [`Invoker`] is handed in, as is [`CodeStore`], where packages are.
//!
//! Absent: images, S3 as a source, layers, versions and aliases, networks of one's own, event sources, function
//! URLs, keys of one's own for environment variables.
//!
//! Source: Lambda API Reference, version 2015-03-31, and Developer Guide.

mod arrived;
mod elsewhere;
mod error;
mod function;
mod given;
mod invocable;
mod limits;
mod lookup;
pub mod maintenance;
mod names;
pub mod native;
pub mod operations;
pub mod package;
mod permissions;
mod ports;
mod shown;
mod tags;

pub use elsewhere::{Elsewhere, Prefix};
pub use error::Error;
pub use function::Function;
pub use invocable::{By, Invocable, Tools, Uninvocable, find, hidden_by, may_be_invoked};
pub use operations::OPERATIONS;
pub use ports::{CodeStore, InvokeError, Invoked, Invoker, Machine};

/// The service's host name: the principal that roles trust, and the `eventSource` of its records.
pub const HOST: &str = "lambda.amazonaws.com";
