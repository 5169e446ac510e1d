//! The life of a secret through the unmodified AWS SDK for Rust, over HTTP and TLS.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::primitives::Blob;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, Tag};
use sdk_rust::{Door, Server};

#[tokio::test]
async fn over_http() {
    whole_life(Door::Plain, "us-test-1").await;
}

#[tokio::test]
async fn over_tls() {
    whole_life(Door::Tls, "us-test-2").await;
}

async fn whole_life(door: Door, region: &'static str) {
    let server = Server::start();
    let found = server.sts(door, region).get_caller_identity().send().await.unwrap();
    let account = found.account().unwrap();
    assert_eq!(found.arn().unwrap(), format!("arn:aws:iam::{account}:user/admin"));
    let client = server.secrets(door, region);
    values_and_versions(&client).await;
    lists_and_batches(&client).await;
    policies(&client, account).await;
    the_end(&client).await;
}

async fn values_and_versions(client: &Client) {
    let made = client.create_secret().name("app/db").secret_string("one").send().await.unwrap();
    let arn = made.arn().unwrap();
    for id in ["app/db", arn, &arn[..arn.len() - 7]] {
        let found = client.get_secret_value().secret_id(id).send().await.unwrap();
        assert_eq!(found.secret_string(), Some("one"), "{id}");
        assert_eq!(found.version_stages(), ["AWSCURRENT"]);
    }
    let second =
        client.put_secret_value().secret_id(arn).secret_string("two").send().await.unwrap();
    client
        .update_secret_version_stage()
        .secret_id(arn)
        .version_stage("AWSCURRENT")
        .move_to_version_id(made.version_id().unwrap())
        .remove_from_version_id(second.version_id().unwrap())
        .send()
        .await
        .unwrap();
    let previous = client.get_secret_value().secret_id(arn).version_stage("AWSPREVIOUS");
    assert_eq!(previous.send().await.unwrap().secret_string(), Some("two"));

    let bytes = Blob::new([0, 1, 255]);
    client.update_secret().secret_id(arn).secret_binary(bytes.clone()).send().await.unwrap();
    let found = client.get_secret_value().secret_id(arn).send().await.unwrap();
    assert_eq!(found.secret_binary(), Some(&bytes));
    let versions = client.list_secret_version_ids().secret_id(arn).include_deprecated(true);
    assert_eq!(versions.send().await.unwrap().versions().len(), 3);

    let tag = Tag::builder().key("team").value("x").build();
    client.tag_resource().secret_id(arn).tags(tag.clone()).send().await.unwrap();
    let shown = client.describe_secret().secret_id(arn).send().await.unwrap();
    assert_eq!(shown.tags(), [tag]);
    client.untag_resource().secret_id(arn).tag_keys("team").send().await.unwrap();
}

async fn lists_and_batches(client: &Client) {
    for number in 1..=5 {
        let name = format!("list/{number}");
        client.create_secret().name(name).secret_string("x").send().await.unwrap();
    }
    let filter = Filter::builder().key(FilterNameStringType::Name).values("list/").build();
    let mut pages = client.list_secrets().filters(filter).into_paginator().page_size(2).send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        names.extend(page.unwrap().secret_list().iter().map(|it| it.name().unwrap().to_owned()));
    }
    names.sort();
    assert_eq!(names, ["list/1", "list/2", "list/3", "list/4", "list/5"]);

    let batch = client.batch_get_secret_value().secret_id_list("list/1").secret_id_list("none");
    let batch = batch.send().await.unwrap();
    assert_eq!(batch.secret_values().len(), 1);
    assert_eq!(batch.errors()[0].error_code(), Some("ResourceNotFoundException"));
}

async fn policies(client: &Client, account: &str) {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":
           "arn:aws:iam::{account}:root"}},"Action":"secretsmanager:*","Resource":"*"}}]}}"#
    );
    let checked = client.validate_resource_policy().resource_policy(&policy).send().await.unwrap();
    assert!(checked.policy_validation_passed());
    client.put_resource_policy().secret_id("app/db").resource_policy(policy).send().await.unwrap();
    let found = client.get_resource_policy().secret_id("app/db").send().await.unwrap();
    assert!(found.resource_policy().unwrap().contains(account));
    client.delete_resource_policy().secret_id("app/db").send().await.unwrap();
    let found = client.get_resource_policy().secret_id("app/db").send().await.unwrap();
    assert_eq!(found.resource_policy(), None);
}

async fn the_end(client: &Client) {
    client.delete_secret().secret_id("app/db").recovery_window_in_days(7).send().await.unwrap();
    let read = || client.get_secret_value().secret_id("app/db").send();
    let refused = read().await.unwrap_err().into_service_error();
    assert!(refused.is_invalid_request_exception(), "{refused:?}");
    client.restore_secret().secret_id("app/db").send().await.unwrap();
    read().await.unwrap();
    let now = client.delete_secret().secret_id("app/db").force_delete_without_recovery(true);
    now.send().await.unwrap();
    let refused = read().await.unwrap_err().into_service_error();
    assert!(refused.is_resource_not_found_exception(), "{refused:?}");
}
