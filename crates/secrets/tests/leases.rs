//! What dynamic secrets cost those who have none.

#![expect(clippy::expect_used, reason = "helpers of tests")]

mod counting;

use base::{Clock, Uuid};
use counting::Counting;
use serde_json::json;
use service::{Call, Ports, Turns};
use testkit::{Desk, signed};

/// Rows that a read of `name` gets.
async fn rows(desk: &Desk, name: &str) -> usize {
    let body = json!({ "SecretId": name }).to_string();
    let body = body.as_bytes();
    let row = strongroom_secrets::OPERATIONS
        .iter()
        .find(|it| it.name == "GetSecretValue")
        .expect("served");
    let (region, now) = ("us-east-1".parse().expect("a Region"), desk.clock.now());
    let proof = signed(now, body).expect("signed");
    let (place, when) = ((&region, &desk.source), (now, Uuid::random(&*desk.entropy)));
    let tools = (&*desk.entropy as _, &*desk.keyring);
    let call = Call::new(proof, (&desk.caller, &desk.access), place, when, tools);
    let (backend, turns) = (Counting::over(&desk.backend), Turns::default());
    let ports = Ports { backend: &backend, trail: &*desk.trail, turns: &turns };
    assert_eq!(row.serve(&call, body, ports).await.status, 200);
    backend.read().0
}

/// The name, the secret, its value, the key and what that is under: no row is read to learn that a secret isn't dynamic.
#[tokio::test]
async fn a_plain_secret_is_read_as_ever() {
    let desk = Desk::open(1).await.expect("a desk");
    for (name, kind) in [("plain", json!(null)), ("typed", json!("Other"))] {
        let token = format!("{name:_<32}");
        let body = json!({
            "Name": name, "SecretString": "v", "ClientRequestToken": token, "Type": kind,
        });
        assert_eq!(desk.call("CreateSecret", body).await.status, 200);
        // The first of the day writes that it was.
        rows(&desk, name).await;
        assert_eq!(rows(&desk, name).await, READ, "{name}");
    }
}

const READ: usize = 5;
