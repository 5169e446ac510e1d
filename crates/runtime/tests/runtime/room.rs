//! What all functions together may have.

use crate::common::{Stage, python, told};
use bytes::Bytes;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use strongroom_runtime::{Error, Host, Outcome};
use tokio::net::{TcpListener, TcpStream};

/// A function that calls the test and waits until it hangs up.
async fn waiting() -> (Stage, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stage = python(&format!(
        "import socket
def handler(event, context):
    if event: socket.create_connection(('127.0.0.1', {port})).recv(1)
    return 'done'"
    ));
    (stage, listener)
}

const THEIRS: &str = "arn:aws:lambda:eu-central-1:444455556666:function:f";
const OURS: &str = "arn:aws:lambda:eu-central-1:111122223333:function:f-other";

/// Runs the function, as another one.
async fn other(
    stage: &Stage,
    host: &Host,
    (arn, event): (&str, &'static [u8]),
) -> Result<Outcome, Error> {
    let mut program = stage.program.clone();
    program.arn = arn.to_owned();
    host.invoke(&program, Bytes::from_static(event), &[]).await
}

/// Runs it while it is under way already; how that ended, and how another one did meanwhile.
async fn beside(
    stage: &Stage,
    listener: &TcpListener,
    arn: &str,
) -> (Host, Result<Outcome, Error>) {
    let host = stage.host();
    let meanwhile = async {
        let (line, _): (TcpStream, _) = listener.accept().await.unwrap();
        let outcome = other(stage, &host, (arn, b"false")).await;
        drop(line);
        outcome
    };
    let (first, second) = tokio::join!(stage.ask(&host, "true"), meanwhile);
    assert_eq!(told(&first.unwrap()), ("\"done\"", false));
    (host, second)
}

#[tokio::test]
async fn who_finds_no_room_is_told_so_and_has_it_later() {
    #[rustfmt::skip]
    let cases = [
        // MB, turns, another one, whether it runs meanwhile
        (384,  2,     THEIRS, true),
        (383,  2,     THEIRS, false),
        (384,  1,     THEIRS, false),
        // An account has half of each.
        (768,  4,     OURS,   true),
        (767,  4,     OURS,   false),
        (768,  3,     OURS,   false),
    ];
    for (memory, turns, arn, runs) in cases {
        let (mut stage, listener) = waiting().await;
        stage.settings.memory_mb = memory;
        stage.settings.total = turns;
        stage.settings.patience = Duration::from_millis(if runs { 30_000 } else { 50 });
        let (host, second) = beside(&stage, &listener, arn).await;
        match second {
            Ok(outcome) => assert_eq!((told(&outcome).0, runs), ("\"done\"", true)),
            Err(error) => assert!(!runs && matches!(error, Error::Busy), "{error}"),
        }
        // Idle processes make room.
        other(&stage, &host, (arn, b"false")).await.unwrap();
        host.drain().await;
    }
}

#[tokio::test]
async fn who_waits_has_the_room_of_who_ends() {
    let (mut stage, listener) = waiting().await;
    stage.settings.memory_mb = 200;
    let host = stage.host();
    let first = stage.ask(&host, "true");
    let second = async {
        let (line, _) = listener.accept().await.unwrap();
        let waits = other(&stage, &host, (THEIRS, b"false"));
        tokio::pin!(waits);
        // It has begun to wait before the first one ends.
        assert!(is_pending(&mut waits).await);
        drop(line);
        waits.await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((told(&first.unwrap()).0, told(&second.unwrap()).0), ("\"done\"", "\"done\""));
    assert_eq!(stage.roles.asked.load(SeqCst), 2);
    host.drain().await;
}

/// Whether `work` isn't done after a look at it.
async fn is_pending<F: Future + Unpin>(work: &mut F) -> bool {
    tokio::time::timeout(Duration::ZERO, work).await.is_err()
}

#[tokio::test]
async fn a_second_try_has_the_room_of_the_first() {
    let mut stage = python("raise ValueError('x')");
    stage.settings.memory_mb = 200;
    let outcome = stage.run("{}").await.unwrap();
    assert_eq!(outcome.function_error, Some("Unhandled"));
    assert_eq!(stage.roles.asked.load(SeqCst), 2);
}

#[tokio::test]
async fn what_never_fits_is_told() {
    let mut stage = python("def handler(event, context): pass");
    stage.settings.memory_mb = 191;
    let error = stage.run("{}").await.map(drop).unwrap_err().to_string();
    let told =
        "`f` may have 192 MB, memory and temporary folder together, and all functions 191 MB";
    assert!(error.starts_with(told), "{error}");
}

#[tokio::test]
async fn a_flood_of_lines_is_cut() {
    let stage = python(
        "def handler(event, context):
    for number in range(3000): print('x' * 1000)
    print('the last')",
    );
    let outcome = stage.run("{}").await.unwrap();
    let lines = stage.lines.all();
    assert!((1 << 19..(1 << 20) + 4096).contains(&lines.len()), "{}", lines.len());
    assert!(lines.contains(" lines are not told\nEND RequestId"));
    assert!(String::from_utf8_lossy(&outcome.log_tail).contains("the last\n"));
}
