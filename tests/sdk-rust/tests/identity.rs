//! Roles and keys through the unmodified AWS SDK for Rust and its credential provider.

use aws_config::sts::AssumeRoleProvider;
use aws_sdk_iam::error::ProvideErrorMetadata;
use sdk_rust::{Door, Server};

const REGION: &str = "us-test-3";

#[tokio::test]
async fn a_role_reads_what_both_locks_let_it_read() {
    let server = Server::start();
    for door in [Door::Plain, Door::Tls] {
        both_locks(&server, door).await;
    }
}

async fn both_locks(server: &Server, door: Door) {
    let name = format!("app-{door:?}");
    let account = server.sts(door, REGION).get_caller_identity().send().await.unwrap();
    let account = account.account().unwrap().to_owned();
    let iam = server.iam(door, REGION);
    let trust = document("Principal", &format!(r#"{{"AWS":"{account}"}}"#), "sts:AssumeRole");
    let role = iam.create_role().role_name(&name).assume_role_policy_document(trust);
    let role = role.send().await.unwrap().role().unwrap().arn().to_owned();

    let key = server.kms(door, REGION).create_key().send().await.unwrap();
    let key = key.key_metadata().unwrap().arn().unwrap().to_owned();
    let secret = server.secrets(door, REGION).create_secret().name(&name).secret_string("one");
    let secret = secret.kms_key_id(&key).send().await.unwrap().arn().unwrap().to_owned();

    let provider = AssumeRoleProvider::builder(&role).session_name("rust");
    let provider = provider.configure(&server.shared(door, REGION)).build().await;
    let app = server.secrets_as(door, REGION, provider);
    let read = || app.get_secret_value().secret_id(&secret).send();
    let grant = async |action: &str, resource: &str| {
        let text = document("Resource", &format!("{resource:?}"), action);
        let put = iam.put_role_policy().role_name(&name).policy_name(action.replace(':', "-"));
        put.policy_document(text).send().await.unwrap();
    };

    let denied = read().await.unwrap_err().into_service_error();
    assert_eq!(denied.code(), Some("AccessDeniedException"));
    grant("secretsmanager:GetSecretValue", &secret).await;
    let denied = read().await.unwrap_err().into_service_error();
    assert_eq!(denied.message(), Some("Access to KMS is not allowed"));
    grant("kms:Decrypt", &key).await;
    assert_eq!(read().await.unwrap().secret_string(), Some("one"));

    server.kms(door, REGION).disable_key().key_id(&key).send().await.unwrap();
    let failed = read().await.unwrap_err().into_service_error();
    assert!(failed.is_decryption_failure(), "{failed:?}");
}

#[tokio::test]
async fn errors_are_the_sdks_own() {
    let server = Server::start();
    let iam = server.iam(Door::Plain, REGION);
    let none = iam.get_role().role_name("none").send().await.unwrap_err().into_service_error();
    assert!(none.is_no_such_entity_exception(), "{none:?}");
    let kms = server.kms(Door::Plain, REGION);
    let none = kms.describe_key().key_id("alias/none").send().await.unwrap_err();
    assert!(none.into_service_error().is_not_found_exception());
}

/// A policy of one statement: `member` says whom or what it is about.
fn document(member: &str, value: &str, action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","{member}":{value},"Action":"{action}"}}]}}"#
    )
}
