//! The Runtime API, spoken by a shell script: what a client may and may not do.

use crate::common::{bootstrap, failure, told};

/// Takes an invocation into `$ID`.
const NEXT: &str = "next() { ID=$(curl -sS -D - -o $TMPDIR/event $API/invocation/next | tr -d '\\r' | sed -n 's/^lambda-runtime-aws-request-id: //p'); }
status() { curl -sS -o $TMPDIR/said -w '%{http_code}' \"$@\"; }
next
";

/// Answers with the file `answer`, and stays.
const ANSWER: &str = "curl -sS -o $TMPDIR/said --data-binary @$TMPDIR/answer $API/invocation/$ID/response\nexec sleep 60";

#[tokio::test]
async fn a_script_is_a_function() {
    let stage =
        bootstrap(&format!("{NEXT} (printf 'got '; cat $TMPDIR/event) > $TMPDIR/answer\n{ANSWER}"));
    assert_eq!(told(&stage.run(r#"{"Step":"x"}"#).await.unwrap()), (r#"got {"Step":"x"}"#, false));
}

#[tokio::test]
async fn the_headers_of_an_invocation_are_there() {
    let stage = bootstrap(&format!(
        "curl -sS -D $TMPDIR/head -o /dev/null $API/invocation/next
ID=$(tr -d '\\r' < $TMPDIR/head | sed -n 's/^lambda-runtime-aws-request-id: //p')
tr -d '\\r' < $TMPDIR/head | cut -d: -f1 | sort | tr '\\n' ' ' > $TMPDIR/answer\n{ANSWER}"
    ));
    let outcome = stage.run("{}").await.unwrap();
    let names = told(&outcome).0;
    for name in ["aws-request-id", "deadline-ms", "invoked-function-arn", "trace-id"] {
        assert!(names.contains(&format!("lambda-runtime-{name}")), "{names}");
    }
    assert!(names.contains("content-type"), "{names}");
}

#[tokio::test]
async fn requests_out_of_turn_are_refused() {
    #[rustfmt::skip]
    let cases = [
        // request                                                          status and answer
        ("$API/invocation/next",                                            r#"403{"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}"#),
        ("-d x $API/invocation/00000000-0000-4000-8000-000000000000/response", r#"400{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#),
        ("-d x $API/invocation/$ID.x/error",                                r#"400{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#),
        ("-d x $API/init/error",                                            r#"403{"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}"#),
        ("-d x $API/invocation/next",                                       r#"405{"errorMessage":"Method not allowed","errorType":"InvalidMethod"}"#),
        ("$API/restore/next",                                               r#"404{"errorMessage":"No such path in this version","errorType":"NotFound"}"#),
    ];
    for (request, expected) in cases {
        let ask = format!("(status {request}; cat $TMPDIR/said) > $TMPDIR/answer");
        let stage = bootstrap(&format!("{NEXT} {ask}\n{ANSWER}"));
        assert_eq!(told(&stage.run("{}").await.unwrap()), (expected, false), "{request}");
    }
}

#[tokio::test]
async fn an_answer_counts_once() {
    let twice = "echo one > $TMPDIR/answer
curl -sS -o /dev/null -d one $API/invocation/$ID/response
status -d two $API/invocation/$ID/response
exec sleep 60";
    let stage = bootstrap(&format!("{NEXT} {twice}"));
    assert_eq!(told(&stage.run("{}").await.unwrap()), ("one", false));
}

#[tokio::test]
async fn chunked_answers_are_taken() {
    let chunked = "printf '{\"a\":1}' > $TMPDIR/answer
curl -sS -o /dev/null -H 'Transfer-Encoding: chunked' --data-binary @$TMPDIR/answer $API/invocation/$ID/response
exec sleep 60";
    let stage = bootstrap(&format!("{NEXT} {chunked}"));
    assert_eq!(told(&stage.run("{}").await.unwrap()), (r#"{"a":1}"#, false));
}

#[tokio::test]
async fn the_largest_answer_is_six_megabytes() {
    for (bytes, taken) in [(6_291_556, true), (6_291_557, false)] {
        let large = format!("head -c {bytes} /dev/zero > $TMPDIR/answer\n{ANSWER}");
        let outcome = bootstrap(&format!("{NEXT} {large}")).run("{}").await.unwrap();
        if taken {
            assert_eq!((outcome.payload.len(), outcome.function_error), (bytes, None));
            continue;
        }
        let (kind, message) = failure(&outcome);
        assert_eq!(kind, "Function.ResponseSizeTooLarge");
        let expected =
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
        assert_eq!(message, expected);
    }
}

#[tokio::test]
async fn an_error_is_passed_on() {
    let error = r#"curl -sS -o /dev/null -H 'Lambda-Runtime-Function-Error-Type: Function.Own' -d '{"errorMessage":"m","errorType":"Own"}' $API/invocation/$ID/error
exec sleep 60"#;
    let outcome = bootstrap(&format!("{NEXT} {error}")).run("{}").await.unwrap();
    assert_eq!(told(&outcome), (r#"{"errorMessage":"m","errorType":"Own"}"#, true));
}

#[tokio::test]
async fn a_start_that_fails_says_so_or_ends() {
    #[rustfmt::skip]
    let cases = [
        // script                                                                                   type                 message ends with
        (r#"curl -sS -d '{"errorMessage":"no key","errorType":"Own.Init"}' $API/init/error; exit 1"#, "Own.Init",          "no key"),
        ("exit 7",                                                                                  "Runtime.ExitError", "Error: Runtime exited with error: exit status 7"),
        ("exit 0",                                                                                  "Runtime.ExitError", "Error: Runtime exited without providing a reason"),
        ("kill -9 $$",                                                                              "Runtime.ExitError", "Error: Runtime exited with error: signal: killed"),
    ];
    for (script, kind, message) in cases {
        let outcome = bootstrap(script).run("{}").await.unwrap();
        let found = failure(&outcome);
        assert_eq!(found.0, kind, "{script}: {found:?}");
        assert!(found.1.ends_with(message), "{script}: {found:?}");
        // It was tried once more.
        assert!(outcome.cold, "{script}");
    }
}

#[tokio::test]
async fn a_process_that_ends_in_its_work_is_told_with_the_request() {
    let outcome = bootstrap(&format!("{NEXT} echo $ID; exit 3")).run("{}").await.unwrap();
    let (kind, message) = failure(&outcome);
    assert_eq!(kind, "Runtime.ExitError");
    let tail = String::from_utf8(outcome.log_tail).unwrap();
    let id = message.strip_prefix("RequestId: ").and_then(|it| it.split(' ').next()).unwrap();
    assert_eq!(message, format!("RequestId: {id} Error: Runtime exited with error: exit status 3"));
    assert!(tail.contains(&format!("\n{id}\n")), "{tail}");
}
