//! Request bodies.

use serde::de::IgnoredAny;

/// Takes `input` for the body of every operation.
///
/// Only JSON binds, and so does nothing at all. A refusal is one short line.
pub fn json_decode(input: &[u8]) {
    let well_formed = input.is_empty() || serde_json::from_slice::<IgnoredAny>(input).is_ok();
    for operation in secrets::OPERATIONS {
        match operation.bind(input) {
            Ok(()) => assert!(well_formed, "{operation:?}"),
            Err(error) => {
                let message = error.to_string();
                assert!(message.len() < 128 && !message.contains(char::is_control), "{message}");
            }
        }
    }
}
