//! A lost root key, and shares that bring everything back; killed at every commit.

use crate::support::{NOW, Owner, World, binding};
use base::SystemEntropy;
use std::path::{Path, PathBuf};
use store::backends::memory::{Fault, Memory};
use strongroom_kms::root::file::{FileError, load, next_path, recover, rotate, start};
use strongroom_kms::root::recovery::{create, find};
use strongroom_kms::root::share::{Share, ShareError, combine};
use strongroom_kms::{Error, Sealed};

/// More partition keys than one page holds.
const OWNERS: u64 = 40;

/// A store with a root key at `path`, and values in it.
async fn filled(path: &Path, owners: u64) -> (World, Vec<(Owner, Sealed)>) {
    let backend = Memory::new();
    let opened = start(&backend, path, &SystemEntropy, NOW).await.expect("first start");
    let world = World { backend, keyring: opened.keyring };
    let mut values = Vec::new();
    for account in 0..owners {
        values.push(value(&world, account).await);
    }
    (world, values)
}

async fn value(world: &World, account: u64) -> (Owner, Sealed) {
    let owner = Owner::new(account, "eu-west-1");
    let sealed = world.seal(&owner, &binding("arn:one", "v1"), "value").await.expect("sealed");
    (owner, sealed)
}

async fn shares(world: &World) -> Result<Vec<String>, Error> {
    let owner = Owner::new(0, "eu-west-1");
    let (_, shares) = create(&world.backend, &world.scope(&owner), (3, 5)).await?;
    let text = |it: &Share| it.write().expect("written").expose().to_vec();
    Ok(shares.iter().map(text).map(|it| String::from_utf8(it).expect("letters")).collect())
}

/// Brings the store back with `given`, and a new root key at `path`.
async fn bring_back(backend: &Memory, path: &Path, given: &[String]) -> Result<usize, Error> {
    let note = find(backend).await?.ok_or(Error::NoRecovery)?;
    let given: Result<Vec<_>, _> = given.iter().map(|it| Share::parse(it)).collect();
    let key = combine(&given?, &note.id)?;
    recover(backend, key, path, &SystemEntropy, NOW).await
}

async fn assert_opens(backend: Memory, path: &Path, values: &[(Owner, Sealed)]) -> World {
    let opened = start(&backend, path, &SystemEntropy, NOW).await.expect("opens");
    assert!(!opened.unfinished);
    let world = World { backend, keyring: opened.keyring };
    for (owner, sealed) in values {
        let opened = world.open(owner, &binding("arn:one", "v1"), sealed).await;
        assert_eq!(opened.expect("opens"), "value");
    }
    world
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("made");
    let path = folder.path().join("root.key");
    (folder, path)
}

#[tokio::test]
async fn three_of_five_bring_back_all_and_what_came_later_too() {
    let (_folder, path) = folder();
    let (world, mut values) = filled(&path, OWNERS).await;
    let none = bring_back(&world.backend, &path, &[]).await;
    assert!(matches!(none, Err(Error::NoRecovery)), "{none:?}");
    let given = shares(&world).await.expect("made");
    values.push(value(&world, OWNERS).await);
    // The root key may change meanwhile: the shares stay good.
    rotate(&world.backend, &world.keyring, &path, &SystemEntropy, &mut |_| ()).await.expect("done");
    values.push(value(&world, OWNERS + 1).await);

    let kept = bring_back(&world.backend, &path, &given[..3]).await;
    assert!(matches!(kept, Err(Error::RootFile(FileError::Exists { .. }))), "{kept:?}");
    std::fs::remove_file(&path).expect("lost");
    let few = bring_back(&world.backend, &path, &given[3..]).await;
    assert!(matches!(few, Err(Error::Share(ShareError::TooFew { .. }))), "{few:?}");
    assert!(!next_path(&path).exists(), "nothing is made for too few");

    let count = bring_back(&world.backend, &path, &given[2..]).await.expect("brought back");
    assert_eq!(count, values.len() + 1, "and the store's own");
    let world = assert_opens(world.backend, &path, &values).await;
    // They are as good a second time.
    values.push(value(&world, OWNERS + 2).await);
    std::fs::remove_file(&path).expect("lost again");
    bring_back(&world.backend, &path, &given[..3]).await.expect("brought back");
    assert_opens(world.backend, &path, &values).await;
}

#[tokio::test]
async fn killed_while_it_is_made_the_shares_from_before_count() {
    for fault in [Fault::DieBefore, Fault::DieAfter] {
        for nth in 1..=2 {
            let (_folder, path) = folder();
            let (world, mut values) = filled(&path, OWNERS).await;
            let before = shares(&world).await.expect("made");
            world.backend.fault(fault, nth);
            shares(&world).await.expect_err("died");
            world.backend.revive();
            values.push(value(&world, OWNERS).await);
            std::fs::remove_file(&path).expect("lost");
            bring_back(&world.backend, &path, &before[..3]).await.expect("brought back");
            let world = assert_opens(world.backend, &path, &values).await;

            let after = shares(&world).await.expect("made anew");
            std::fs::remove_file(&path).expect("lost");
            let old = bring_back(&world.backend, &path, &before[..3]).await;
            assert!(matches!(old, Err(Error::Share(ShareError::Foreign(_)))), "{old:?}");
            bring_back(&world.backend, &path, &after[..3]).await.expect("brought back");
            let world = assert_opens(world.backend, &path, &values).await;
            let copies =
                world.rows().await.iter().filter(|it| it.0.starts_with("kek-recovery/")).count();
            let own = world.rows().await.iter().filter(|it| it.0.starts_with("kek/")).count();
            assert_eq!(copies, own, "no copy of a set that is gone is left");
        }
    }
}

#[tokio::test]
async fn killed_while_it_is_brought_back_it_goes_on() {
    for fault in [Fault::DieBefore, Fault::DieAfter] {
        for nth in 1..=2 {
            let (folder, path) = folder();
            let (world, values) = filled(&path, OWNERS).await;
            let given = shares(&world).await.expect("made");
            let kept = folder.path().join("kept");
            std::fs::rename(&path, &kept).expect("lost");
            world.backend.fault(fault, nth);
            bring_back(&world.backend, &path, &given[..3]).await.expect_err("died");
            world.backend.revive();
            assert!(next_path(&path).exists() && !path.exists());
            let all_was_wrapped = (fault, nth) == (Fault::DieAfter, 2);
            if !all_was_wrapped {
                let half = start(&world.backend, &path, &SystemEntropy, NOW).await;
                assert!(half.is_err(), "{half:?}");
                let made = load(&next_path(&path)).expect("there");
                bring_back(&world.backend, &path, &given[1..4]).await.expect("brought back");
                let used = load(&path).expect("there");
                assert_eq!(envelope::RootKey::id(&made), envelope::RootKey::id(&used));
            }
            assert_opens(world.backend, &path, &values).await;
        }
    }
}

#[tokio::test]
async fn the_old_key_found_half_way_is_as_good() {
    let (folder, path) = folder();
    let (world, values) = filled(&path, OWNERS).await;
    let given = shares(&world).await.expect("made");
    let kept = folder.path().join("kept");
    std::fs::rename(&path, &kept).expect("lost");
    world.backend.fault(Fault::DieAfter, 1);
    bring_back(&world.backend, &path, &given[..3]).await.expect_err("died");
    world.backend.revive();
    std::fs::rename(&kept, &path).expect("found");
    let opened = start(&world.backend, &path, &SystemEntropy, NOW).await.expect("opens");
    assert!(opened.unfinished);
    rotate(&world.backend, &opened.keyring, &path, &SystemEntropy, &mut |_| ())
        .await
        .expect("done");
    assert_opens(world.backend, &path, &values).await;
}

#[tokio::test]
async fn a_spoiled_copy_is_told_and_nothing_written() {
    let (_folder, path) = folder();
    let (world, _) = filled(&path, 3).await;
    let given = shares(&world).await.expect("made");
    let rows = world.rows().await;
    let (copy, _) = rows.iter().find(|it| it.0.starts_with("kek-recovery/")).expect("a copy");
    world.put(copy, None).await;
    std::fs::remove_file(&path).expect("lost");
    let before = world.rows().await;
    let refused = bring_back(&world.backend, &path, &given[..3]).await;
    assert!(matches!(refused, Err(Error::Missing { .. })), "{refused:?}");
    assert_eq!(world.rows().await, before);
}
