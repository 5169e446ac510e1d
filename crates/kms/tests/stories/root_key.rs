//! First start, later starts, and wrong keys.

use crate::support::{BLOBS, Blob, NOW, Owner, World, binding, ring, root};
use base::{Sensitive, SystemEntropy};
use envelope::Roots;
use std::sync::Arc;
use store::backends::memory::Memory;
use strongroom_kms::root::passphrase::Recipe;
use strongroom_kms::{Error, Found, initialize, inspect, unlock};

#[tokio::test]
async fn first_start_seals_the_store_once() {
    let backend = Memory::new();
    let keyring = ring(&root(1));
    assert_eq!(inspect(&backend).await.expect("alive"), Found::Empty);
    let early = unlock(&backend, &keyring).await;
    assert!(matches!(early, Err(Error::NotInitialized)), "{early:?}");

    initialize(&backend, &keyring, &SystemEntropy, NOW).await.expect("brand new");
    unlock(&backend, &keyring).await.expect("opens");
    let again = initialize(&backend, &ring(&root(2)), &SystemEntropy, NOW).await;
    assert!(matches!(again, Err(Error::AlreadyInitialized)), "{again:?}");
    let found = inspect(&backend).await.expect("alive");
    assert!(matches!(found, Found::Sealed { root: it, next: None } if it.id == root(1).id()));
}

#[tokio::test]
async fn a_first_start_that_another_overtakes_says_so() {
    let backend = Memory::new();
    backend.fault(store::backends::memory::Fault::Conflict, 1);
    let late = initialize(&backend, &ring(&root(1)), &SystemEntropy, NOW).await;
    assert!(matches!(late, Err(Error::Store(store::Error::Conflict { .. }))), "{late:?}");
}

#[tokio::test]
async fn data_without_a_root_record_is_left_alone() {
    let backend = Memory::new();
    let mut txn = store::begin(&backend);
    txn.save(&BLOBS, "s/1/secret", &Blob(vec![])).expect("encoded");
    txn.commit().await.expect("alone");
    let keyring = ring(&root(1));
    for outcome in [
        initialize(&backend, &keyring, &SystemEntropy, NOW).await,
        unlock(&backend, &keyring).await,
        inspect(&backend).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(Error::NoRootRecord)), "{outcome:?}");
    }
    assert_eq!(backend.commits(), 1);
}

#[tokio::test]
async fn a_wrong_root_key_is_refused_in_a_sentence() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    world.seal(&owner, &binding("arn:one", "v1"), "value").await.expect("sealed");
    let refused = unlock(&world.backend, &ring(&root(2))).await.expect_err("wrong");
    assert!(matches!(refused, Error::WrongRoot { .. }), "{refused:?}");
    let (needed, given) = (root(1).id().to_owned(), root(2).id().to_owned());
    let message = refused.to_string();
    assert!(message.contains(&needed) && message.contains(&given), "{message}");
    assert!(message.contains("\nhint: "), "{message}");

    // With the right name on the wrong key nothing opens either.
    let mut row = String::from_utf8(world.row("root").await).expect("schema and JSON");
    row = row.replace(&needed, &given);
    world.put("root", Some(row.into_bytes())).await;
    let refused = unlock(&world.backend, &ring(&root(2))).await;
    assert!(matches!(refused, Err(Error::Damaged { .. })), "{refused:?}");
}

#[tokio::test]
async fn another_root_beside_the_right_one_does_no_harm() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    let bound = binding("arn:one", "v1");
    let sealed = world.seal(&owner, &bound, "value").await.expect("sealed");
    let world = world.restart(Roots::both(root(2), root(1))).await.expect("opens");
    assert_eq!(world.open(&owner, &bound, &sealed).await.expect("opens"), "value");
    // What is new goes under the root the store names, not the one that is preferred here.
    let other = Owner::new(2, "eu-west-1");
    world.seal(&other, &bound, "value").await.expect("sealed");
    world.restart(Roots::only(root(1))).await.expect("still enough");
}

#[tokio::test]
async fn a_passphrase_and_the_store_are_enough() {
    let passphrase = Sensitive::from("correct horse battery".to_owned());
    let recipe = Recipe::new(3, 65_536, &SystemEntropy).expect("at the floor");
    let made = recipe.root_key(&passphrase).expect("stretched");
    let backend = Memory::new();
    let keyring = envelope::Keyring::new(Roots::only(Arc::new(made)));
    initialize(&backend, &keyring, &SystemEntropy, NOW).await.expect("brand new");

    let Found::Sealed { root: note, .. } = inspect(&backend).await.expect("alive") else {
        panic!("sealed");
    };
    let recipe = Recipe::parse(&note.recipe.expect("kept")).expect("valid");
    let again = recipe.root_key(&passphrase).expect("stretched");
    let keyring = envelope::Keyring::new(Roots::only(Arc::new(again)));
    unlock(&backend, &keyring).await.expect("opens");
}
