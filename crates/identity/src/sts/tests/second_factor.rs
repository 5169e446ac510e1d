//! Sessions that begin with a second factor.

use super::desk::{ALL, ALLOW, Answered, Desk, Who, trusting};
use crate::mfa::{self, Codes, Owner, shown_by};
use crate::session::may_call_iam;
use crate::session::tests::account;
use crate::user::{self, User};
use base::Sensitive;
use store::backends::memory::Fault;

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const SERIAL: &str = "arn:aws:iam::111122223333:mfa/alice";
const WRONG: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
const DEVICE: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA \
                      serial number is valid and associated with this user.";
const HALF: &str =
    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";

/// A device that is enabled for alice; its seed in letters.
async fn enroll(desk: &Desk) -> Vec<u8> {
    let mut txn = store::begin(&desk.house.backend);
    let account = account();
    let scope = desk.house.scope(&account, desk.now);
    let (mut device, seed) = mfa::make(&mut txn, &scope, (SERIAL, "alice")).await.expect("made");
    let user = user::find(&mut txn, &account, "alice").await.expect("read").expect("there");
    let (name, id) = (user.name.clone(), user.id.clone());
    device.owner = Some(Owner { name, id, since: desk.now });
    mfa::save(&mut txn, &account, &device).expect("saved");
    let user = User { devices: vec![SERIAL.to_owned()], ..User::clone(&user) };
    user::save(&mut txn, &account, &user).expect("saved");
    txn.commit().await.expect("committed");
    seed.letters.expose().to_vec()
}

async fn session_of(desk: &Desk, who: &Who, code: &str) -> Answered {
    let shown = [("SerialNumber", SERIAL), ("TokenCode", code)];
    desk.call(who, "GetSessionToken", &shown).await
}

#[tokio::test]
async fn a_session_of_a_user_has_it() {
    let mut desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let letters = enroll(&desk).await;
    let bare = desk.session(&desk.call(&alice, "GetSessionToken", &[]).await).await;
    assert!(!may_call_iam(&bare.caller), "not without a second factor");
    let code = shown_by(&letters, desk.now, 0);
    let answered = session_of(&desk, &alice, &code).await;
    let session = desk.session(&answered).await;
    assert!(may_call_iam(&session.caller));
    assert_eq!(session.caller.session.expect("one").mfa, Some(desk.now));

    // 108: a code is good once.
    let reused = session_of(&desk, &alice, &code).await;
    assert_eq!(reused.error(), ("AccessDenied".to_owned(), WRONG.to_owned()));
    assert_eq!(reused.status, 403);
    desk.advance(30);
    assert_eq!(session_of(&desk, &alice, &code).await.status, 403, "nor in the next step");
    let next = shown_by(&letters, desk.now, 0);
    assert_eq!(session_of(&desk, &alice, &next).await.status, 200);
    let text = serde_json::to_string(&desk.records()).expect("JSON");
    assert!(!text.contains(&code) && !text.contains(&next), "{text}");
    assert!(text.contains(SERIAL) && text.contains(WRONG));
}

#[tokio::test]
async fn of_two_at_once_one_is_refused() {
    let desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let letters = enroll(&desk).await;
    let code = shown_by(&letters, desk.now, 0);
    let (account, shown) = (account(), Sensitive::from(code.clone()));
    let scope = desk.house.scope(&account, desk.now);

    // Somebody takes the code, and hasn't committed yet.
    let mut other = store::begin(&desk.house.backend);
    let found = mfa::find(&mut other, &account, SERIAL).await;
    let mut device = found.expect("read").expect("there");
    assert!(device.take(&mut other, &scope, Codes::One(&shown)).await.expect("taken"));
    assert_eq!(session_of(&desk, &alice, &code).await.status, 200);
    let late = other.commit().await;
    assert!(matches!(late, Err(store::Error::Conflict { .. })), "{late:?}");
    assert_eq!(session_of(&desk, &alice, &code).await.error().1, WRONG, "when it runs again");
}

/// What can't be written down isn't answered: neither that a code was used, nor that it was wrong.
#[tokio::test]
async fn a_full_store_takes_no_codes() {
    let desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let role = desk.role(("/", "app"), &trusting(ALICE, ALL, "{}"), |_| ()).await;
    let letters = enroll(&desk).await;
    // The first session makes what the others are sealed under.
    assert_eq!(desk.call(&alice, "GetSessionToken", &[]).await.status, 200);
    let right = shown_by(&letters, desk.now, 0);
    let session = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    for (name, parameters) in [("GetSessionToken", &[][..]), ("AssumeRole", &session)] {
        for code in ["000000", &right] {
            let shown = [("SerialNumber", SERIAL), ("TokenCode", code)];
            desk.house.backend.fault(Fault::Full, 1);
            let answered = desk.try_call(&alice, name, &[parameters, &shown].concat()).await;
            assert_eq!(answered.status, 500, "{name} {code}: {answered:?}");
        }
    }
    assert_eq!(session_of(&desk, &alice, &right).await.status, 200);
}

#[tokio::test]
async fn what_is_refused() {
    let desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let bob = desk.user(&super::desk::other(), "bob", Some(ALLOW)).await;
    let letters = enroll(&desk).await;
    let code = shown_by(&letters, desk.now, 0);
    let (serial, code) = (("SerialNumber", SERIAL), ("TokenCode", code.as_str()));
    let another = ("SerialNumber", "arn:aws:iam::111122223333:mfa/bob");
    let pattern = "1 validation error detected: Value at 'tokenCode' failed to satisfy constraint: \
                   Member must satisfy regular expression pattern: [\\d]*";
    for (who, shown, expected) in [
        (&alice, &[serial][..], ("AccessDenied", HALF)),
        (&alice, &[code], ("AccessDenied", HALF)),
        (&alice, &[another, code], ("AccessDenied", DEVICE)),
        (&bob, &[serial, code], ("AccessDenied", DEVICE)),
        (&Desk::root(), &[serial, code], ("AccessDenied", DEVICE)),
        (&alice, &[serial, ("TokenCode", "000000")], ("AccessDenied", WRONG)),
        (&alice, &[serial, ("TokenCode", "12345x")], ("ValidationError", pattern)),
    ] {
        let answered = desk.call(who, "GetSessionToken", shown).await;
        let (found, text) = answered.error();
        assert_eq!((found.as_str(), text.as_str()), expected, "{shown:?}");
    }
    let last = desk.call(&alice, "GetSessionToken", &[serial, code]).await;
    assert_eq!(last.status, 200, "the right one is still good: {last:?}");
}

#[tokio::test]
async fn a_role_can_ask_for_it() {
    let conditions = [
        (r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, [403, 200]),
        (r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}"#, [403, 200]),
        ("{}", [200, 200]),
    ];
    for (condition, expected) in conditions {
        let desk = Desk::new().await;
        let alice = desk.alice(None).await;
        let letters = enroll(&desk).await;
        let role = desk.role(("/", "app"), &trusting(ALICE, ALL, condition), |_| ()).await;
        let code = shown_by(&letters, desk.now, 0);
        let shown = [("SerialNumber", SERIAL), ("TokenCode", code.as_str())];
        let bare = desk.assume(&alice, &role, &[]).await;
        let with = desk.assume(&alice, &role, &shown).await;
        assert_eq!([bare.status, with.status], expected, "{condition}");
        let session = desk.session(&with).await.caller.session.expect("one");
        assert_eq!(session.mfa, Some(desk.now), "{condition}");
    }
}

/// Who may not have the role learns nothing of codes, and uses none up.
#[tokio::test]
async fn strangers_cannot_try_codes() {
    let desk = Desk::new().await;
    let alice = desk.alice(None).await;
    let letters = enroll(&desk).await;
    let trust = trusting("arn:aws:iam::444455556666:user/bob", ALL, "{}");
    let role = desk.role(("/", "app"), &trust, |_| ()).await;
    let code = shown_by(&letters, desk.now, 0);
    for tried in ["000000", &code] {
        let shown = [("SerialNumber", SERIAL), ("TokenCode", tried)];
        let (found, text) = desk.assume(&alice, &role, &shown).await.error();
        assert_eq!(found, "AccessDenied");
        assert!(text.contains("is not authorized to perform: sts:AssumeRole"), "{text}");
    }
    assert_eq!(session_of(&desk, &alice, &code).await.status, 200);
}

#[tokio::test]
async fn a_session_without_it_can_show_it_for_a_role() {
    let desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let letters = enroll(&desk).await;
    let condition = r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    let role = desk.role(("/", "app"), &trusting(ALICE, ALL, condition), |_| ()).await;
    let session = desk.session(&desk.call(&alice, "GetSessionToken", &[]).await).await;
    assert_eq!(desk.assume(&session, &role, &[]).await.status, 403);
    let code = shown_by(&letters, desk.now, 0);
    let shown = [("SerialNumber", SERIAL), ("TokenCode", code.as_str())];
    assert_eq!(desk.assume(&session, &role, &shown).await.status, 200);
}

#[tokio::test]
async fn guesses_make_the_right_code_wait() {
    let mut desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let letters = enroll(&desk).await;
    for _ in 0..5 {
        assert_eq!(session_of(&desk, &alice, "000000").await.status, 403);
    }
    let code = |desk: &Desk| shown_by(&letters, desk.now, 0);
    assert_eq!(session_of(&desk, &alice, &code(&desk)).await.status, 403);
    desk.advance(30);
    assert_eq!(session_of(&desk, &alice, &code(&desk)).await.status, 200);
}
