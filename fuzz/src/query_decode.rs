//! Bodies of the Query protocol.

use identity::{iam, sts};

/// Takes `input` for the body of every operation that speaks Query.
///
/// A refusal is one short line.
pub fn query_decode(input: &[u8]) {
    for operation in iam::OPERATIONS.iter().chain(sts::OPERATIONS) {
        if let Err(message) = operation.bind(input) {
            assert!(message.len() < 128 && !message.contains(char::is_control), "{message}");
        }
    }
}
