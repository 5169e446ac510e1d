//! No byte of a value or of a secret access key is on disk, in a log or in an error.

use crate::client::{Client, put, token};
use crate::process::{Server, done, text};
use crate::root_key::contents;
use serde_json::{Value, json};
use std::path::Path;

/// Where zeros are skipped: journals are mostly reserved space.
const CHUNK: usize = 4096;

#[test]
fn no_value_and_no_secret_key_is_on_disk_or_in_a_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::dev_with(&data, &["--log", "trace"]);
    let keys = server.keys();
    let account = server.admin("GET", "/v1/dev-credentials", "").json()["AccountId"].clone();
    let made =
        server.admin("POST", "/v1/access-keys", &json!({ "AccountId": account }).to_string());
    assert_eq!(made.status, 201, "{}", made.text());
    let other_key = made.json()["SecretAccessKey"].as_str().expect("a text").to_owned();
    let own_key = String::from_utf8(keys.secret.expose().to_vec()).expect("text");

    let mut client = keys.connect().expect("connected");
    let password = live(&mut client);
    let backup = folder.path().join("backup");
    done(&["backup", text(&backup), "--data", text(&data)]);

    let mut canaries: Vec<_> = CANARIES.map(str::to_owned).into();
    canaries.extend([own_key, other_key, password]);
    // Some of it is still in the store's journal only, ...
    assert_nowhere(&canaries, folder.path(), &server.said());
    let said = server.said();
    server.kill();
    // ... then the start has moved all of it to the tree.
    let server = Server::dev_with(&data, &["--log", "trace"]);
    let mut client = server.keys().connect().expect("connected");
    client.must("GetSecretValue", &json!({ "SecretId": "canary/text" }));
    let said = said + &server.said();
    server.stop();
    assert_nowhere(&canaries, folder.path(), &said);
}

const TEXT: &str = "canary-of-a-text-3b1f9e7ad2";
const BINARY: &str = "canary-of-bytes-84c0d65e1f";
const PUT: &str = "canary-of-put-9a2e64b07c";
const UPDATED: &str = "canary-of-update-51d7c8e3fa";
const REMOVED: &str = "canary-of-a-deleted-one-6f20b9";
const REFUSED: &str = "canary-of-a-refused-one-c7718d";
const CANARIES: [&str; 6] = [TEXT, BINARY, PUT, UPDATED, REMOVED, REFUSED];

/// A life of secrets that holds every canary, in calls that succeed and calls that don't; a password
/// that the server made, and that was stored.
fn live(client: &mut Client) -> String {
    let mut number = 0;
    let mut next = || {
        number += 1;
        token(0, number)
    };
    let create = |name: &str, token: String, member: &str, value: &str| json!({ "Name": name, "ClientRequestToken": token, member: value });
    client.must("CreateSecret", &create("canary/text", next(), "SecretString", TEXT));
    let bytes = base64(BINARY.as_bytes());
    client.must("CreateSecret", &create("canary/bytes", next(), "SecretBinary", &bytes));
    client.must("CreateSecret", &create("canary/gone", next(), "SecretString", REMOVED));
    client.must(
        "DeleteSecret",
        &json!({ "SecretId": "canary/gone", "ForceDeleteWithoutRecovery": true }),
    );
    let used = next();
    client.must("PutSecretValue", &put("canary/text", &used, PUT));
    client.must(
        "UpdateSecret",
        &json!({ "SecretId": "canary/text", "ClientRequestToken": next(), "SecretString": UPDATED }),
    );
    let password = client.must("GetRandomPassword", &json!({ "ExcludePunctuation": true }));
    let password = password["RandomPassword"].as_str().expect("a text").to_owned();
    client.must("PutSecretValue", &put("canary/text", &next(), &password));
    let all = json!({ "SecretIdList": ["canary/text", "canary/bytes"] });
    client.must("BatchGetSecretValue", &all);

    let long = format!("{REFUSED}{}", "x".repeat(70_000));
    let refusals: [(&str, Value); 7] = [
        ("PutSecretValue", put("canary/text", &used, REFUSED)),
        ("PutSecretValue", put("canary/text", &next(), &long)),
        ("PutSecretValue", put("canary/none", &next(), REFUSED)),
        ("PutSecretValue", put("canary/text", REFUSED, REFUSED)),
        ("CreateSecret", create("canary/text", next(), "SecretString", REFUSED)),
        ("CreateSecret", json!({ "Name": "canary/x", "SecretString": { "a": REFUSED } })),
        ("CreateSecret", json!({ "Name": "canary/x", "SecretBinary": REFUSED })),
    ];
    // A token is an id and no secret; the one above is only to make this call fail.
    for (operation, body) in refusals.iter().filter(|it| it.1["ClientRequestToken"] != REFUSED) {
        let answer = client.ask(operation, body).expect("an answer");
        assert_eq!(answer.status, 400, "{operation}: {}", answer.text());
        assert!(!answer.text().contains(REFUSED), "{}", answer.text());
    }
    password
}

/// Searches every file below `folder`, and what was said.
fn assert_nowhere(canaries: &[String], folder: &Path, said: &str) {
    let files = contents(folder);
    let mut found_names = false;
    for (path, bytes) in &files {
        for canary in canaries {
            for form in forms(canary) {
                assert!(!holds(bytes, &form), "{} holds {form:?}", path.display());
            }
        }
        // Names are no secrets: they show that the search finds what is there.
        found_names |= path.ends_with("00000001.log") && holds(bytes, b"canary/text");
    }
    assert!(found_names, "the search finds nothing at all");
    for canary in canaries {
        for form in forms(canary) {
            let form = String::from_utf8(form).expect("text");
            assert!(!said.contains(&form), "the log holds `{form}`");
        }
    }
    assert!(said.contains("answered"), "nothing was logged");
}

/// What `canary` may look like: as it is, in hexadecimal digits, and in the three ways that base64
/// writes it in the middle of something.
pub(crate) fn forms(canary: &str) -> Vec<Vec<u8>> {
    let bytes = canary.as_bytes();
    let digits = bytes.iter().map(|it| format!("{it:02x}")).collect::<Vec<_>>().concat();
    let mut forms = vec![bytes.to_vec(), digits.to_uppercase().into_bytes(), digits.into_bytes()];
    for start in 0..3 {
        let whole = (bytes.len() - start) / 3 * 3;
        forms.push(base64(&bytes[start..start + whole]).into_bytes());
    }
    forms
}

fn holds(bytes: &[u8], form: &[u8]) -> bool {
    let zeros = [0; CHUNK];
    (0..bytes.len()).step_by(CHUNK).any(|start| {
        let end = bytes.len().min(start + CHUNK);
        // No form has a zero, so none reaches into a chunk of them.
        if bytes[start..end] == zeros[..end - start] {
            return false;
        }
        let reach = bytes.len().min(end + form.len() - 1);
        let text = &bytes[start..reach];
        text.iter().enumerate().any(|(at, first)| *first == form[0] && text[at..].starts_with(form))
    })
}

/// Base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let whole = [group, &[0; 2]].concat();
        let bits = u32::from_be_bytes([0, whole[0], whole[1], whole[2]]);
        for place in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * place) & 63).expect("small");
            text.push(if place <= group.len() { char::from(DIGITS[digit]) } else { '=' });
        }
    }
    text
}
