//! Sealing and opening values.

use crate::support::{BLOBS, Blob, Owner, World, binding};
use base::Sensitive;
use envelope::OpenError;
use strongroom_kms::{
    Binding, Error, KeyState, Kind, Place, Purpose, Sealed, find_key, managed_key, open,
    open_local, seal_local, set_state,
};

const CANARY: &str = "canary-4711-in-the-coal-mine";

fn is_damaged<T: std::fmt::Debug>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Damaged { .. }))
}

#[tokio::test]
async fn what_is_sealed_opens_and_no_row_tells_it() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    let bound = binding("arn:one", "v1");
    let sealed = world.seal(&owner, &bound, CANARY).await.expect("sealed");
    let purpose = Purpose { what: "access-key", whose: "AKIA" };
    let place = Place::global(&owner.account);
    let secret = Sensitive::from(CANARY.to_owned());

    let (mut txn, scope) = (world.txn(), world.scope(&owner));
    let local = seal_local(&mut txn, &scope, place, purpose, &secret).await.expect("sealed");
    txn.save(&BLOBS, "value", &Blob(sealed.to_bytes())).expect("encoded");
    txn.save(&BLOBS, "local", &Blob(local)).expect("encoded");
    txn.commit().await.expect("alone");

    for (key, row) in world.rows().await {
        let found = row.windows(8).any(|it| CANARY.as_bytes().windows(8).any(|part| part == it));
        assert!(!found && !key.contains(CANARY), "{key}");
    }

    world.keyring.forget();
    let mut txn = world.txn();
    let Blob(bytes) = txn.find(&BLOBS, "value").await.expect("alive").expect("there");
    let Blob(local) = txn.find(&BLOBS, "local").await.expect("alive").expect("there");
    let found = Sealed::from_bytes(&bytes).expect("whole");
    assert_eq!(world.open(&owner, &bound, &found).await.expect("opens"), CANARY);
    let scope = world.scope(&owner);
    let opened = open_local(&mut txn, &scope, place, purpose, &local).await.expect("opens");
    assert!(opened.same_as(&secret));
}

#[tokio::test]
async fn a_value_opens_only_where_it_was_sealed() {
    let world = World::new().await;
    let (owner, other) = (Owner::new(1, "eu-west-1"), Owner::new(2, "eu-west-1"));
    let abroad = Owner::new(1, "eu-west-2");
    let string = binding("arn:one", "v1");
    let sealed = world.seal(&owner, &string, "value").await.expect("sealed");
    for elsewhere in [&other, &abroad] {
        world.seal(elsewhere, &string, "theirs").await.expect("sealed");
    }

    let binary = Binding { kind: Kind::Binary, ..string };
    #[rustfmt::skip]
    let cases = [
        // who       as what                       opens
        (&owner,     string,                       true),
        (&owner,     binary,                       false), // another type
        (&owner,     binding("arn:one", "v2"),     false), // another version
        (&owner,     binding("arn:two", "v1"),     false), // another secret
        (&owner,     binding("arn:on", "ev1"),     false), // the same letters
        (&other,     string,                       false), // another account
        (&abroad,    string,                       false), // another Region
    ];
    for (who, bound, opens) in cases {
        let outcome = world.open(who, &bound, &sealed).await;
        assert_eq!(outcome.is_ok(), opens, "{bound:?}");
        assert!(opens || is_damaged(&outcome), "{outcome:?}");
    }
}

#[tokio::test]
async fn no_byte_of_a_sealed_value_can_be_changed() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    let bound = binding("arn:one", "v1");
    let sealed = world.seal(&owner, &bound, "value").await.expect("sealed");
    let bytes = sealed.to_bytes();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let Some(changed) = Sealed::from_bytes(&changed) else { continue };
        let outcome = world.open(&owner, &bound, &changed).await;
        assert!(outcome.is_err(), "byte {place}: {outcome:?}");
    }
}

#[tokio::test]
async fn data_keys_are_not_exchangeable_between_values() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    let (one, two) = (binding("arn:one", "v1"), binding("arn:one", "v2"));
    let first = world.seal(&owner, &one, "first").await.expect("sealed").to_bytes();
    let second = world.seal(&owner, &two, "other").await.expect("sealed").to_bytes();
    // Same shape, so the ciphertexts are the last 4 + 30 + 5 bytes.
    let split = first.len() - 39;
    let mixed = Sealed::from_bytes(&[&first[..split], &second[split..]].concat()).expect("whole");
    let outcome = world.open(&owner, &one, &mixed).await;
    assert!(
        matches!(outcome, Err(Error::Damaged { reason: OpenError::Changed, .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn small_secrets_open_only_for_their_purpose() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    let other = Owner::new(2, "eu-west-1");
    let (mut txn, scope) = (world.txn(), world.scope(&owner));
    let purpose = Purpose { what: "access-key", whose: "AKIA1" };
    let (place, secret) = (Place::global(&owner.account), Sensitive::from("s3".to_owned()));
    for at in [Place::global(&other.account), Place::store()] {
        seal_local(&mut txn, &scope, at, purpose, &secret).await.expect("sealed");
    }
    let sealed = seal_local(&mut txn, &scope, place, purpose, &secret).await.expect("sealed");

    let regional = Place::in_region(&owner.account, &owner.region);
    #[rustfmt::skip]
    let cases = [
        (place,                         purpose,                               true),
        (place,                         Purpose { what: "mfa", ..purpose },    false),
        (place,                         Purpose { whose: "AKIA2", ..purpose }, false),
        (regional,                      purpose,                               false),
        (Place::global(&other.account), purpose,                               false),
        (Place::store(),                purpose,                               false),
    ];
    for (at, what, opens) in cases {
        let outcome = open_local(&mut txn, &scope, at, what, &sealed).await;
        assert_eq!(outcome.is_ok(), opens, "{at:?} {what:?} {outcome:?}");
    }
    for len in 0..sealed.len() {
        let cut = open_local(&mut txn, &scope, place, purpose, &sealed[..len]).await;
        assert!(cut.is_err(), "{len} bytes");
    }
}

#[tokio::test]
async fn managed_key_is_made_once_and_named_as_aws_names_it() {
    let (world, owner) = (World::new().await, Owner::new(111_122_223_333, "cn-north-1"));
    let (mut txn, scope) = (world.txn(), world.scope(&owner));
    let made = managed_key(&mut txn, &scope, "aws/secretsmanager").await.expect("made");
    txn.commit().await.expect("alone");
    assert_eq!(made.arn, format!("arn:aws-cn:kms:cn-north-1:111122223333:key/{}", made.id));

    let mut txn = world.txn();
    let again = managed_key(&mut txn, &scope, "aws/secretsmanager").await.expect("found");
    assert_eq!(again, made);
    assert!(!txn.writes_anything());
    assert_eq!(find_key(&mut txn, &made.arn).await.expect("alive"), Some(made.clone()));
    for unknown in ["", "arn:aws:s3:::b", &made.arn.replace("cn-north-1", "cn-north-2"), &made.id] {
        assert_eq!(find_key(&mut txn, unknown).await.expect("alive"), None, "{unknown}");
    }
}

#[tokio::test]
async fn only_an_enabled_key_seals_or_opens() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    let bound = binding("arn:one", "v1");
    let sealed = world.seal(&owner, &bound, "value").await.expect("sealed");
    let key = managed_key(&mut world.txn(), &world.scope(&owner), "aws/secretsmanager").await;
    let key = key.expect("found");
    let row = format!("{}/key/{}", owner.path("s"), key.id);

    for state in [KeyState::Disabled, KeyState::PendingDeletion, KeyState::PendingImport] {
        let mut txn = world.txn();
        set_state(&mut txn, &key.arn, state).await.expect("the key exists");
        txn.commit().await.expect("alone");
        for outcome in [
            world.open(&owner, &bound, &sealed).await.map(drop),
            world.seal(&owner, &bound, "more").await.map(drop),
        ] {
            let refused = matches!(&outcome, Err(Error::KeyUnusable { arn, state: found })
                if *arn == key.arn && *found == state);
            assert!(refused, "{state:?}: {outcome:?}");
        }
    }
    world.put(&row, None).await;
    let gone = world.open(&owner, &bound, &sealed).await;
    assert!(matches!(gone, Err(Error::KeyNotFound { .. })), "{gone:?}");
    let unset = set_state(&mut world.txn(), &key.arn, KeyState::Enabled).await;
    assert!(matches!(unset, Err(Error::KeyNotFound { .. })), "{unset:?}");
    let missing = world.seal(&owner, &bound, "more").await;
    assert!(matches!(missing, Err(Error::Missing { .. })), "{missing:?}");
}

#[tokio::test]
async fn long_values_are_sealed_and_longer_ones_refused() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    let bound = binding("arn:one", "v1");
    let value = "x".repeat(65_536);
    let sealed = world.seal(&owner, &bound, &value).await.expect("sealed");
    assert_eq!(world.open(&owner, &bound, &sealed).await.expect("opens"), value);
    let more = world.seal(&owner, &bound, &"x".repeat(128 * 1024 + 1)).await;
    assert!(matches!(more, Err(Error::Seal(_))), "{more:?}");
}

#[tokio::test]
async fn errors_and_debug_tell_no_value() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    let bound = binding("arn:one", "v1");
    let sealed = world.seal(&owner, &bound, CANARY).await.expect("sealed");
    let (mut txn, scope) = (world.txn(), world.scope(&owner));
    let value = open(&mut txn, &scope, &sealed, &bound).await.expect("opens");
    let error = world.open(&owner, &binding("arn:two", "v1"), &sealed).await.expect_err("moved");
    let told =
        format!("{txn:?} {scope:?} {sealed:?} {value:?} {error:?} {error} {:?}", world.keyring);
    assert!(!told.contains("canary"), "{told}");
}
