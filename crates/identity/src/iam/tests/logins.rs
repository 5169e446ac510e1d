//! Passwords of users, and what an account asks of them.

use super::{Desk, Refused};
use service::Kind;
use std::time::Duration;

const MISSING: Refused<'static> =
    Some(("NoSuchEntity", 404, "Login Profile for User ada cannot be found."));
const REFUSED: Refused<'static> = Some((
    "PasswordPolicyViolation",
    400,
    "Password does not conform to the account password policy.",
));
const WRONG: Refused<'static> = Some(("AccessDenied", 403, "The old password was incorrect."));

/// The user `ada` calls, as an administrator.
async fn desk_of_ada() -> Desk {
    let mut desk = Desk::open().await;
    let made = desk.done("CreateUser", "UserName=ada").await;
    desk.caller.principal_id = made.get("UserId").expect("an id").to_owned();
    desk.caller.user_name = "ada".to_owned();
    desk.caller.arn = made.get("Arn").expect("an ARN").to_owned();
    desk
}

fn change(old: &str, new: &str) -> String {
    format!("OldPassword={old}&NewPassword={new}")
}

#[tokio::test]
async fn a_passwords_life() {
    let mut desk = desk_of_ada().await;
    let exists = "Login Profile for user ada already exists.";
    let hangs = "Cannot delete entity, must delete login profile first.";
    let unseen = "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
    desk.expect(&[
        ("GetLoginProfile", "UserName=ada", MISSING),
        ("UpdateLoginProfile", "UserName=ada&PasswordResetRequired=true", MISSING),
        ("DeleteLoginProfile", "UserName=ada", MISSING),
        ("ChangePassword", &change("Passw0rd.one", "Passw0rd.two"), MISSING),
        ("CreateLoginProfile", "UserName=ada&Password=password", REFUSED),
        (
            "CreateLoginProfile",
            "UserName=ada&Password=%C4%80bcdefgh1",
            Some(("ValidationError", 400, unseen)),
        ),
        (
            "CreateLoginProfile",
            "UserName=bob&Password=Passw0rd.one",
            Some(("NoSuchEntity", 404, "The user with name bob cannot be found.")),
        ),
    ])
    .await;
    let made =
        desk.done("CreateLoginProfile", "Password=Passw0rd.one&PasswordResetRequired=true").await;
    assert_eq!(made.get("PasswordResetRequired"), Some("true"));
    let record = desk.paper.last();
    assert_eq!(record["responseElements"]["loginProfile"]["userName"], "ada");
    assert!(!record.to_string().contains("Passw0rd"), "{record}");
    desk.now = desk.now.plus(Duration::from_hours(1));
    desk.expect(&[
        (
            "CreateLoginProfile",
            "UserName=ada&Password=Passw0rd.two",
            Some(("EntityAlreadyExists", 409, exists)),
        ),
        ("DeleteUser", "UserName=ada", Some(("DeleteConflict", 409, hangs))),
        ("ChangePassword", &change("Passw0rd.two", "Passw0rd.two"), WRONG),
        ("ChangePassword", &change("Passw0rd.one", "short"), REFUSED),
        ("ChangePassword", &change("Passw0rd.one", "Passw0rd.two"), None),
        ("ChangePassword", &change("Passw0rd.one", "Passw0rd.two"), WRONG),
        ("UpdateUser", "UserName=ada&NewUserName=eve", None),
    ])
    .await;
    assert!(!desk.paper.last().to_string().contains("Passw0rd"));
    let found = desk.done("GetLoginProfile", "UserName=eve").await;
    let told = ["UserName", "CreateDate", "PasswordResetRequired"].map(|it| found.get(it));
    assert_eq!(told, [Some("eve"), Some("2026-01-31T10:00:00Z"), Some("false")]);
    desk.expect(&[
        ("UpdateLoginProfile", "UserName=eve&Password=Passw0rd.three", None),
        ("UpdateLoginProfile", "UserName=eve&PasswordResetRequired=true", None),
        ("DeleteLoginProfile", "UserName=eve", None),
        ("DeleteUser", "UserName=eve", None),
    ])
    .await;
}

#[tokio::test]
async fn what_an_account_asks_of_passwords() {
    let desk = desk_of_ada().await;
    let none = Some((
        "NoSuchEntity",
        404,
        "The Password Policy with domain name 111122223333 cannot be found.",
    ));
    let length = "1 validation error detected: Value '5' at 'minimumPasswordLength' failed to satisfy constraint: Member must have value greater than or equal to 6";
    let create = |password: &str| format!("UserName=ada&Password={password}");
    let update = |password: &str| format!("UserName=ada&Password={password}");
    desk.expect(&[
        ("GetAccountPasswordPolicy", "", none),
        ("DeleteAccountPasswordPolicy", "", none),
        ("UpdateAccountPasswordPolicy", "MinimumPasswordLength=5", Some(("ValidationError", 400, length))),
        ("UpdateAccountPasswordPolicy", "", None),
        ("CreateLoginProfile", &create("abcde"), REFUSED),
        ("CreateLoginProfile", &create("abcdef"), None),
        (
            "UpdateAccountPasswordPolicy",
            "MinimumPasswordLength=8&RequireSymbols=true&RequireNumbers=true&RequireUppercaseCharacters=true&RequireLowercaseCharacters=true&MaxPasswordAge=90&PasswordReusePrevention=2&HardExpiry=false",
            None,
        ),
        ("UpdateLoginProfile", &update("Abcdefg1"), REFUSED),
        ("UpdateLoginProfile", &update("Abcdef1!"), None),
        ("UpdateLoginProfile", &update("Abcdef1!"), REFUSED), // it is the last one
        ("UpdateLoginProfile", &update("Abcdef2!"), None),
        ("ChangePassword", &change("Abcdef2!", "Abcdef1!"), REFUSED), // the one before
        ("ChangePassword", &change("Abcdef2!", "Abcdef3!"), None),
        ("ChangePassword", &change("Abcdef3!", "Abcdef1!"), None), // no longer remembered
    ])
    .await;
    let rules = desk.done("GetAccountPasswordPolicy", "").await;
    for (name, expected) in [
        ("MinimumPasswordLength", "8"),
        ("RequireSymbols", "true"),
        ("AllowUsersToChangePassword", "false"),
        ("ExpirePasswords", "true"),
        ("MaxPasswordAge", "90"),
        ("PasswordReusePrevention", "2"),
        ("HardExpiry", "false"),
    ] {
        assert_eq!(rules.get(name), Some(expected), "{name}");
    }
    desk.done("UpdateAccountPasswordPolicy", "RequireNumbers=true").await;
    let rules = desk.done("GetAccountPasswordPolicy", "").await;
    let told = ["MinimumPasswordLength", "RequireNumbers", "RequireSymbols", "ExpirePasswords"];
    assert_eq!(
        told.map(|it| rules.get(it)),
        [Some("6"), Some("true"), Some("false"), Some("false")]
    );
    assert_eq!((rules.get("MaxPasswordAge"), rules.get("HardExpiry")), (None, None));
    desk.expect(&[
        ("DeleteAccountPasswordPolicy", "", None),
        ("GetAccountPasswordPolicy", "", none),
    ])
    .await;
}

#[tokio::test]
async fn users_change_their_own_where_the_account_lets_them() {
    let desk = desk_of_ada().await;
    desk.done("CreateLoginProfile", "UserName=ada&Password=Passw0rd.one").await;
    let to = |old: &str, new: &str| change(old, new);
    let desk = desk.allowed(r#"{"Effect":"Allow","Action":"iam:*Policy","Resource":"*"}"#);
    let denied = desk.call("ChangePassword", &to("Passw0rd.one", "Passw0rd.two")).await;
    let (code, ..) = denied.error().expect("denied");
    assert_eq!(code, "AccessDenied");
    assert_ne!(denied.error().map(|it| it.2), WRONG.map(|it| it.2.to_owned()));
    desk.done("UpdateAccountPasswordPolicy", "AllowUsersToChangePassword=true").await;
    desk.done("ChangePassword", &to("Passw0rd.one", "Passw0rd.two")).await;
    let desk = desk.allowed(r#"{"Effect":"Deny","Action":"iam:GetUser","Resource":"*"}"#);
    desk.done("GetAccountPasswordPolicy", "").await;
    let others = desk.call("UpdateLoginProfile", "UserName=ada&Password=Passw0rd.three").await;
    assert_eq!(others.error().map(|it| it.0).as_deref(), Some("AccessDenied"));
    let mut desk_denied =
        desk.allowed(r#"{"Effect":"Deny","Action":"iam:ChangePassword","Resource":"*"}"#);
    let denied = desk_denied.call("ChangePassword", &to("Passw0rd.two", "Passw0rd.one")).await;
    assert_eq!(denied.error().map(|it| it.1), Some(403), "a denial outweighs it");
    desk_denied.caller.kind = Kind::Root;
    desk_denied.access = super::access_of(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let text = "Only IAM Users can change their own password";
    let root = Some(("InvalidUserType", 400, text));
    desk_denied.expect(&[("ChangePassword", &to("Passw0rd.two", "Passw0rd.one"), root)]).await;
}

#[tokio::test]
async fn who_guesses_a_password_waits() {
    let mut desk = desk_of_ada().await;
    desk.done("CreateLoginProfile", "UserName=ada&Password=Passw0rd.one").await;
    let (wrong, right) =
        (change("nothing", "Passw0rd.two"), change("Passw0rd.one", "Passw0rd.two"));
    for _ in 0..5 {
        desk.expect(&[("ChangePassword", &wrong, WRONG)]).await;
    }
    let text = "Too many wrong passwords. Try again later.";
    let barred = Some(("EntityTemporarilyUnmodifiable", 409, text));
    desk.expect(&[("ChangePassword", &right, barred)]).await;
    desk.now = desk.now.plus(Duration::from_secs(30));
    desk.expect(&[("ChangePassword", &right, None)]).await;
}

#[tokio::test]
async fn settings_of_the_account() {
    let desk = Desk::open().await;
    let off = Some((
        "FeatureDisabled",
        404,
        "Outbound web identity federation is disabled for your account",
    ));
    let on = Some((
        "FeatureEnabled",
        409,
        "Outbound web identity federation is already enabled for your account",
    ));
    let (get, enable) =
        ("GetOutboundWebIdentityFederationInfo", "EnableOutboundWebIdentityFederation");
    let disable = "DisableOutboundWebIdentityFederation";
    desk.expect(&[(get, "", off), (disable, "", off)]).await;
    let made = desk.done(enable, "").await;
    let issuer = made.get("IssuerIdentifier").expect("an issuer").to_owned();
    assert!(issuer.ends_with(".tokens.sts.global.api.invalid"), "{issuer}");
    let found = desk.done(get, "").await;
    let told = (found.get("IssuerIdentifier"), found.get("JwtVendingEnabled"));
    assert_eq!(told, (Some(issuer.as_str()), Some("true")));
    desk.expect(&[(enable, "", on), (disable, "", None), (get, "", off)]).await;
    assert_eq!(desk.done(enable, "").await.get("IssuerIdentifier"), Some(issuer.as_str()));

    let version = async || {
        let summary = desk.done("GetAccountSummary", "").await;
        let rest = summary.text.split_once("<key>GlobalEndpointTokenVersion</key><value>");
        rest.expect("shown").1.chars().next()
    };
    assert_eq!(version().await, Some('1'));
    let form = "GlobalEndpointTokenVersion=v2Token";
    desk.done("SetSecurityTokenServicePreferences", form).await;
    assert_eq!(version().await, Some('2'));
    assert_eq!(desk.done(get, "").await.get("IssuerIdentifier"), Some(issuer.as_str()));
}
