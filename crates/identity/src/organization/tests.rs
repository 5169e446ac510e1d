//! Organizations as operators and configurations make them.

use super::{Act, Control, Controls, Declared, DeclaredPolicy, Error, Holding, Owner};
use super::{FULL_ACCESS, apply, find, in_force, run};
use crate::{account, create_account, generation};
use base::{AccountId, SystemEntropy, Timestamp};
use std::collections::BTreeMap;
use store::backends::memory::Memory;

const NOW: Timestamp = Timestamp::from_secs(1_769_853_600);
const BOSS: &str = "111122223333";
const MEMBER: &str = "444455556666";
const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*"}}"#;
const PERIMETER: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}}"#;

fn id(text: &str) -> AccountId {
    text.parse().expect("12 digits")
}

async fn accounts() -> Memory {
    let memory = Memory::new();
    let mut txn = store::begin(&memory);
    for account in [BOSS, MEMBER] {
        create_account(&mut txn, Some(id(account)), &SystemEntropy, NOW).await.expect("new");
    }
    txn.commit().await.expect("committed");
    memory
}

fn act(json: serde_json::Value) -> Act {
    serde_json::from_value(json).expect("an act")
}

async fn done(memory: &Memory, json: serde_json::Value) -> Result<(), Error> {
    let mut txn = store::begin(memory);
    run(&mut txn, &act(json), &SystemEntropy, NOW).await?;
    txn.commit().await.expect("alone");
    Ok(())
}

/// A company with the unit `prod`, the member in it, and two policies attached nowhere.
async fn company() -> Memory {
    let memory = accounts().await;
    for it in [
        serde_json::json!({"CreateOrganization": {"ManagementAccountId": BOSS, "Id": "o-a1b2c3d4e5"}}),
        serde_json::json!({"CreateOrganizationalUnit": {"Name": "prod", "Parent": "root"}}),
        serde_json::json!({"MoveAccount": {"AccountId": MEMBER, "To": "prod"}}),
        serde_json::json!({"CreatePolicy": {"Name": "deny", "Type": "scp", "Content": DENY}}),
        serde_json::json!({"CreatePolicy": {"Name": "inside", "Type": "rcp", "Content": PERIMETER}}),
    ] {
        done(&memory, it).await.expect("done");
    }
    memory
}

/// How many policies stand over the member at each level: service control, then resource control.
async fn over_member(memory: &Memory) -> (Vec<usize>, Vec<usize>) {
    let found = in_force(&mut store::begin(memory)).await.expect("whole").expect("there");
    let member = &found.members[&id(MEMBER)];
    let count = |it: &[std::sync::Arc<[service::Held]>]| it.iter().map(|it| it.len()).collect();
    (count(&member.service_control), count(&member.resource_control))
}

#[tokio::test]
async fn levels_follow_the_path() {
    let memory = company().await;
    assert_eq!(over_member(&memory).await, (vec![1, 1, 1], vec![]));
    for (policy, target) in [("deny", "prod"), ("inside", "root"), ("inside", MEMBER)] {
        let it = serde_json::json!({"AttachPolicy": {"Policy": policy, "Target": target}});
        done(&memory, it).await.expect("attached");
    }
    assert_eq!(over_member(&memory).await, (vec![1, 2, 1], vec![1, 1]));
    let found = in_force(&mut store::begin(&memory)).await.expect("whole").expect("there");
    let boss = &found.members[&id(BOSS)];
    assert!(boss.service_control.is_empty() && boss.resource_control.is_empty());
    let root = found.path_of(&id(BOSS)).expect("a member");
    let path = found.path_of(&id(MEMBER)).expect("a member");
    assert!(root.starts_with("o-a1b2c3d4e5/r-") && path.starts_with(root), "{path}");
    assert!(path.strip_prefix(root).is_some_and(|it| it.starts_with("ou-") && it.ends_with('/')));
    let over = &found.members[&id(MEMBER)];
    let called = over.service_control.iter().chain(&over.resource_control).flat_map(|it| it.iter());
    let called: Vec<_> = called.map(|it| it.id.split(" (").next().unwrap_or_default()).collect();
    assert_eq!(
        called,
        ["FullAWSAccess", "FullAWSAccess", "deny", "FullAWSAccess", "inside", "inside"]
    );
    let places = over.service_control.iter().map(|it| it[0].id.split_once(" at ").map(|it| it.1));
    let places: Vec<_> = places.map(|it| it.expect("a place")).collect();
    let account = format!("account {MEMBER}");
    assert!(
        places[0].starts_with("the root r-") && places[1].starts_with("unit prod (ou-"),
        "{places:?}"
    );
    assert_eq!(places[2], account);
    let to = serde_json::json!({"MoveAccount": {"AccountId": MEMBER, "To": "root"}});
    done(&memory, to).await.expect("moved");
    assert_eq!(over_member(&memory).await, (vec![1, 1], vec![1, 1]));
}

#[tokio::test]
async fn every_change_is_seen_in_every_account() {
    let memory = company().await;
    let stranger = {
        let mut txn = store::begin(&memory);
        let made = account::create_account(&mut txn, None, &SystemEntropy, NOW).await.expect("new");
        txn.commit().await.expect("committed");
        made.id
    };
    for it in [
        serde_json::json!({"AttachPolicy": {"Policy": "deny", "Target": "root"}}),
        serde_json::json!({"UpdatePolicy": {"Policy": "deny", "Content": DENY}}),
        serde_json::json!({"DetachPolicy": {"Policy": "deny", "Target": "root"}}),
        serde_json::json!({"RemoveAccountFromOrganization": {"AccountId": MEMBER}}),
        serde_json::json!({"DeleteOrganizationalUnit": {"Unit": "prod"}}),
        serde_json::json!({"DeleteOrganization": {}}),
    ] {
        let mut txn = store::begin(&memory);
        let mut before = Vec::new();
        for account in [&id(BOSS), &id(MEMBER), &stranger] {
            before.push(generation(&mut txn, account).await.expect("readable"));
        }
        done(&memory, it.clone()).await.expect("done");
        let mut txn = store::begin(&memory);
        for (account, before) in [&id(BOSS), &id(MEMBER), &stranger].into_iter().zip(before) {
            assert_ne!(generation(&mut txn, account).await.expect("readable"), before, "{it}");
        }
    }
    assert!(in_force(&mut store::begin(&memory)).await.expect("whole").is_none());
}

#[tokio::test]
async fn what_cannot_be_done() {
    let memory = company().await;
    for name in ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e"] {
        let (parent, name) = name.rsplit_once('/').unwrap_or(("root", name));
        let it = serde_json::json!({"CreateOrganizationalUnit": {"Name": name, "Parent": parent}});
        done(&memory, it).await.expect("made");
    }
    let long = format!("{DENY}{}", " ".repeat(10_240));
    #[rustfmt::skip]
    let cases = [
        (r#"{"CreateOrganization":{"ManagementAccountId":"111122223333"}}"#, "there is an organization already: o-a1b2c3d4e5"),
        (r#"{"CreateOrganizationalUnit":{"Name":"f","Parent":"a/b/c/d/e"}}"#, "`f` would be deeper than 5 units below the root"),
        (r#"{"CreateOrganizationalUnit":{"Name":"prod","Parent":"root"}}"#, "there is a unit `prod` already"),
        (r#"{"CreateOrganizationalUnit":{"Name":"root","Parent":"root"}}"#, "there is a unit `root` already"),
        (r#"{"CreateOrganizationalUnit":{"Name":"x/y","Parent":"root"}}"#, "`x/y` is no name: 1 to 128 characters without `/` and control characters"),
        (r#"{"CreateOrganizationalUnit":{"Name":"x","Parent":"y"}}"#, "there is no unit `y`: give `root`, or a unit's path or id"),
        (r#"{"MoveOrganizationalUnit":{"Unit":"a","To":"a/b"}}"#, "`a` can't be moved below itself"),
        (r#"{"MoveOrganizationalUnit":{"Unit":"a","To":"prod"}}"#, "`e` would be deeper than 5 units below the root"),
        (r#"{"MoveOrganizationalUnit":{"Unit":"root","To":"a"}}"#, "there is no unit `root`: give `root`, or a unit's path or id"),
        (r#"{"DeleteOrganizationalUnit":{"Unit":"prod"}}"#, "`prod` is not empty"),
        (r#"{"MoveAccount":{"AccountId":"777788889999","To":"root"}}"#, "there is no account 777788889999"),
        (r#"{"RemoveAccountFromOrganization":{"AccountId":"111122223333"}}"#, "account 111122223333 is the management account: it can't leave"),
        (r#"{"RemoveAccountFromOrganization":{"AccountId":"777788889999"}}"#, "account 777788889999 is not in the organization"),
        (r#"{"DetachPolicy":{"Policy":"FullAWSAccess","Target":"root"}}"#, "`root` must keep one service control policy: with none, nothing would be allowed there"),
        (r#"{"DetachPolicy":{"Policy":"RCPFullAWSAccess","Target":"root"}}"#, "`RCPFullAWSAccess` is AWS's own and can't be changed, deleted or detached for good"),
        (r#"{"DetachPolicy":{"Policy":"deny","Target":"prod"}}"#, "`deny` is not attached to `prod`"),
        (r#"{"AttachPolicy":{"Policy":"FullAWSAccess","Target":"prod"}}"#, "`FullAWSAccess` is attached to `prod` already"),
        (r#"{"AttachPolicy":{"Policy":"nothing","Target":"prod"}}"#, "there is no policy `nothing`"),
        (r#"{"AttachPolicy":{"Policy":"deny","Target":"777788889999"}}"#, "there is no `777788889999` in the organization: give `root`, a unit's path or id, or an account"),
        (r#"{"DeletePolicy":{"Policy":"FullAWSAccess"}}"#, "`FullAWSAccess` is AWS's own and can't be changed, deleted or detached for good"),
        (r#"{"CreatePolicy":{"Name":"deny","Type":"scp","Content":"{}"}}"#, "there is a policy `deny` already"),
        (r#"{"DeleteOrganization":{}}"#, "`o-a1b2c3d4e5` is not empty"),
    ];
    for (text, expected) in cases {
        let json = serde_json::from_str(text).expect("JSON");
        let error = done(&memory, json).await.expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
    let it = serde_json::json!({"UpdatePolicy": {"Policy": "deny", "Content": long}});
    let error = done(&memory, it).await.expect_err("too long").to_string();
    assert!(
        error.starts_with("`deny` has 103") && error.ends_with("policy may have 10240"),
        "{error}"
    );
}

/// Spec §5, row 65, and the rules around it.
#[tokio::test]
async fn policies_are_checked_when_they_are_put() {
    let memory = company().await;
    let statement = |rest: &str| format!(r#"{{"Version":"2012-10-17","Statement":{{{rest}}}}}"#);
    #[rustfmt::skip]
    let cases = [
        ("scp", r#""Effect":"Deny","Action":"*","Resource":"*""#, true),
        ("scp", r#""Effect":"Allow","NotAction":"iam:*","Resource":"*""#, true),
        ("scp", r#""Effect":"Deny","Principal":"*","Action":"*","Resource":"*""#, false),
        ("scp", r#""Effect":"Deny","NotPrincipal":"*","Action":"*","Resource":"*""#, false),
        ("scp", r#""Effect":"Deny","Action":"*""#, false),
        ("rcp", r#""Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*""#, true),
        ("rcp", r#""Effect":"Deny","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*""#, true),
        ("rcp", r#""Effect":"Deny","Principal":"*","Action":"*","Resource":"*""#, false), // row 65
        ("rcp", r#""Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*""#, false),
        ("rcp", r#""Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*""#, false),
        ("rcp", r#""Effect":"Deny","Principal":"*","NotAction":"kms:*","Resource":"*""#, false),
        ("rcp", r#""Effect":"Deny","Action":"kms:*","Resource":"*""#, false),
    ];
    for (number, (kind, rest, fits)) in cases.into_iter().enumerate() {
        let (name, content) = (format!("p{number}"), statement(rest));
        let wanted = serde_json::json!({"Name": name, "Type": kind, "Content": content});
        let outcome = done(&memory, serde_json::json!({"CreatePolicy": wanted})).await;
        assert_eq!(outcome.is_ok(), fits, "{kind} {rest}: {outcome:?}");
        assert!(fits || matches!(outcome, Err(Error::Malformed { .. })), "{rest}: {outcome:?}");
    }
}

#[tokio::test]
async fn five_policies_of_a_kind_fit() {
    let memory = company().await;
    for number in 1..=5 {
        let name = format!("p{number}");
        let wanted = serde_json::json!({"Name": name, "Type": "scp", "Content": DENY});
        done(&memory, serde_json::json!({"CreatePolicy": wanted})).await.expect("made");
        let it = serde_json::json!({"AttachPolicy": {"Policy": name, "Target": "root"}});
        // `FullAWSAccess` is there, too.
        assert_eq!(done(&memory, it).await.is_ok(), number < 5, "{name}");
    }
    let it = serde_json::json!({"AttachPolicy": {"Policy": "inside", "Target": "root"}});
    done(&memory, it).await.expect("of the other kind");
    let it = serde_json::json!({"DeletePolicy": {"Policy": "p1"}});
    assert!(matches!(done(&memory, it).await, Err(Error::InUse(_))));
}

fn declared() -> Declared {
    let policy =
        |control, text: &str| DeclaredPolicy { control, text: text.to_owned(), description: None };
    let controls = Controls {
        service: Some(vec![FULL_ACCESS.to_owned(), "deny".to_owned()]),
        resource: Some(vec!["inside".to_owned()]),
    };
    Declared {
        id: None,
        management: id(BOSS),
        root: Holding::default(),
        units: BTreeMap::from([
            ("prod".to_owned(), Holding::default()),
            ("prod/eu".to_owned(), Holding { accounts: vec![id(MEMBER)], controls }),
        ]),
        accounts: BTreeMap::new(),
        policies: BTreeMap::from([
            ("deny".to_owned(), policy(Control::Service, DENY)),
            ("inside".to_owned(), policy(Control::Resource, PERIMETER)),
        ]),
    }
}

/// Applies the declaration; whether anything was done.
async fn applied(
    memory: &Memory,
    declared: Option<&Declared>,
) -> Result<Option<&'static str>, Error> {
    let mut txn = store::begin(memory);
    let done = apply(&mut txn, declared, &SystemEntropy, NOW).await?;
    txn.commit().await.expect("alone");
    Ok(done.map(|it| it.0))
}

#[tokio::test]
async fn the_configuration_decides() {
    let memory = accounts().await;
    let mut declared = declared();
    assert_eq!(
        applied(&memory, Some(&declared)).await.expect("fits"),
        Some("ConfigureOrganization")
    );
    assert_eq!(over_member(&memory).await, (vec![1, 1, 2, 1], vec![1]));
    let first = find(&mut store::begin(&memory)).await.expect("whole").expect("there");
    assert_eq!(applied(&memory, Some(&declared)).await.expect("fits"), None, "nothing new");
    let it = serde_json::json!({"MoveAccount": {"AccountId": MEMBER, "To": "root"}});
    assert!(matches!(done(&memory, it.clone()).await, Err(Error::Configured)));

    declared.policies.remove("inside");
    declared.units.insert("test".to_owned(), Holding::default());
    declared.units.get_mut("prod/eu").expect("there").controls.resource = None;
    assert_eq!(
        applied(&memory, Some(&declared)).await.expect("fits"),
        Some("ConfigureOrganization")
    );
    assert_eq!(over_member(&memory).await, (vec![1, 1, 2, 1], vec![]));
    let second = find(&mut store::begin(&memory)).await.expect("whole").expect("there");
    assert_eq!((&second.id, &second.root), (&first.id, &first.root), "ids stay");
    assert!(first.units.iter().all(|(id, unit)| second.units.get(id) == Some(unit)));

    assert_eq!(applied(&memory, None).await.expect("fits"), Some("ReleaseOrganization"));
    assert_eq!(over_member(&memory).await, (vec![1, 1, 2, 1], vec![]), "it stays in force");
    done(&memory, it).await.expect("the operator's now");
    let error = applied(&memory, Some(&declared)).await.expect_err("another's");
    assert!(error.to_string().contains(&format!("id = \"{}\"", first.id)), "{error}");
    declared.id = Some(first.id);
    assert_eq!(
        applied(&memory, Some(&declared)).await.expect("fits"),
        Some("ConfigureOrganization")
    );
    let third = find(&mut store::begin(&memory)).await.expect("whole").expect("there");
    assert_eq!(third.owner, Owner::Configuration);
}

#[test]
fn mistakes_in_declarations() {
    type Bend = fn(&mut Declared);
    let cases: [(Bend, &str); 9] = [
        (|_| (), ""),
        (
            |it| it.id = Some("o-A".to_owned()),
            "`o-A` is no organization id: `o-` and 10 to 32 lower-case letters and digits",
        ),
        (
            |it| it.root.accounts = vec![id(MEMBER)],
            "account 444455556666 stands in more than one place",
        ),
        (
            |it| drop(it.accounts.insert(id("777788889999"), Controls::default())),
            "account 777788889999 is not in the organization",
        ),
        (
            |it| it.root.controls.service = Some(vec!["inside".to_owned()]),
            "`inside` is no service control policy",
        ),
        (
            |it| it.root.controls.resource = Some(vec!["deny".to_owned()]),
            "`deny` is no resource control policy",
        ),
        (
            |it| it.root.controls.service = Some(vec![]),
            "`root` must keep one service control policy: with none, nothing would be allowed there",
        ),
        (
            |it| it.root.controls.service = Some(vec!["deny".to_owned(); 2]),
            "`deny` is attached to `root` already",
        ),
        (
            |it| drop(it.units.remove("prod")),
            "there is no unit `prod`: give `root`, or a unit's path or id",
        ),
    ];
    for (bend, expected) in cases {
        let mut declared = declared();
        bend(&mut declared);
        let found = declared.check().err().map_or_else(String::new, |it| it.to_string());
        assert_eq!(found, expected);
    }
}
