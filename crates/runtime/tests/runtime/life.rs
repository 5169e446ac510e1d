//! How long processes live, and how they end.

use crate::common::{PYTHON, Stage, failure, python, stage, told};
use bytes::Bytes;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const COUNTING: &str = "count = 0
def handler(event, context):
    global count
    count += 1
    if event == 'loop':
        while True: pass
    if event == 'exit':
        import os; os._exit(1)
    if event == 'raise':
        raise ValueError('x')
    return count";

#[tokio::test]
async fn a_process_is_used_again_until_something_is_wrong() {
    #[rustfmt::skip]
    let cases = [
        // event before, counted after, processes
        ("\"fine\"",     "2",           1),
        ("\"raise\"",    "2",           1), // a handler's failure is not the process's
        ("\"loop\"",     "1",           2),
        ("\"exit\"",     "1",           2),
    ];
    for (event, counted, processes) in cases {
        let mut stage = python(COUNTING);
        let host = stage.host();
        stage.program.timeout =
            Duration::from_millis(if event.contains("loop") { 700 } else { 60_000 });
        stage.ask(&host, event).await.unwrap();
        stage.program.timeout = Duration::from_mins(1);
        let outcome = stage.ask(&host, "{}").await.unwrap();
        assert_eq!(told(&outcome), (counted, false), "{event}");
        assert_eq!(outcome.cold, processes == 2, "{event}");
        assert_eq!(stage.roles.asked.load(SeqCst), processes, "{event}");
        host.drain().await;
    }
}

#[tokio::test]
async fn who_leaves_a_crowd_isnt_kept() {
    for (children, cold) in [(3, false), (100, true)] {
        let stage = python(&format!(
            "import os, signal
def handler(event, context):
    for _ in range({children}):
        if os.fork() == 0: signal.pause()"
        ));
        let host = stage.host();
        stage.ask(&host, "{}").await.unwrap();
        assert_eq!(stage.ask(&host, "{}").await.unwrap().cold, cold, "{children}");
        host.drain().await;
    }
}

#[tokio::test]
async fn new_code_and_old_credentials_mean_a_new_process() {
    let mut stage = python(COUNTING);
    let host = stage.host();
    stage.ask(&host, "{}").await.unwrap();
    stage.program.revision = "2".to_owned();
    assert_eq!(told(&stage.ask(&host, "{}").await.unwrap()), ("1", false));
    // Its credentials may end within such an invocation.
    stage.program.timeout = Duration::from_hours(1);
    assert_eq!(told(&stage.ask(&host, "{}").await.unwrap()), ("1", false));
    assert_eq!(stage.roles.asked.load(SeqCst), 3);
    host.drain().await;
}

#[tokio::test]
async fn a_forgotten_function_has_no_process() {
    let (stage, listener) = connected(STAYING).await;
    let host = stage.host();
    let (_, line) = tokio::join!(stage.ask(&host, "{}"), listener.accept());
    host.forget(&stage.program.arn).await;
    gone(line.unwrap().0).await;
}

#[tokio::test]
async fn a_drained_host_runs_nothing() {
    let stage = python(COUNTING);
    let host = stage.host();
    stage.ask(&host, "{}").await.unwrap();
    host.drain().await;
    let Err(error) = stage.ask(&host, "{}").await else { panic!() };
    assert_eq!(error.to_string(), "can't start `f`: the server stops");
}

#[tokio::test]
async fn invocations_beyond_the_limit_wait_for_a_process() {
    let mut stage = python(COUNTING);
    stage.settings.concurrency = 1;
    let host = stage.host();
    let ask = || stage.ask(&host, "{}");
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    let mut counted = [one, two, three].map(|it| told(&it.unwrap()).0.to_owned());
    counted.sort();
    assert_eq!(counted, ["1", "2", "3"]);
    assert_eq!(stage.roles.asked.load(SeqCst), 1);
    host.drain().await;
}

#[tokio::test]
async fn a_task_that_takes_too_long_is_told_as_aws_does() {
    let stage = python("def handler(event, context):\n    while True: pass").timeout(1000);
    let outcome = stage.run("{}").await.unwrap();
    let (kind, message) = failure(&outcome);
    assert_eq!(kind, "");
    let (time, rest) = message.split_once(' ').unwrap();
    assert_eq!((time.len(), &time[10..11]), (24, "T"), "{time}");
    let (id, rest) = rest.split_once(' ').unwrap();
    assert_eq!((id.len(), rest), (36, "Task timed out after 1.00 seconds"));
}

/// A function that leads a line of its own to the test, so that its end can be seen from there.
async fn connected(code: &str) -> (Stage, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let head = format!(
        "import os, signal, socket
def connect():
    global line
    line = socket.create_connection(('127.0.0.1', {port}))
"
    );
    (stage(PYTHON, "main.py", &format!("{head}{code}")), listener)
}

/// Waits until nobody holds the other end.
async fn gone(mut line: TcpStream) {
    let mut byte = [0];
    // Ended without a word, or with what was still under way.
    let read = tokio::time::timeout(Duration::from_secs(30), line.read(&mut byte)).await;
    assert!(matches!(read.expect("the process still lives"), Ok(0) | Err(_)));
}

const STUBBORN: &str = "def handler(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connect()
    while True: signal.pause()";

const FORKING: &str = "def handler(event, context):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            connect()
            while True: signal.pause()
        os._exit(0)
    while True: signal.pause()";

#[tokio::test]
async fn nothing_survives_the_end_of_a_process() {
    let mut cases = JoinSet::new();
    for code in [STUBBORN, FORKING] {
        for walls in [|it: Stage| it, Stage::fenced, Stage::open] {
            cases.spawn(async move {
                let (stage, listener) = connected(code).await;
                let stage = walls(stage).timeout(4000);
                let (outcome, line) = tokio::join!(stage.run("{}"), listener.accept());
                let message = failure(&outcome.unwrap()).1;
                assert!(message.ends_with("Task timed out after 4.00 seconds"), "{message}");
                gone(line.unwrap().0).await;
            });
        }
    }
    cases.join_all().await;
}

#[tokio::test]
async fn who_stops_waiting_stops_the_function() {
    for fenced in [false, true] {
        let (stage, listener) = connected(FORKING).await;
        let stage = if fenced { stage.fenced() } else { stage };
        let host = stage.host();
        let line = tokio::select! {
            _ = stage.ask(&host, "{}") => panic!("it has no end"),
            line = listener.accept() => line,
        };
        gone(line.unwrap().0).await;
        host.drain().await;
    }
}

const STAYING: &str = "def handler(event, context):\n    connect()";

#[tokio::test]
async fn idle_processes_end_with_their_time_and_with_the_host() {
    let (mut stage, listener) = connected(STAYING).await;
    stage.settings.warm = Duration::from_millis(200);
    let host = stage.host();
    let (_, line) = tokio::join!(stage.ask(&host, "{}"), listener.accept());
    gone(line.unwrap().0).await;

    let (stage, listener) = connected(STAYING).await;
    let host = stage.host();
    let (_, line) = tokio::join!(stage.ask(&host, "{}"), listener.accept());
    drop(host);
    gone(line.unwrap().0).await;
}

#[tokio::test]
async fn a_start_that_takes_too_long_is_tried_once_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut stage = python(&format!(
        "import socket
socket.create_connection(('127.0.0.1', {port})).recv(1)
def handler(event, context): return 'at last'"
    ));
    stage.settings.init_limit = Duration::from_secs(4);
    let second = async {
        // The first try waits in vain.
        let _first = listener.accept().await.unwrap();
        let (mut line, _) = listener.accept().await.unwrap();
        line.write_all(b"x").await.unwrap();
        line
    };
    let (outcome, _line) = tokio::join!(stage.run("{}"), second);
    assert_eq!(told(&outcome.unwrap()), (r#""at last""#, false));
}

#[tokio::test]
async fn secrets_are_hidden_in_logs_and_failures() {
    let stage = python(
        "import json, os
def handler(event, context):
    print('password', event['p'])
    print(json.dumps(event), os.environ['AWS_SECRET_ACCESS_KEY'], os.environ['AWS_SESSION_TOKEN'])
    raise ValueError('ALTER USER u PASSWORD ' + repr(event['p']))",
    );
    let host = stage.host();
    let password = r#"a"b'c\dé%"#;
    let event = serde_json::json!({ "p": password }).to_string();
    let mask = [base::Sensitive::from(password.to_owned())];
    let outcome = host.invoke(&stage.program, Bytes::from(event), &mask).await.unwrap();
    let tail = String::from_utf8(outcome.log_tail.clone()).unwrap();
    let printed = "password [hidden]\n{\"p\": \"[hidden]\"} [hidden] [hidden]\n";
    assert!(tail.contains(printed), "{tail}");
    assert_eq!(failure(&outcome).1, "ALTER USER u PASSWORD '[hidden]'");
    let all = format!("{tail}{}{}", stage.lines.all(), told(&outcome).0);
    for leaked in ["a\"b", "a\\\"b", "\\u00e9", crate::common::SECRET_KEY, "role-session-token"] {
        assert!(!all.contains(leaked), "{leaked}: {all}");
    }
    host.drain().await;
}

#[tokio::test]
async fn the_tail_is_the_last_four_kilobytes_of_this_invocation() {
    let stage = python("def handler(event, context):\n    for n in range(1000): print('line', n)");
    let host = stage.host();
    for _ in 0..2 {
        let outcome = stage.ask(&host, "{}").await.unwrap();
        let tail = String::from_utf8(outcome.log_tail).unwrap();
        assert_eq!(tail.len(), 4096);
        assert!(tail.contains("\nline 999\nEND RequestId: "), "{tail}");
    }
    host.drain().await;
}

/// What a function makes becomes known when it has made it.
struct Made(Option<&'static str>, AtomicBool);

#[async_trait::async_trait]
impl strongroom_runtime::Hidden for Made {
    async fn texts(&self) -> Option<Vec<base::Sensitive>> {
        // Asked first, there is nothing yet.
        if !self.1.swap(true, SeqCst) {
            return Some(Vec::new());
        }
        self.0.map(|it| vec![base::Sensitive::from(it.to_owned())])
    }
}

#[tokio::test]
async fn what_a_function_makes_is_hidden_in_what_it_has_printed() {
    let stage = python(
        "def handler(event, context):
    print('made', 'fresh-password')
    raise ValueError('fresh-password')",
    );
    let host = stage.host();
    for (known, line) in
        [(Some("fresh-password"), "made [hidden]\n"), (None, "lines are not told\n")]
    {
        let made = Made(known, false.into());
        let payload = Bytes::from_static(b"{}");
        let outcome = host.invoke_hiding(&stage.program, payload, Some(&made)).await.unwrap();
        let tail = String::from_utf8(outcome.log_tail.clone()).unwrap();
        assert!(tail.contains(line) && tail.contains("END RequestId: "), "{tail}");
        let all = format!("{tail}{}{}", stage.lines.all(), told(&outcome).0);
        assert!(!all.contains("fresh-password"), "{all}");
    }
    host.drain().await;
}
