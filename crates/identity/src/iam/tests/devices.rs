//! Virtual devices, and what their owners may do with and without them.

use super::{Answered, Desk, NOW, Refused, access_of};
use crate::mfa::shown_by;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::Session;
use std::time::Duration;

const SERIAL: &str = "arn:aws:iam::111122223333:mfa/dev/ada";
const UNKNOWN: Refused<'static> = Some((
    "NoSuchEntity",
    404,
    "VirtualMFADevice with serial number arn:aws:iam::111122223333:mfa/nobody doesn't exist.",
));
const WRONG: Refused<'static> =
    Some(("InvalidAuthenticationCode", 403, "Authentication code for device is not valid."));
const FOREIGN: Refused<'static> = Some(("NoSuchEntity", 404, "MFA Device invalid for user."));

/// The users `ada` and `bob`, and a device; its seed in letters.
async fn desk_with_device() -> (Desk, Vec<u8>) {
    let desk = Desk::open().await;
    desk.done("CreateUser", "UserName=ada").await;
    desk.done("CreateUser", "UserName=bob").await;
    let made = desk.done("CreateVirtualMFADevice", "VirtualMFADeviceName=ada&Path=/dev/").await;
    assert_eq!(made.get("SerialNumber"), Some(SERIAL));
    let letters = letters(&made);
    (desk, letters)
}

fn letters(made: &Answered) -> Vec<u8> {
    STANDARD.decode(made.get("Base32StringSeed").expect("shown")).expect("base64")
}

fn codes(letters: &[u8], desk: &Desk, steps: [i64; 2]) -> String {
    let [one, two] = steps.map(|it| shown_by(letters, desk.now, it));
    format!("SerialNumber={SERIAL}&AuthenticationCode1={one}&AuthenticationCode2={two}")
}

#[tokio::test]
async fn a_devices_life() {
    let (desk, letters) = desk_with_device().await;
    let right = codes(&letters, &desk, [0, 1]);
    let (ada, bob) = (format!("UserName=ada&{right}"), format!("UserName=bob&{right}"));
    let swapped = format!("UserName=ada&{}", codes(&letters, &desk, [1, 0]));
    let of_ada = format!("UserName=ada&SerialNumber={SERIAL}");
    let of_bob = format!("UserName=bob&SerialNumber={SERIAL}");
    let device = format!("SerialNumber={SERIAL}");
    let again = "MFADevice entity at the same path and name already exists.";
    let in_use = "MFA VirtualDevice in use. Must deactivate first";
    let hangs = "Cannot delete entity, must delete MFA device first.";
    desk.expect(&[
        (
            "CreateVirtualMFADevice",
            "VirtualMFADeviceName=ADA&Path=/dev/",
            Some(("EntityAlreadyExists", 409, again)),
        ),
        ("EnableMFADevice", &swapped, WRONG),
        ("GetMFADevice", &of_ada, FOREIGN),
        ("EnableMFADevice", &ada, None),
        (
            "EnableMFADevice",
            &bob,
            Some(("EntityAlreadyExists", 409, "MFA Device is already in use.")),
        ),
        ("ResyncMFADevice", &ada, WRONG), // the codes are used up
        ("ResyncMFADevice", &bob, FOREIGN),
        ("DeactivateMFADevice", &of_bob, FOREIGN),
        ("DeleteVirtualMFADevice", &device, Some(("DeleteConflict", 409, in_use))),
        ("DeleteUser", "UserName=ada", Some(("DeleteConflict", 409, hangs))),
        ("UpdateUser", "UserName=ada&NewUserName=eve", None),
        ("DeleteVirtualMFADevice", "SerialNumber=arn:aws:iam::{A}:mfa/nobody", UNKNOWN),
    ])
    .await;
    let of_eve = format!("UserName=eve&SerialNumber={SERIAL}");
    let found = desk.done("GetMFADevice", &of_eve).await;
    let told = (found.get("UserName"), found.get("EnableDate"));
    assert_eq!(told, (Some("eve"), Some("2026-01-31T10:00:00Z")));
    desk.expect(&[
        ("DeactivateMFADevice", &of_eve, None),
        ("DeleteUser", "UserName=eve", None),
        ("DeleteVirtualMFADevice", &device, None),
    ])
    .await;
}

#[tokio::test]
async fn lists_of_devices() {
    let (desk, letters) = desk_with_device().await;
    desk.done("CreateVirtualMFADevice", "VirtualMFADeviceName=spare").await;
    let enable = format!("UserName=ada&{}", codes(&letters, &desk, [-1, 0]));
    desk.done("EnableMFADevice", &enable).await;
    for (state, expected) in [
        ("", &["dev/ada", "spare"][..]),
        ("AssignmentStatus=Any", &["dev/ada", "spare"]),
        ("AssignmentStatus=Assigned", &["dev/ada"]),
        ("AssignmentStatus=Unassigned", &["spare"]),
        ("MaxItems=1", &["dev/ada"]),
    ] {
        let listed = desk.done("ListVirtualMFADevices", state).await;
        let serials: Vec<_> =
            expected.iter().map(|it| format!("arn:aws:iam::111122223333:mfa/{it}")).collect();
        assert_eq!(listed.all("SerialNumber"), serials, "{state}");
        assert!(!listed.text.contains("Seed"), "{}", listed.text);
    }
    let of_ada = desk.done("ListMFADevices", "UserName=ada").await;
    assert_eq!(of_ada.all("SerialNumber"), [SERIAL]);
    assert!(desk.done("ListMFADevices", "UserName=bob").await.all("SerialNumber").is_empty());
}

#[tokio::test]
async fn a_user_has_eight_devices_at_most() {
    let (desk, _) = desk_with_device().await;
    for number in 0..9 {
        let name = format!("VirtualMFADeviceName=d{number}");
        let letters = letters(&desk.done("CreateVirtualMFADevice", &name).await);
        let [one, two] = [0, 1].map(|it| shown_by(&letters, desk.now, it));
        let serial = format!("arn:aws:iam::111122223333:mfa/d{number}");
        let form = format!(
            "UserName=ada&SerialNumber={serial}&AuthenticationCode1={one}&AuthenticationCode2={two}"
        );
        let quota = "Cannot exceed quota for MFADevicesPerUser: 8".to_owned();
        let expected = (number == 8).then(|| ("LimitExceeded".to_owned(), 409, quota));
        assert_eq!(desk.call("EnableMFADevice", &form).await.error(), expected, "{number}");
    }
}

#[tokio::test]
async fn tags_of_devices() {
    let (desk, _) = desk_with_device().await;
    let device = format!("SerialNumber={SERIAL}");
    let tag = format!("{device}&Tags.member.1.Key=team&Tags.member.1.Value=a");
    desk.done("TagMFADevice", &tag).await;
    let listed = desk.done("ListMFADeviceTags", &device).await;
    assert_eq!((listed.get("Key"), listed.get("Value")), (Some("team"), Some("a")));
    desk.done("UntagMFADevice", &format!("{device}&TagKeys.member.1=TEAM")).await;
    assert!(desk.done("ListMFADeviceTags", &device).await.get("Key").is_none());

    // Policies see them.
    desk.done("TagMFADevice", &tag).await;
    let desk = desk.allowed(
        r#"{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:mfa/*",
            "Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}}"#,
    );
    desk.done("UntagMFADevice", &format!("{device}&TagKeys.member.1=team")).await;
    assert_eq!(desk.call("DeleteVirtualMFADevice", &device).await.status, 403);
}

#[tokio::test]
async fn a_clock_is_set_right() {
    let (mut desk, letters) = desk_with_device().await;
    desk.done("EnableMFADevice", &format!("UserName=ada&{}", codes(&letters, &desk, [0, 1]))).await;
    desk.now = NOW.plus(Duration::from_mins(10));
    let ahead = format!("UserName=ada&{}", codes(&letters, &desk, [59, 60]));
    desk.done("ResyncMFADevice", &ahead).await;
    assert_eq!(desk.call("ResyncMFADevice", &ahead).await.error().map(|it| it.1), Some(403));
}

#[tokio::test]
async fn neither_seed_nor_code_is_told_again() {
    let (desk, letters) = desk_with_device().await;
    let made = desk.paper.last();
    assert_eq!(made["responseElements"]["virtualMFADevice"]["serialNumber"], SERIAL);
    assert_eq!(made["requestParameters"]["virtualMFADeviceName"], "ada");
    let [right, wrong] = [[0, 1], [5, 6]].map(|it| codes(&letters, &desk, it));
    let mut records = vec![made.to_string()];
    for form in [format!("{wrong}7"), wrong, right] {
        desk.call("EnableMFADevice", &format!("UserName=ada&{form}")).await;
        records.push(desk.paper.last().to_string());
    }
    let secrets = [0, 1, 5, 6].map(|it| shown_by(&letters, desk.now, it));
    let letters = String::from_utf8(letters).expect("letters");
    for secret in secrets.iter().chain([&letters, &STANDARD.encode(&letters)]) {
        assert!(records.iter().all(|it| !it.contains(secret)), "{secret} in {records:?}");
    }
}

#[tokio::test]
async fn guesses_are_counted_though_they_fail() {
    let (mut desk, letters) = desk_with_device().await;
    let wrong = format!("UserName=ada&{}", codes(&letters, &desk, [7, 7]));
    for _ in 0..5 {
        desk.expect(&[("EnableMFADevice", &wrong, WRONG)]).await;
    }
    let right = format!("UserName=ada&{}", codes(&letters, &desk, [0, 1]));
    desk.expect(&[("EnableMFADevice", &right, WRONG)]).await;
    desk.now = NOW.plus(Duration::from_secs(30));
    let right = format!("UserName=ada&{}", codes(&letters, &desk, [0, 1]));
    desk.expect(&[("EnableMFADevice", &right, None)]).await;
}

/// Rows 54 and 55, and the others of `aws:MultiFactorAuthPresent`: long-term keys have no value.
#[tokio::test]
async fn what_policies_see_of_a_second_factor() {
    let without = Session { issued: NOW, ..Session::default() };
    let at = Some(NOW.minus(Duration::from_secs(100)));
    let with = Session { mfa: at, ..without.clone() };
    let callers = [("long-term", None), ("without", Some(without)), ("with", Some(with))];
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let age = r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"LIMIT"}}"#;
    for (effect, condition, expected) in [
        ("Deny", r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#, [200, 403, 200]),
        ("Deny", r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#, [403, 403, 200]),
        ("Allow", r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, [403, 403, 200]),
        ("Allow", r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#, [200, 403, 200]),
        ("Allow", r#"{"Null":{"aws:MultiFactorAuthPresent":"true"}}"#, [200, 403, 403]),
        ("Allow", r#"{"Null":{"aws:MultiFactorAuthAge":"true"}}"#, [200, 200, 403]),
        ("Allow", &age.replace("LIMIT", "101"), [403, 403, 200]),
        ("Allow", &age.replace("LIMIT", "100"), [403, 403, 403]),
    ] {
        let statement = format!(
            r#"{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{condition}}}"#
        );
        let statement = if effect == "Deny" { format!("{all},{statement}") } else { statement };
        for ((name, session), expected) in callers.iter().zip(expected) {
            let mut desk = Desk::open().await;
            desk.caller.session.clone_from(session);
            desk.access = access_of(&statement);
            let answered = desk.call("ListUsers", "").await;
            assert_eq!(answered.status, expected, "{effect} {condition} {name}");
        }
    }
}
