//! What checking one signature costs: `cargo run --release -p strongroom-sigv4 --example verify_cost`
//!
//! The request is boto3's GetSecretValue with temporary keys: five signed headers, nine in all.

#![expect(clippy::print_stdout, reason = "a measurement prints its result")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use base::{Sensitive, Timestamp};
use std::hint::black_box;
use std::time::Instant;
use strongroom_sigv4::{
    Credentials, Presented, Rejection, Request, Signer, SigningKey, Verified, body_hash,
};

const ROUNDS: u32 = 2_000;

fn main() -> Result<(), Rejection> {
    let now = Timestamp::from_secs(1_790_000_000);
    let secret = Sensitive::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
    let token = "A".repeat(320);
    let body = br#"{"SecretId": "prod/payments/database"}"#;
    let unsigned: Vec<(&str, &[u8])> = vec![
        ("host", b"127.0.0.1:4747"),
        ("x-amz-target", b"secretsmanager.GetSecretValue"),
        ("content-type", b"application/x-amz-json-1.1"),
    ];
    let request = Request {
        method: "POST",
        path: "/",
        query: "",
        headers: &unsigned,
        body_hash: body_hash(body),
    };
    let credentials = Credentials {
        access_key_id: "ASIAIOSFODNN7EXAMPLE",
        secret: &secret,
        session_token: Some(&token),
    };
    let signer = Signer { credentials, region: "us-east-1", service: "secretsmanager", at: now };
    let added = signer.sign(&request)?;

    let mut headers = unsigned.clone();
    headers.extend(added.iter().map(|it| (it.0, it.1.as_bytes())));
    headers.push(("accept-encoding", b"identity"));
    headers.push(("user-agent", b"Boto3/1.44.5 md/Botocore#1.44.5 os/linux lang/python#3.12.3"));
    headers.push(("amz-sdk-invocation-id", b"7a7a1f0c-2f1b-4a5e-9f1e-1f6f2d3c4b5a"));
    let request = Request { headers: &headers, ..request };
    let key = SigningKey::derive(&secret, "20260921", "us-east-1", "secretsmanager");

    let checks = |request: &Request<'_>| -> Result<Verified, Rejection> {
        Presented::parse(request)?
            .check_window(now, 5)?
            .check_scope(&["secretsmanager"], |it| it == "us-east-1")?
            .verify(&key)
    };
    drop(checks(&request)?);
    measure("all checks", || checks(black_box(&request)));
    measure("parse", || Presented::parse(black_box(&request)).map(drop));
    measure("body hash", || body_hash(black_box(body)));
    measure("derive a key", || SigningKey::derive(&secret, "20260921", "us-east-1", "kms"));
    Ok(())
}

fn measure<T>(what: &str, act: impl Fn() -> T) {
    let best = (0..200).map(|_| round(&act)).min().unwrap_or_default();
    println!("{what:14}{best:6} ns");
}

fn round<T>(act: impl Fn() -> T) -> u128 {
    let start = Instant::now();
    for _ in 0..ROUNDS {
        drop(black_box(act()));
    }
    start.elapsed().as_nanos() / u128::from(ROUNDS)
}
