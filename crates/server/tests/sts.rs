//! `sts:GetCallerIdentity`, the first call of most SDK users.

use std::time::Duration;
use testkit::http::Answer;
use testkit::{Signing, World};

const FORM: &str = "Action=GetCallerIdentity&Version=2011-06-15";

fn headers(world: &World) -> Vec<(&'static str, String)> {
    let form = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
    vec![("content-type", form), ("host", world.address().to_string())]
}

async fn post(world: &World, signing: Signing<'_>, form: &str) -> Answer {
    let mut headers = headers(world);
    headers.extend(signing.sign_over("/", &headers, form.as_bytes()));
    let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    world.send(("POST", "/"), &headers, form.as_bytes()).await
}

fn element<'a>(text: &'a str, name: &str) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let rest = text.split_once(&open).map_or("", |it| it.1);
    rest.split_once(&close).map_or("", |it| it.0)
}

#[tokio::test]
async fn tells_who_signed() {
    let world = World::start().await;
    let signing = world.signer(&world.admin, "sts");
    for region in ["us-east-1", "eu-west-1"] {
        let answer = post(&world, Signing { region, ..signing }, FORM).await;
        let text = answer.text();
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("text/xml")),
            "{text}"
        );
        let account = &world.admin.account;
        assert_eq!(element(&text, "Account"), account);
        assert_eq!(element(&text, "Arn"), format!("arn:aws:iam::{account}:user/admin"));
        assert!(element(&text, "UserId").starts_with("AIDA"), "{text}");
        assert_eq!(Some(element(&text, "RequestId")), answer.header("x-amzn-requestid"));
    }
    let (_, folder) = world.stop().await;
    let journal = folder.path().join("data/journal");
    let records: String = std::fs::read_dir(journal)
        .expect("a folder")
        .flatten()
        .filter_map(|it| std::fs::read_to_string(it.path()).ok())
        .collect();
    let record = records.lines().find(|it| it.contains("GetCallerIdentity")).expect("recorded");
    for part in [
        r#""eventSource":"sts.amazonaws.com""#,
        r#""requestParameters":null,"responseElements":null"#,
        r#""readOnly":true"#,
        r#""awsRegion":"us-east-1""#,
    ] {
        assert!(record.contains(part), "{part}\n{record}");
    }
}

#[tokio::test]
async fn a_url_can_be_signed_for_somebody_else_to_use() {
    let world = World::start().await;
    let host = ("host", world.address().to_string());
    let signing = world.signer(&world.admin, "sts");
    let line = ("GET", &*format!("/?{FORM}"));
    let query = signing.presign(line, std::slice::from_ref(&host), 60);
    let target = format!("/?{query}");
    // Whatever the URL says, it is good for fifteen minutes.
    for (after, status) in [(0, 200), (899, 200), (2, 403)] {
        world.clock.advance(Duration::from_secs(after));
        let answer = world.send(("GET", &target), &[("host", &host.1)], b"").await;
        assert_eq!(answer.status, status, "{}", answer.text());
        if status == 403 {
            assert_eq!(element(&answer.text(), "Code"), "SignatureDoesNotMatch");
            assert!(element(&answer.text(), "Message").ends_with(" - 15 min.)"));
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn a_signed_get_will_do() {
    let world = World::start().await;
    let host = ("host", world.address().to_string());
    let target = format!("/?{FORM}");
    let signing = world.signer(&world.admin, "sts");
    let mut headers = vec![host.clone()];
    headers.extend(signing.sign(("GET", &target), &[host], b""));
    let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    let answer = world.send(("GET", &target), &headers, b"").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    world.stop().await;
}

#[tokio::test]
async fn errors_are_xml() {
    let world = World::start().await;
    let signing = world.signer(&world.admin, "sts");
    let unsigned = headers(&world);
    let unsigned: Vec<_> = unsigned.iter().map(|it| (it.0, it.1.as_str())).collect();
    let stranger = testkit::Credentials {
        access_key_id: "AKIAAAAAAAAAAAAAAAAA".to_owned(),
        secret: "secret".to_owned().into(),
        account: String::new(),
    };
    let wrong = testkit::Credentials {
        access_key_id: world.admin.access_key_id.clone(),
        ..testkit::Credentials { secret: "x".to_owned().into(), ..stranger_like() }
    };
    let unknown = "The security token included in the request is invalid.";
    let rows = [
        (
            world.send(("POST", "/"), &unsigned, FORM.as_bytes()).await,
            (403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        ),
        (
            post(&world, Signing { caller: &stranger, ..signing }, FORM).await,
            (403, "InvalidClientTokenId", unknown),
        ),
        (
            post(&world, Signing { caller: &wrong, ..signing }, FORM).await,
            (403, "SignatureDoesNotMatch", MISMATCH),
        ),
        (
            post(&world, Signing { service: "secretsmanager", ..signing }, FORM).await,
            (
                403,
                "SignatureDoesNotMatch",
                "Credential should be scoped to correct service: &apos;sts&apos;. ",
            ),
        ),
        (
            post(&world, signing, "Action=AssumeRoleWithSAML&Version=2011-06-15").await,
            (
                400,
                "InvalidAction",
                "Could not find operation AssumeRoleWithSAML for version 2011-06-15",
            ),
        ),
        (
            post(&world, signing, "Action=<x>&Version=2011-06-15").await,
            (400, "InvalidAction", "Could not find operation &lt;x&gt; for version 2011-06-15"),
        ),
    ];
    for (answer, (status, code, message)) in rows {
        let text = answer.text();
        assert_eq!(answer.header("content-type"), Some("text/xml"));
        let found = (answer.status, element(&text, "Code"), element(&text, "Message"));
        assert_eq!(found, (status, code, message), "{text}");
        assert_eq!(Some(element(&text, "RequestId")), answer.header("x-amzn-requestid"));
    }
    world.stop().await;
}

fn stranger_like() -> testkit::Credentials {
    testkit::Credentials {
        access_key_id: String::new(),
        secret: String::new().into(),
        account: String::new(),
    }
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";
