//! The credential report.

use super::{Desk, NOW};
use crate::{LastUse, note_use};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::{Caller, Kind};
use std::time::Duration;

async fn report(desk: &Desk) -> String {
    let got = desk.done("GetCredentialReport", "").await;
    assert_eq!(got.get("ReportFormat"), Some("text/csv"));
    let bytes = STANDARD.decode(got.get("Content").expect("content")).expect("base64");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn every_user_and_its_credentials() {
    let mut desk = Desk::open().await;
    for name in ["Zoe", "ada", "b,c"] {
        desk.done("CreateUser", &format!("UserName={}", name.replace(',', "%2C"))).await;
    }
    desk.now = NOW.plus(Duration::from_hours(1));
    desk.done("CreateLoginProfile", "UserName=ada&Password=Passw0rd.one").await;
    desk.done("UpdateAccountPasswordPolicy", "MaxPasswordAge=2").await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        let made = desk.done("CreateAccessKey", "UserName=ada").await;
        keys.push(made.get("AccessKeyId").expect("an id").to_owned());
    }
    keys.sort();
    desk.done("UpdateAccessKey", &format!("UserName=ada&AccessKeyId={}&Status=Inactive", keys[0]))
        .await;
    let mut txn = store::begin(&desk.backend);
    let caller = Caller {
        access_key_id: keys[1].clone(),
        user_name: "ada".to_owned(),
        kind: Kind::User,
        ..desk.caller.clone()
    };
    let last = LastUse { at: NOW, service: "kms".to_owned(), region: "eu-west-1".to_owned() };
    note_use(&mut txn, &caller, &last).await.expect("noted");
    txn.commit().await.expect("committed");
    desk.done("GenerateCredentialReport", "").await;
    let text = report(&desk).await;
    let lines: Vec<&str> = text.split('\n').collect();
    let columns = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";
    let no_key = "false,N/A,N/A,N/A,N/A";
    let rest = "false,N/A,false,N/A";
    let user = "2026-01-31T10:00:00Z,false,N/A,N/A,N/A,false";
    assert_eq!(
        lines,
        [
            columns.to_owned(),
            format!(
                "<root_account>,arn:aws:iam::111122223333:root,2026-01-31T10:00:00Z,false,N/A,N/A,not_supported,false,{no_key},{no_key},{rest}"
            ),
            format!(
                "ada,arn:aws:iam::111122223333:user/ada,2026-01-31T10:00:00Z,true,no_information,2026-01-31T11:00:00Z,2026-02-02T11:00:00Z,false,false,2026-01-31T11:00:00Z,N/A,N/A,N/A,true,2026-01-31T11:00:00Z,2026-01-31T10:00:00Z,eu-west-1,kms,{rest}"
            ),
            format!(
                "\"b,c\",\"arn:aws:iam::111122223333:user/b,c\",{user},{no_key},{no_key},{rest}"
            ),
            format!("Zoe,arn:aws:iam::111122223333:user/Zoe,{user},{no_key},{no_key},{rest}"),
        ]
    );
}

#[tokio::test]
async fn a_report_is_good_for_four_hours() {
    let mut desk = Desk::open().await;
    let none = Some(("ReportNotPresent", 410, "Unknown"));
    let old = Some(("ReportExpired", 410, "The most recent credential report has expired."));
    desk.expect(&[("GetCredentialReport", "", none)]).await;
    let made = desk.done("GenerateCredentialReport", "").await;
    assert_eq!(made.get("State"), Some("COMPLETE"));
    let first = report(&desk).await;
    desk.done("CreateUser", "UserName=ada").await;
    desk.now = NOW.plus(Duration::from_hours(4));
    desk.done("GenerateCredentialReport", "").await;
    assert_eq!(report(&desk).await, first, "made once in four hours");
    desk.now = desk.now.plus(Duration::from_millis(1));
    desk.expect(&[("GetCredentialReport", "", old), ("GenerateCredentialReport", "", None)]).await;
    assert!(report(&desk).await.contains("\nada,"));
}
