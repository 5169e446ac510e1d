//! Reports of who last called which service.

use super::{Answered, Desk, NOW};
use crate::iam::accessed;
use crate::{LastUse, note_service_use};
use base::Timestamp;
use service::{Caller, Kind};
use std::time::Duration;

const GENERATE: &str = "GenerateServiceLastAccessedDetails";
const GET: &str = "GetServiceLastAccessedDetails";
const WITH: &str = "GetServiceLastAccessedDetailsWithEntities";
const ACTIONS: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["kms:Decrypt","s3:Get*","secretsmanager:*"],"Resource":"*"}}"#;

impl Desk {
    /// The users `ada` and `bob` of the group `ops`, which may use KMS, S3 and Secrets Manager; `eve` of none.
    async fn with_users() -> Self {
        let desk = Self::open().await;
        desk.done("CreatePolicy", &format!("PolicyName=p&PolicyDocument={ACTIONS}")).await;
        desk.done("CreateGroup", "GroupName=ops").await;
        desk.done("AttachGroupPolicy", "GroupName=ops&PolicyArn=arn:aws:iam::{A}:policy/p").await;
        for name in ["ada", "bob", "eve"] {
            desk.done("CreateUser", &format!("UserName={name}")).await;
        }
        for name in ["ada", "bob"] {
            desk.done("AddUserToGroup", &format!("GroupName=ops&UserName={name}")).await;
        }
        desk
    }

    /// The user `name` has called `service`.
    async fn used(&self, name: &str, service: &str, at: Timestamp) {
        let user = self.done("GetUser", &format!("UserName={name}")).await;
        let id = user.get("UserId").expect("an id").to_owned();
        let caller = Caller { principal_id: id, user_name: name.to_owned(), ..self.caller.clone() };
        let (service, region) = (service.to_owned(), "us-east-1".to_owned());
        let mut txn = store::begin(&self.backend);
        note_service_use(&mut txn, &caller, &LastUse { at, service, region }).await.expect("noted");
        txn.commit().await.expect("committed");
    }

    async fn report(&self, arn: &str) -> String {
        let made = self.done(GENERATE, &format!("Arn=arn:aws:iam::{{A}}:{arn}")).await;
        format!("JobId={}", made.get("JobId").expect("an id"))
    }
}

/// Namespace, last date, last entity and count of each service.
fn services(answered: &Answered) -> Vec<[String; 4]> {
    let names = [
        "ServiceNamespace",
        "LastAuthenticated",
        "LastAuthenticatedEntity",
        "TotalAuthenticatedEntities",
    ];
    let text = |part: &str, name: &str| {
        let rest = part.split_once(&format!("<{name}>")).map(|it| it.1);
        rest.and_then(|it| it.split_once('<')).map_or("", |it| it.0).to_owned()
    };
    answered.all("member").iter().map(|part| names.map(|name| text(part, name))).collect()
}

#[tokio::test]
async fn services_that_one_may_use_and_when_one_did() {
    let desk = Desk::with_users().await;
    let later = NOW.plus(Duration::from_hours(1));
    desk.used("ada", "kms", NOW).await;
    desk.used("bob", "kms", later).await;
    desk.used("ada", "iam", NOW).await; // which no policy lets it use
    desk.used("ada", "secretsmanager", NOW.minus(Duration::from_hours(401 * 24))).await; // too long ago
    let (ada, bob) = ["ada", "bob"].map(|it| format!("arn:aws:iam::111122223333:user/{it}")).into();
    let (first, second) = ("2026-01-31T10:00:00Z", "2026-01-31T11:00:00Z");
    for (arn, kms) in [
        ("user/ada", ["kms", first, &ada, "1"]),
        ("group/ops", ["kms", second, &bob, "2"]),
        ("policy/p", ["kms", second, &bob, "2"]),
    ] {
        let report = desk.done(GET, &desk.report(arn).await).await;
        assert_eq!(services(&report), [kms, ["secretsmanager", "", "", "0"]], "{arn}");
        let told = ["JobStatus", "JobType", "JobCompletionDate"].map(|it| report.get(it));
        assert_eq!(told, [Some("COMPLETED"), Some("SERVICE_LEVEL"), Some(first)]);
    }
    let none = desk.done(GET, &desk.report("user/eve").await).await;
    assert!(none.text.contains("<ServicesLastAccessed/>"), "{}", none.text);
    let job = desk.report("group/ops").await;
    let by = desk.done(WITH, &format!("{job}&ServiceNamespace=kms")).await;
    assert_eq!(
        (by.all("Name"), by.all("LastAuthenticated")),
        (vec!["bob", "ada"], vec![second, first])
    );
    assert_eq!(by.all("Type"), ["USER", "USER"]);
    let page = desk.done(WITH, &format!("{job}&ServiceNamespace=kms&MaxItems=1")).await;
    let marker = page.get("Marker").expect("more");
    let rest = desk.done(WITH, &format!("{job}&ServiceNamespace=kms&Marker={marker}")).await;
    assert_eq!((page.all("Name"), rest.all("Name")), (vec!["bob"], vec!["ada"]));
    let never = desk.done(WITH, &format!("{job}&ServiceNamespace=secretsmanager")).await;
    assert_eq!((never.all("Name"), never.get("LastAuthenticated")), (vec!["ada", "bob"], None));
}

#[tokio::test]
async fn a_report_is_as_it_was_made_and_its_askers_own() {
    let mut desk = Desk::with_users().await;
    let job = desk.report("user/ada").await;
    desk.used("ada", "kms", NOW).await;
    let report = desk.done(GET, &job).await;
    assert_eq!(services(&report).first().map(|it| it[1].clone()), Some(String::new()));
    let id = job.trim_start_matches("JobId=");
    let text = format!("Job with id {id} cannot be found.");
    let unknown = Some(("NoSuchEntity", 404, text.as_str()));
    let action =
        Some(("InvalidInput", 400, "ACTION_LEVEL: which actions were used is not recorded."));
    let nobody = Some(("NoSuchEntity", 404, "ARN arn:aws:iam::{A}:user/nobody cannot be found."));
    let no_service = Some(("InvalidInput", 400, "The report doesn't have the service iam."));
    desk.expect(&[
        (WITH, &format!("{job}&ServiceNamespace=iam"), no_service),
        (GENERATE, "Arn=arn:aws:iam::{A}:user/ada&Granularity=ACTION_LEVEL", action),
        (GENERATE, "Arn=arn:aws:iam::{A}:user/nobody", nobody),
    ])
    .await;
    desk.caller.principal_id = "AIDAEXAMPLEUSERID0002".to_owned();
    desk.expect(&[(GET, &job, unknown)]).await;
    desk.caller.principal_id = "AIDAEXAMPLEUSERID0001".to_owned();
    desk.now = NOW.plus(Duration::from_hours(7 * 24 + 1));
    desk.report("user/ada").await;
    desk.expect(&[(GET, &job, unknown)]).await; // it is forgotten after a week
}

#[tokio::test]
async fn who_has_the_name_later_has_used_nothing() {
    let desk = Desk::with_users().await;
    desk.used("ada", "kms", NOW).await;
    let before = desk.done("GetUser", "UserName=ada").await;
    let id = before.get("UserId").expect("an id").to_owned();
    desk.done("RemoveUserFromGroup", "GroupName=ops&UserName=ada").await;
    desk.done("DeleteUser", "UserName=ada").await;
    desk.done("CreateUser", "UserName=ada").await;
    desk.done("AddUserToGroup", "GroupName=ops&UserName=ada").await;
    let mut txn = store::begin(&desk.backend);
    let gone = Caller {
        principal_id: id,
        user_name: "ada".into(),
        kind: Kind::User,
        ..desk.caller.clone()
    };
    let last = LastUse { at: NOW, service: "kms".into(), region: "us-east-1".into() };
    note_service_use(&mut txn, &gone, &last).await.expect("missed");
    assert!(!txn.writes_anything(), "the user is another one");
    drop(txn);
    let report = desk.done(GET, &desk.report("user/ada").await).await;
    assert_eq!(services(&report).first().map(|it| it[3].clone()).as_deref(), Some("0"));
}

#[tokio::test]
async fn who_asks_again_has_the_same_report_made_anew() {
    let mut desk = Desk::with_users().await;
    let first = desk.report("user/ada").await;
    desk.used("ada", "kms", NOW).await;
    let other = desk.report("user/bob").await;
    desk.now = NOW.plus(Duration::from_hours(1));
    assert_eq!(desk.report("user/ada").await, first);
    let report = desk.done(GET, &first).await;
    assert_eq!(services(&report).first().map(|it| it[3].clone()).as_deref(), Some("1"));
    assert_eq!(report.get("JobCreationDate"), Some("2026-01-31T11:00:00Z"));
    assert_ne!(other, first);
    desk.caller.principal_id = "AIDAEXAMPLEUSERID0002".to_owned();
    assert_ne!(desk.report("user/ada").await, first, "another one's is its own");
}

#[tokio::test]
async fn an_account_keeps_its_newest_reports() {
    let mut desk = Desk::with_users().await;
    let mut jobs = Vec::new();
    for number in 0..101 {
        desk.now = NOW.plus(Duration::from_secs(number));
        desk.caller.principal_id = format!("AIDAEXAMPLEUSERID{number:04}");
        jobs.push((desk.caller.principal_id.clone(), desk.report("group/ops").await));
    }
    let mut txn = store::begin(&desk.backend);
    for (number, (by, job)) in jobs.iter().enumerate() {
        desk.caller.principal_id.clone_from(by);
        assert_eq!(desk.call(GET, job).await.status == 200, number > 0, "{number}");
        let id = job.trim_start_matches("JobId=");
        let list = accessed::accessors(&mut txn, &desk.caller.account, id).await.expect("whole");
        assert_eq!(list.of("kms").len(), if number > 0 { 2 } else { 0 }, "{number}: its list");
    }
}
