//! When access keys were last used: coarse, and never in the way of a request.

use serde_json::json;
use std::time::Duration;
use store::backends::memory::Fault;
use testkit::World;

async fn query(world: &World, service: &str, form: &str) -> String {
    let form_type = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
    let mut headers = vec![("content-type", form_type), ("host", world.address().to_string())];
    let signing = world.signer(&world.admin, service);
    headers.extend(signing.sign_over("/", &headers, form.as_bytes()));
    let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    let answer = world.send(("POST", "/"), &headers, form.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

/// Date, service and Region of the admin's access key, once all is written.
async fn last_use(world: &World) -> [String; 3] {
    world.advance(Duration::ZERO).await;
    let id = &world.admin.access_key_id;
    let form = format!("Action=GetAccessKeyLastUsed&Version=2010-05-08&AccessKeyId={id}");
    let text = query(world, "iam", &form).await;
    assert!(text.contains("<UserName>admin</UserName>"), "{text}");
    ["LastUsedDate", "ServiceName", "Region"].map(|name| {
        let rest = text.split_once(&format!("<{name}>")).map_or("", |it| it.1);
        rest.split_once("</").map_or("", |it| it.0).to_owned()
    })
}

async fn who(world: &World) {
    query(world, "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
}

#[tokio::test]
async fn a_key_is_noted_once_in_a_quarter_of_an_hour() {
    let world = World::start().await;
    who(&world).await;
    let first = ["2026-01-01T00:00:00Z", "sts", "us-east-1"];
    assert_eq!(last_use(&world).await, first);
    world.advance(Duration::from_secs(899)).await;
    assert_eq!(world.call("ListSecrets", json!({})).await.status, 200);
    assert_eq!(last_use(&world).await, first, "not again in the same period");
    world.advance(Duration::from_secs(1)).await;
    assert_eq!(world.call("ListSecrets", json!({})).await.status, 200);
    who(&world).await;
    let next = ["2026-01-01T00:15:00Z", "secretsmanager", "us-east-1"];
    assert_eq!(last_use(&world).await, next);
    world.stop().await;
}

#[tokio::test]
async fn what_cannot_be_noted_holds_nothing_up() {
    let world = World::start().await;
    who(&world).await;
    let before = last_use(&world).await;
    for (minutes, fault) in [(15, Fault::Full), (30, Fault::Fail), (45, Fault::Conflict)] {
        world.advance(Duration::from_mins(15)).await;
        world.store.fault(fault, 1);
        who(&world).await;
        assert_eq!(last_use(&world).await, before, "{minutes}");
    }
    world.advance(Duration::from_mins(15)).await;
    who(&world).await;
    assert_eq!(last_use(&world).await, ["2026-01-01T01:00:00Z", "sts", "us-east-1"]);
    world.stop().await;
}

/// Namespaces and last dates of the admin's report.
async fn services(world: &World) -> Vec<(String, String)> {
    world.advance(Duration::ZERO).await;
    let of = |text: &str, name: &str| {
        let rest = text.split_once(&format!("<{name}>")).map_or("", |it| it.1);
        rest.split_once("</").map_or("", |it| it.0).to_owned()
    };
    let user = query(world, "iam", "Action=GetUser&Version=2010-05-08").await;
    let arn = of(&user, "Arn");
    let form = format!("Action=GenerateServiceLastAccessedDetails&Version=2010-05-08&Arn={arn}");
    let job = of(&query(world, "iam", &form).await, "JobId");
    let form = format!("Action=GetServiceLastAccessedDetails&Version=2010-05-08&JobId={job}");
    let text = query(world, "iam", &form).await;
    let parts = text.split("<member>").skip(1);
    let named = parts.map(|it| (of(it, "ServiceNamespace"), of(it, "LastAuthenticated")));
    named.filter(|it| !it.1.is_empty()).collect()
}

#[tokio::test]
async fn each_service_is_noted_beside_the_key() {
    let world = World::start().await;
    who(&world).await;
    assert_eq!(world.call("ListSecrets", json!({})).await.status, 200);
    world.advance(Duration::from_mins(20)).await;
    who(&world).await;
    assert_eq!(world.call("ListSecrets", json!({})).await.status, 200);
    let noted = services(&world).await;
    let later = "2026-01-01T00:20:00Z".to_owned();
    let expected = ["secretsmanager", "sts"].map(|it| (it.to_owned(), later.clone()));
    assert!(expected.iter().all(|it| noted.contains(it)), "{noted:?}");
    world.stop().await;
}
