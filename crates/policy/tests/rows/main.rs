//! What the engine says to whole requests: the specification's rows, and what holds for any.

mod evaluation;
mod explained;
mod language;
mod operators;
mod properties;
mod support;
