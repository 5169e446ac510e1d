//! Key policies first, then the caller's own.

use crate::desk::{
    ACCOUNT, Answered, Desk, OTHER, Person, REGION, SECRET, allow, document, root, statement,
};
use serde_json::{Value, json};
use service::{Action, Source};
use std::collections::BTreeMap;
use strongroom_kms::{Scope, authorize, managed_key};

fn denied(who: &Person, key: &str, because: &str) -> String {
    let arn = &who.caller.arn;
    format!(
        "AccessDeniedException: User: {arn} is not authorized to perform: kms:Decrypt on resource: \
         {key} {because}"
    )
}

const BY_RESOURCE: &str = "because no resource-based policy allows the kms:Decrypt action";
const BY_IDENTITY: &str = "because no identity-based policy allows the kms:Decrypt action";
const FORBIDDEN: &str = "with an explicit deny in a resource-based policy";
const STRANGER: &str = "because the resource does not exist in this Region, no resource-based \
                        policies allow access, or a resource-based policy explicitly denies access";

/// A blob under `key`, whose policy is changed to `policy` afterwards, opened by `who`.
async fn decrypt_under(desk: &Desk, who: &Person, policy: Value) -> (String, Answered) {
    let key = desk.key(None).await;
    let blob = desk.encrypt(&key, json!({})).await;
    let body = json!({
        "KeyId": key,
        "Policy": document(&policy).to_string(),
        "BypassPolicyLockoutSafetyCheck": true,
    });
    desk.call("PutKeyPolicy", body).await.ok();
    let body = json!({ "CiphertextBlob": blob, "KeyId": key });
    (key.clone(), desk.call_as(who, "Decrypt", body).await)
}

#[tokio::test]
async fn who_must_say_yes_in_the_own_account() {
    let desk = Desk::open().await;
    let alice = |it: Option<Value>| Person::user(ACCOUNT, "alice", it);
    desk.register(&alice(None)).await;
    let arn = &alice(None).caller.arn;
    let root = root(ACCOUNT);
    let own = || json!([statement("Allow", arn, "kms:*")]);
    let delegated = |action: &str| json!([statement("Allow", &root, action)]);
    let decrypt = || Some(allow("kms:Decrypt", "*"));
    #[rustfmt::skip]
    let cases = [
        // row   key policy                    identity policy               because
        (112, json!([statement("Allow", &Person::admin().caller.arn, "kms:*")]), Some(allow("kms:*", "*")), Some(BY_RESOURCE)),
        (113, delegated("kms:*"),              None,                          Some(BY_IDENTITY)),
        (114, delegated("kms:*"),              decrypt(),                     None),
        (115, own(),                           None,                          None),
        (116, delegated("kms:Describe*"),      Some(allow("kms:*", "*")),     Some(BY_RESOURCE)),
        (0,   json!([statement("Allow", &root, "kms:*"), statement("Deny", arn, "kms:Decrypt")]), decrypt(), Some(FORBIDDEN)),
    ];
    for (row, policy, identity, because) in cases {
        let who = alice(identity);
        let (key, answered) = decrypt_under(&desk, &who, policy).await;
        let expected = because.map_or("ok".to_owned(), |it| denied(&who, &key, it));
        assert_eq!(answered.told(), expected, "{row}");
    }
}

#[tokio::test]
async fn across_accounts_both_must_say_yes_and_nobody_tells_why_not() {
    let desk = Desk::open().await;
    let bob = |it: Option<Value>| Person::user(OTHER, "bob", it);
    desk.register(&bob(None)).await;
    let shared = || json!([statement("Allow", &root(OTHER), "kms:*")]);
    let kept = || json!([statement("Allow", &root(ACCOUNT), "kms:*")]);
    let all = || Some(allow("kms:*", "*"));
    let with_deny = || {
        json!([
            statement("Allow", &root(OTHER), "kms:*"),
            statement("Deny", &bob(None).caller.arn, "kms:Decrypt"),
        ])
    };
    #[rustfmt::skip]
    let cases = [
        (shared(),    all(),  None),
        (shared(),    None,   Some(BY_IDENTITY)),
        (kept(),      all(),  Some(STRANGER)),
        (with_deny(), all(),  Some(STRANGER)),
    ];
    for (policy, identity, because) in cases {
        let who = bob(identity);
        // The administrator must still be able to encrypt before the policy changes.
        let (key, answered) = decrypt_under(&desk, &who, policy).await;
        let expected = because.map_or("ok".to_owned(), |it| denied(&who, &key, it));
        assert_eq!(answered.told(), expected);
    }
    let nowhere =
        format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab");
    let body = json!({ "KeyId": nowhere, "Plaintext": SECRET });
    let told = desk.call_as(&bob(all()), "Encrypt", body).await.told();
    assert!(told.ends_with(STRANGER), "{told}");
}

#[tokio::test]
async fn a_stranger_with_a_blob_is_not_told_its_key() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let blob = desk.encrypt(&key, json!({})).await;
    let stranger = Person::user(OTHER, "bob", Some(allow("kms:*", "*")));
    let told = desk.call_as(&stranger, "Decrypt", json!({ "CiphertextBlob": blob })).await.told();
    let named = "kms:Decrypt on the resource associated with this ciphertext because the resource";
    assert!(told.contains(named) && !told.contains(&key), "{told}");
}

#[tokio::test]
async fn other_accounts_manage_nothing() {
    let desk = Desk::open().await;
    let key = desk.key(Some(document(&json!([statement("Allow", "*", "kms:*")])))).await;
    let stranger = Person::user(OTHER, "bob", Some(allow("kms:*", "*")));
    desk.call_as(&stranger, "DescribeKey", json!({ "KeyId": key })).await.ok();
    for operation in ["DisableKey", "ScheduleKeyDeletion", "GetKeyPolicy", "ListResourceTags"] {
        let answered = desk.call_as(&stranger, operation, json!({ "KeyId": key })).await;
        assert_eq!(answered.error(), "AccessDeniedException", "{operation}");
    }
}

/// Rows 117 and the default policy.
#[tokio::test]
async fn nobody_shuts_itself_out_by_accident() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let shown = desk.call("GetKeyPolicy", json!({ "KeyId": key })).await.ok();
    let shown: Value = serde_json::from_str(&shown.text("/Policy")).expect("JSON");
    assert_eq!(shown["Id"], "key-default-1");
    assert_eq!(shown["Statement"][0]["Principal"]["AWS"], root(ACCOUNT));

    let admin = Person::admin().caller.arn;
    let lockout = "MalformedPolicyDocumentException: The new key policy will not allow you to \
                   update the key policy in the future.";
    let principal = "MalformedPolicyDocumentException: Policy contains a statement with one or more \
                     invalid principals.";
    #[rustfmt::skip]
    let cases = [
        (json!([statement("Allow", &admin, "kms:Describe*")]), false, lockout),
        (json!([statement("Allow", &root(ACCOUNT), "kms:*"), statement("Deny", &admin, "kms:PutKeyPolicy")]), false, lockout),
        (json!([statement("Allow", &format!("arn:aws:iam::{ACCOUNT}:user/nobody"), "kms:*")]), true, principal),
        (json!([statement("Allow", &admin, "kms:PutKeyPolicy")]), false, "ok"),
        (json!([statement("Allow", &admin, "kms:Describe*")]), true, "ok"),
    ];
    for (policy, bypass, expected) in cases {
        let policy = document(&policy).to_string();
        let body =
            json!({ "Policy": policy, "BypassPolicyLockoutSafetyCheck": bypass, "KeyId": key });
        let created = desk.call("CreateKey", body.clone()).await;
        assert_eq!(created.told(), expected, "CreateKey {policy}");
        assert_eq!(desk.call("PutKeyPolicy", body).await.told(), expected, "{policy}");
    }
}

/// Who may make keys need not be able to put policies: the account can.
#[tokio::test]
async fn the_default_policy_suits_everyone_who_may_create() {
    let desk = Desk::open().await;
    let maker = Person::user(ACCOUNT, "maker", Some(allow("kms:CreateKey", "*")));
    desk.call_as(&maker, "CreateKey", json!({})).await.ok();
}

#[tokio::test]
async fn a_deleted_user_and_a_namesake() {
    let desk = Desk::open().await;
    let mut alice = Person::user(ACCOUNT, "alice", None);
    desk.register(&alice).await;
    let arn = alice.caller.arn.clone();
    let policy = json!([
        statement("Allow", &root(ACCOUNT), "kms:*"),
        statement("Allow", &arn, "kms:DescribeKey"),
    ]);
    let key = desk.key(Some(document(&policy))).await;
    let describe = json!({ "KeyId": key });
    desk.call_as(&alice, "DescribeKey", describe.clone()).await.ok();
    desk.unregister(&alice).await;
    let shown = desk.call("GetKeyPolicy", describe.clone()).await.ok().text("/Policy");
    assert!(shown.contains(&alice.caller.principal_id) && !shown.contains(&arn), "{shown}");
    alice.caller.principal_id = "AIDANAMESAKE00000001".to_owned();
    desk.register(&alice).await;
    let answered = desk.call_as(&alice, "DescribeKey", describe).await;
    assert_eq!(answered.error(), "AccessDeniedException", "the same name is someone else");
}

/// Row 118, and what the service may do for its callers.
#[tokio::test]
async fn the_managed_key_opens_through_its_service_only() {
    let desk = Desk::open().await;
    let admin = Person::admin();
    let source = Source::default();
    let call = desk.bare_call(&admin, &source);
    let mut txn = store::begin(&desk.backend);
    let scope = Scope {
        keyring: &desk.keyring,
        entropy: call.entropy,
        now: call.now,
        account: &admin.caller.account,
        region: &desk.region,
    };
    let key = managed_key(&mut txn, &scope, "aws/secretsmanager").await.expect("made");
    txn.commit().await.expect("alone");

    let body = json!({ "KeyId": "alias/aws/secretsmanager", "Plaintext": SECRET });
    assert_eq!(desk.call("Encrypt", body).await.error(), "AccessDeniedException");
    let described = desk.call("DescribeKey", json!({ "KeyId": key.arn })).await.ok();
    assert_eq!(described.text("/KeyMetadata/KeyManager"), "AWS");
    for (operation, body) in [
        ("DisableKey", json!({ "KeyId": key.id })),
        ("ScheduleKeyDeletion", json!({ "KeyId": key.id })),
        ("RotateKeyOnDemand", json!({ "KeyId": key.id })),
        ("PutKeyPolicy", json!({ "KeyId": key.id, "Policy": "{}" })),
        ("CreateAlias", json!({ "TargetKeyId": key.id, "AliasName": "alias/mine" })),
    ] {
        let answered = desk.call(operation, body).await;
        assert_eq!(answered.error(), "AccessDeniedException", "{operation}");
    }

    let nobody = Person::user(ACCOUNT, "nobody", None);
    let stranger = Person::user(OTHER, "bob", Some(allow("*", "*")));
    for (who, allowed) in [(&admin, true), (&nobody, true), (&stranger, false)] {
        let call = desk.bare_call(who, &source);
        let forwarded = call.forwarded("secretsmanager.amazonaws.com");
        for action in ["kms:GenerateDataKey", "kms:Decrypt", "kms:Encrypt"] {
            let mut txn = store::begin(&desk.backend);
            let context = [("SecretARN", "arn:one")];
            let subject = (&*key, None);
            let outcome = authorize(&forwarded, &mut txn, subject, Action(action), &context).await;
            assert_eq!(outcome.is_ok(), allowed, "{action} for {}", who.caller.arn);
            let direct = authorize(&call, &mut txn, subject, Action(action), &context).await;
            assert!(direct.is_err(), "{action} directly");
        }
    }
}

#[tokio::test]
async fn conditions_see_the_request_and_the_key() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    desk.call("CreateAlias", json!({ "AliasName": "alias/app", "TargetKeyId": key })).await.ok();
    let tags = json!([{ "TagKey": "Team", "TagValue": "blue" }]);
    desk.call("TagResource", json!({ "KeyId": key, "Tags": tags })).await.ok();
    let given = |operator: &str, name: &str, value: &str| {
        document(&json!([{
            "Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Condition": { operator: { name: value } },
        }]))
    };
    #[rustfmt::skip]
    let cases = [
        ("StringEquals", "kms:RequestAlias", "alias/app", "alias/app", true),
        ("StringEquals", "kms:RequestAlias", "alias/app", &*key, false),
        ("ForAnyValue:StringEquals", "kms:ResourceAliases", "alias/app", &key, true), // 136
        ("ForAnyValue:StringEquals", "kms:ResourceAliases", "alias/other", &key, false),
        ("StringEquals", "aws:ResourceTag/team", "blue", &key, true),
        ("StringEquals", "aws:ResourceTag/team", "red", &key, false),
        ("StringEquals", "kms:EncryptionContext:App", "one", &key, true),
        ("StringEquals", "kms:EncryptionContext:App", "One", &key, false),
        ("StringEquals", "kms:encryptioncontext:app", "one", &key, true),
        ("ForAllValues:StringEquals", "kms:EncryptionContextKeys", "app", &key, true),
        ("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "other", &key, false),
        ("StringEquals", "kms:CallerAccount", ACCOUNT, &key, true),
        ("StringEquals", "kms:ViaService", "secretsmanager.us-east-1.amazonaws.com", &key, false),
        ("StringEquals", "kms:KeySpec", "SYMMETRIC_DEFAULT", &key, true),
    ];
    for (operator, name, value, by, allowed) in cases {
        let who = Person::user(ACCOUNT, "alice", Some(given(operator, name, value)));
        let context = json!({ "app": "one" });
        let body = json!({ "KeyId": by, "Plaintext": SECRET, "EncryptionContext": context });
        let answered = desk.call_as(&who, "Encrypt", body).await;
        assert_eq!(answered.error().is_empty(), allowed, "{name} {value} by {by}: {answered:?}");
    }
    // 135: a policy for the alias says nothing about its key.
    let alias = format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/app");
    let who = Person::user(ACCOUNT, "alice", Some(allow("kms:*", &alias)));
    let body = json!({ "KeyId": "alias/app", "Plaintext": SECRET });
    assert_eq!(desk.call_as(&who, "Encrypt", body).await.error(), "AccessDeniedException");
}

#[tokio::test]
async fn conditions_see_grants_other_keys_and_the_caller() {
    let desk = Desk::open().await;
    let (key, second) = (desk.key(None).await, desk.key(None).await);
    let bob = Person::user(ACCOUNT, "bob", None);
    desk.register(&bob).await;
    let held = json!({ "EncryptionContextSubset": { "App": "one" } });
    let grant = json!({ "KeyId": key, "GranteePrincipal": bob.caller.arn,
        "RetiringPrincipal": bob.caller.arn, "Operations": ["Decrypt"], "Constraints": held });
    let made = desk.call("CreateGrant", grant.clone()).await.ok();
    let retire = json!({ "KeyId": key, "GrantId": made.text("/GrantId"), "DryRun": true });
    let sealed = desk.encrypt(&key, json!({})).await;
    let again = |to: &str| json!({ "CiphertextBlob": sealed, "DestinationKeyId": to });
    let nothing = || json!({});
    let random = json!({ "NumberOfBytes": 1 });
    #[rustfmt::skip]
    let cases = [
        // operation, body, operator, key, value
        ("CreateGrant", grant.clone(), "StringEquals", "kms:EncryptionContext:app", "one"),
        ("CreateGrant", grant.clone(), "ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "App"),
        ("CreateGrant", grant, "StringEquals", "kms:GrantConstraintType", "EncryptionContextSubset"),
        ("RetireGrant", retire.clone(), "StringEquals", "kms:EncryptionContext:App", "one"),
        ("RetireGrant", retire.clone(), "StringEquals", "kms:GrantConstraintType", "EncryptionContextSubset"),
        ("RetireGrant", retire, "StringEquals", "kms:CallerAccount", ACCOUNT),
        ("ReEncrypt", again(&key), "Bool", "kms:ReEncryptOnSameKey", "true"),
        ("ReEncrypt", again(&second), "Bool", "kms:ReEncryptOnSameKey", "false"),
        ("GenerateRandom", random, "StringEquals", "kms:CallerAccount", ACCOUNT),
        ("ListKeys", nothing(), "StringEquals", "kms:CallerAccount", ACCOUNT),
        ("ListAliases", nothing(), "StringEquals", "kms:CallerAccount", ACCOUNT),
        ("CreateKey", nothing(), "StringEquals", "kms:CallerAccount", ACCOUNT),
    ];
    let deny = |operator: &str, name: &str, value: &str| {
        let condition = json!({ operator: { name: value } });
        document(&json!([
            { "Effect": "Allow", "Action": "kms:*", "Resource": "*" },
            { "Effect": "Deny", "Action": "kms:*", "Resource": "*", "Condition": condition },
        ]))
    };
    for (operation, body, operator, name, value) in cases {
        let other = if operator == "Bool" && value == "true" { "false" } else { "true" };
        for (value, denied) in [(value, true), (other, false)] {
            let mut who = Person::user(ACCOUNT, "bob", Some(deny(operator, name, value)));
            who.caller = bob.caller.clone();
            let answered = desk.call_as(&who, operation, body.clone()).await;
            let found = answered.error() == "AccessDeniedException";
            assert_eq!(found, denied, "{operation} {name} {value}: {answered:?}");
        }
    }
}

/// What names and values go into.
type Body<'a> = &'a dyn Fn(Pairs<'_>) -> Value;
type Pairs<'a> = &'a [(&'a str, &'a str)];

/// Names in policies have no case: where two spellings could be meant, a Deny holds for either, and an
/// Allow only if it holds for both.
#[tokio::test]
async fn two_spellings_of_a_name_evade_no_deny_and_earn_no_allow() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let statement = |effect: &str, name: &str| {
        let condition = json!({ "StringEquals": { name: "one" } });
        json!({ "Effect": effect, "Action": "kms:*", "Resource": "*", "Condition": condition })
    };
    let all = json!({ "Effect": "Allow", "Action": "kms:*", "Resource": "*" });
    let encrypt = |pairs: Pairs<'_>| {
        let context: BTreeMap<_, _> = pairs.iter().copied().collect();
        json!({ "KeyId": key, "Plaintext": SECRET, "EncryptionContext": context })
    };
    let tag = |pairs: Pairs<'_>| {
        let tags: Vec<_> =
            pairs.iter().map(|it| json!({ "TagKey": it.0, "TagValue": it.1 })).collect();
        json!({ "KeyId": key, "Tags": tags })
    };
    let calls: [(&str, &str, Body<'_>); 2] = [
        ("Encrypt", "kms:EncryptionContext:app", &encrypt),
        ("TagResource", "aws:RequestTag/app", &tag),
    ];
    #[rustfmt::skip]
    let cases: [(Pairs<'_>, bool, bool); 6] = [
        (&[("app", "one")], true, true),
        (&[("APP", "one")], true, true),
        (&[("app", "two")], false, false),
        (&[("APP", "one"), ("app", "two")], false, true),
        (&[("APP", "two"), ("app", "one")], false, true),
        (&[("APP", "two"), ("app", "two")], false, false),
    ];
    for (operation, name, body) in calls {
        let allowing = document(&json!([statement("Allow", name)]));
        let denying = document(&json!([all, statement("Deny", name)]));
        for (pairs, allowed, denied) in cases {
            for (policy, passes) in [(&allowing, allowed), (&denying, !denied)] {
                let who = Person::user(ACCOUNT, "alice", Some(policy.clone()));
                let answered = desk.call_as(&who, operation, body(pairs)).await;
                assert_eq!(answered.error().is_empty(), passes, "{operation} {pairs:?} {policy}");
            }
        }
    }
}
