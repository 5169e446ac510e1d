//! Authorization messages: who may read them, and what is none.

use super::desk::{ALLOW, Desk, other};
use crate::authorization::{MAX_LEN, open, parse, seal};
use crate::session::tests::account;
use policy::message::Message;

/// The shortest message there is.
const MESSAGE: &str = r#"{"r":"5b1fcb2f","t":1769853600000,"w":{"i":"AIDA","r":"arn","p":"arn"},
    "a":"kms:Decrypt","n":"111122223333","s":"w","v":"i"}"#;

async fn sealed(desk: &Desk, message: &[u8]) -> String {
    let mut txn = store::begin(&desk.house.backend);
    let account = account();
    let scope = desk.house.scope(&account, desk.now);
    seal(&mut txn, &scope, &account, message).await.expect("sealed")
}

#[tokio::test]
async fn a_message_opens_for_its_account_only() {
    let desk = Desk::new().await;
    let text = sealed(&desk, MESSAGE.as_bytes()).await;
    let mut txn = store::begin(&desk.house.backend);
    for (account, opens) in [(account(), true), (other(), false)] {
        let scope = desk.house.scope(&account, desk.now);
        let message = open(&mut txn, &scope, &account, &text).await.expect("read");
        assert_eq!(message.is_some(), opens, "{account}");
    }
}

#[tokio::test]
async fn the_longest_message_fits() {
    let desk = Desk::new().await;
    let text = sealed(&desk, &vec![b'x'; Message::MAX_LEN]).await;
    assert!(text.len() <= MAX_LEN, "{}", text.len());
    assert!(parse(&text).is_some());
}

#[tokio::test]
async fn what_is_no_message_is_refused_in_one_way() {
    let desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let bob = desk.user(&other(), "bob", Some(ALLOW)).await;
    let text = sealed(&desk, MESSAGE.as_bytes()).await;
    let no_message = sealed(&desk, b"{}").await;
    let good = desk.call(&alice, "DecodeAuthorizationMessage", &[("EncodedMessage", &text)]).await;
    assert_eq!(good.status, 200, "{good:?}");
    let decoded: serde_json::Value =
        serde_json::from_str(&good.get("DecodedMessage").expect("there")).expect("JSON");
    assert_eq!(decoded["context"]["action"], "kms:Decrypt");

    let mut forged: Vec<_> = (0..text.len()).step_by(7).map(|at| flipped(&text, at)).collect();
    forged.extend((1..text.len()).step_by(11).map(|end| text[..end].to_owned()));
    forged.extend([format!("{text}AAAA"), format!("{text}\n"), "é".into(), no_message]);
    let cases = forged.iter().map(|it| (&alice, it)).chain([(&bob, &text)]);
    for (who, text) in cases {
        let answered =
            desk.call(who, "DecodeAuthorizationMessage", &[("EncodedMessage", text)]).await;
        let expected = "InvalidAuthorizationMessageException".to_owned();
        assert_eq!((answered.status, answered.error().0), (400, expected), "{text}");
    }
}

#[tokio::test]
async fn who_may_not_is_told_so_before_anything_else() {
    let desk = Desk::new().await;
    let alice = desk.alice(None).await;
    for text in ["x", ""] {
        let answered =
            desk.call(&alice, "DecodeAuthorizationMessage", &[("EncodedMessage", text)]).await;
        assert_eq!((answered.status, answered.error().0.as_str()), (403, "AccessDenied"));
    }
    let alice = desk.alice(Some(ALLOW)).await;
    let long = "A".repeat(MAX_LEN + 1);
    for text in ["", &long] {
        let answered =
            desk.call(&alice, "DecodeAuthorizationMessage", &[("EncodedMessage", text)]).await;
        assert_eq!((answered.status, answered.error().0.as_str()), (400, "ValidationError"));
    }
}

fn flipped(text: &str, at: usize) -> String {
    let letter = if text.as_bytes()[at] == b'B' { "C" } else { "B" };
    format!("{}{letter}{}", &text[..at], &text[at + 1..])
}
