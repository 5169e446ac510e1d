//! When an issuer is asked, and when it is left alone.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

const START: Timestamp = Timestamp::from_secs(1_769_853_600);
const KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// An issuer that counts how often it is asked for its keys.
#[derive(Default)]
struct Script {
    asked: AtomicUsize,
    /// How many keys it has; none at all means that it is down.
    keys: AtomicUsize,
    /// Answers wait for this, if they are to.
    gate: Option<Arc<Notify>>,
}

#[async_trait]
impl Documents for Arc<Script> {
    async fn read(&self, address: &str, _: &[String]) -> Result<Vec<u8>, Unreachable> {
        if let Some(issuer) = address.strip_suffix("/.well-known/openid-configuration") {
            let text = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/keys"}}"#);
            return Ok(text.into_bytes());
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        match self.keys.load(Ordering::SeqCst) {
            0 => Err(Unreachable("down".to_owned())),
            count => Ok(format!(r#"{{"keys":[{}]}}"#, vec![KEY; count].join(",")).into_bytes()),
        }
    }
}

fn issuers(keys: usize) -> (Arc<Script>, Issuers) {
    let script = Arc::new(Script { keys: keys.into(), ..Script::default() });
    (Arc::clone(&script), Issuers::new(Box::new(script)))
}

fn issuer(number: usize) -> Issuer {
    Issuer::parse(&format!("https://n{number}.example.org")).expect("valid")
}

#[tokio::test]
async fn keys_count_for_an_hour() {
    let (script, issuers) = issuers(1);
    let it = issuer(1);
    for (after, expected) in [(0, 1), (3599, 1), (3600, 2), (3601, 2)] {
        let now = START.plus(Duration::from_secs(after));
        assert!(issuers.keys(&it, &[], (None, now)).await.is_some(), "after {after} s");
        assert_eq!(script.asked.load(Ordering::SeqCst), expected, "after {after} s");
    }
    script.keys.store(0, Ordering::SeqCst);
    let later = START.plus(Duration::from_hours(3));
    assert!(issuers.keys(&it, &[], (None, later)).await.is_none(), "old keys open nothing");
}

#[tokio::test]
async fn who_is_down_is_left_alone_for_a_while() {
    let (script, issuers) = issuers(0);
    let it = issuer(1);
    for (after, expected) in [(0, 1), (1, 1), (9, 1), (10, 2), (19, 2), (20, 3)] {
        let now = START.plus(Duration::from_secs(after));
        assert!(issuers.keys(&it, &[], (None, now)).await.is_none(), "after {after} s");
        assert_eq!(script.asked.load(Ordering::SeqCst), expected, "after {after} s");
    }
    script.keys.store(1, Ordering::SeqCst);
    let later = START.plus(Duration::from_secs(30));
    assert!(issuers.keys(&it, &[], (None, later)).await.is_some());
}

#[tokio::test]
async fn newer_keys_are_asked_for_once_in_a_while() {
    let (script, issuers) = issuers(1);
    let it = issuer(1);
    let old = issuers.keys(&it, &[], (None, START)).await.expect("keys");
    script.keys.store(2, Ordering::SeqCst);
    let now = START.plus(Duration::from_secs(1));
    let new = issuers.keys(&it, &[], (Some(&old), now)).await.expect("newer keys");
    assert_eq!((new.len(), script.asked.load(Ordering::SeqCst)), (2, 2));
    // Who held the old ones gets the new ones without asking.
    assert!(issuers.keys(&it, &[], (Some(&old), now)).await.is_some());
    for (after, expected) in [(1, 2), (10, 2), (11, 3), (20, 3)] {
        let now = START.plus(Duration::from_secs(after));
        let newer = issuers.keys(&it, &[], (Some(&new), now)).await;
        assert_eq!(script.asked.load(Ordering::SeqCst), expected, "after {after} s");
        // What was fetched at 11 s is newer than what is held here.
        assert_eq!(newer.is_some(), after >= 11, "after {after} s");
    }
    assert!(issuers.keys(&it, &[], (None, now)).await.is_some(), "what is known still counts");
}

#[tokio::test]
async fn one_asks_and_the_others_wait() {
    let gate = Arc::new(Notify::new());
    let script =
        Arc::new(Script { keys: 1.into(), gate: Some(Arc::clone(&gate)), ..Script::default() });
    let issuers = Issuers::new(Box::new(Arc::clone(&script)));
    let it = issuer(1);
    let ask = || issuers.keys(&it, &[], (None, START));
    let (one, two, three, ()) = tokio::join!(ask(), ask(), ask(), async { gate.notify_one() });
    assert!(one.is_some() && two.is_some() && three.is_some());
    assert_eq!(script.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_thumbprint_counts_for_who_gave_it() {
    let (script, issuers) = issuers(1);
    let it = issuer(1);
    issuers.keys(&it, &["a".repeat(40)], (None, START)).await.expect("keys");
    issuers.keys(&it, &[], (None, START)).await.expect("keys");
    assert_eq!(script.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn memory_is_bounded() {
    let (_, issuers) = issuers(1);
    for number in 0..MOST + 50 {
        let now = START.plus(Duration::from_millis(u64::try_from(number).expect("small")));
        issuers.keys(&issuer(number), &[], (None, now)).await.expect("keys");
    }
    let known = issuers.known.lock().expect("whole");
    assert_eq!(known.len(), MOST);
    assert!(!known.contains_key(&("https://n0.example.org".to_owned(), Vec::new())));
}
