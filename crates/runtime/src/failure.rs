//! What AWS says of a function that gave no answer.

use crate::desk::{LARGEST, Said};
use crate::process::Fallen;
use crate::sandbox::BY_SIGNAL;
use base::Timestamp;
use bytes::Bytes;
use std::time::Duration;

/// The payload for a process that has fallen, and whether it is a failure.
///
/// Source: Lambda's own answers; `RequestId: … Error: …` is how its runtime interface emulator says it.
pub(crate) fn payload(fallen: Fallen, id: &str, now: Timestamp, limit: Duration) -> Bytes {
    let value = match fallen {
        Fallen::Said(Said::Answer(text) | Said::Failure(text)) => return text,
        Fallen::Said(Said::TooLarge) => serde_json::json!({
            "errorMessage": format!("Response payload size exceeded maximum allowed payload size ({LARGEST} bytes)."),
            "errorType": "Function.ResponseSizeTooLarge",
        }),
        Fallen::Late => serde_json::json!({
            "errorMessage": format!("{} {id} Task timed out after {:.2} seconds", now.format("%Y-%m-%dT%H:%M:%S%.3fZ"), limit.as_secs_f64()),
        }),
        Fallen::Exited(0) => exit(id, "Runtime exited without providing a reason"),
        Fallen::Exited(code) if code > BY_SIGNAL => {
            let name = signal(code - BY_SIGNAL);
            exit(id, &format!("Runtime exited with error: signal: {name}"))
        }
        Fallen::Exited(code) => exit(id, &format!("Runtime exited with error: exit status {code}")),
        Fallen::NotStarted => exit(id, "Runtime couldn't be started"),
    };
    value.to_string().into()
}

fn exit(id: &str, reason: &str) -> serde_json::Value {
    serde_json::json!({
        "errorMessage": format!("RequestId: {id} Error: {reason}"),
        "errorType": "Runtime.ExitError",
    })
}

/// As Go's standard library names them, which is what users of Lambda know.
fn signal(number: i32) -> String {
    let name = match number {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        15 => "terminated",
        25 => "file size limit exceeded",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_said_as_aws_says_them() {
        let now = Timestamp::from_millis(1_700_000_000_123);
        #[rustfmt::skip]
        let cases = [
            (Fallen::Exited(1), r#"{"errorMessage":"RequestId: id Error: Runtime exited with error: exit status 1","errorType":"Runtime.ExitError"}"#),
            (Fallen::Exited(137), r#"{"errorMessage":"RequestId: id Error: Runtime exited with error: signal: killed","errorType":"Runtime.ExitError"}"#),
            (Fallen::Exited(0), r#"{"errorMessage":"RequestId: id Error: Runtime exited without providing a reason","errorType":"Runtime.ExitError"}"#),
            (Fallen::Late, r#"{"errorMessage":"2023-11-14T22:13:20.123Z id Task timed out after 3.00 seconds"}"#),
            (Fallen::Said(Said::TooLarge), r#"{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}"#),
            (Fallen::Said(Said::Failure("{}".into())), "{}"),
        ];
        for (fallen, expected) in cases {
            let shown = format!("{fallen:?}");
            let payload = payload(fallen, "id", now, Duration::from_secs(3));
            assert_eq!(str::from_utf8(&payload).unwrap(), expected, "{shown}");
        }
    }
}
