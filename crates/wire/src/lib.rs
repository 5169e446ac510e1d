//! AWS's JSON and Query protocols: bytes to operation structs and back.
//!
//! Read [`members`] first (how a member's type is bound, and what a wrong type is told), then
//! [`Violations`] (the model's constraints and the grammar of their message), then [`json`] and
//! [`query`], and [`rest`] for paths.
//!
//! Nothing here knows an operation, reads a clock or touches a socket. Source: Secrets Manager
//! API Reference, "Common Errors"; Smithy, "AWS JSON 1.1 protocol" and "AWS Query protocol".

mod body;
mod constraints;
mod fault;
pub mod json;
pub mod members;
pub mod page_token;
pub mod query;
pub mod rest;

pub use body::Body;
pub use constraints::Violations;
pub use fault::{Code, Member, query_error};
pub use json::Serialization;
