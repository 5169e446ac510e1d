//! The root key file from the first start on, with kills between files and commits.

use crate::support::{NOW, Owner, World, binding};
use base::SystemEntropy;
use std::path::{Path, PathBuf};
use store::backends::memory::{Fault, Memory};
use strongroom_kms::Error;
use strongroom_kms::root::file::{FileError, create, load, next_path, rotate, start};

async fn begin(backend: Memory, path: &Path) -> Result<(World, bool), Error> {
    backend.revive();
    let opened = start(&backend, path, &SystemEntropy, NOW).await?;
    Ok((World { backend, keyring: opened.keyring }, opened.unfinished))
}

async fn change(world: &World, path: &Path) -> Result<(), Error> {
    rotate(&world.backend, &world.keyring, path, &SystemEntropy, &mut |_| ()).await
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("made");
    let path = folder.path().join("root.key");
    (folder, path)
}

fn id(path: &Path) -> String {
    use envelope::RootKey;
    load(path).expect("there").id().to_owned()
}

#[tokio::test]
async fn a_second_start_finds_the_same_key_and_data() {
    let (_folder, path) = folder();
    let (world, _) = begin(Memory::new(), &path).await.expect("first start");
    let (owner, bound) = (Owner::new(1, "eu-west-1"), binding("arn:one", "v1"));
    let sealed = world.seal(&owner, &bound, "value").await.expect("sealed");
    let made = id(&path);
    let (world, unfinished) = begin(world.backend, &path).await.expect("second start");
    assert!(!unfinished);
    assert_eq!(id(&path), made);
    assert_eq!(world.open(&owner, &bound, &sealed).await.expect("opens"), "value");
}

#[tokio::test]
async fn a_start_killed_between_key_and_store_goes_on_with_the_key() {
    for fault in [Fault::DieBefore, Fault::DieAfter] {
        let (_folder, path) = folder();
        let backend = Memory::new();
        backend.fault(fault, 1);
        start(&backend, &path, &SystemEntropy, NOW).await.expect_err("died");
        let made = id(&path);
        begin(backend, &path).await.expect("second start");
        assert_eq!(id(&path), made);
    }
}

#[tokio::test]
async fn a_missing_or_wrong_key_is_never_replaced() {
    let (folder, path) = folder();
    let (world, _) = begin(Memory::new(), &path).await.expect("first start");
    let kept = folder.path().join("kept");
    std::fs::rename(&path, &kept).expect("moved");
    let rows = world.rows().await;

    let missing = start(&world.backend, &path, &SystemEntropy, NOW).await.expect_err("missing");
    assert!(matches!(missing, Error::RootFile(FileError::Absent { .. })), "{missing:?}");
    assert!(!path.exists());

    create(&path, &SystemEntropy).expect("another");
    let wrong = start(&world.backend, &path, &SystemEntropy, NOW).await.expect_err("wrong");
    assert!(matches!(wrong, Error::WrongRoot { .. }), "{wrong:?}");
    assert_eq!(world.rows().await, rows);
    std::fs::rename(&kept, &path).expect("moved back");
    begin(world.backend, &path).await.expect("opens");
}

#[tokio::test]
async fn killed_anywhere_the_change_is_finished_after_the_next_start() {
    let bound = binding("arn:one", "v1");
    for fault in [Fault::DieBefore, Fault::DieAfter] {
        for nth in 1..=2 {
            let (_folder, path) = folder();
            let (world, _) = begin(Memory::new(), &path).await.expect("first start");
            let owner = Owner::new(1, "eu-west-1");
            let sealed = world.seal(&owner, &bound, "value").await.expect("sealed");
            let old = id(&path);

            world.backend.fault(fault, nth);
            change(&world, &path).await.expect_err("died");
            let new = id(&next_path(&path));
            assert_eq!(id(&path), old, "not replaced yet");

            let (world, unfinished) = begin(world.backend, &path).await.expect("both are there");
            assert_eq!(world.open(&owner, &bound, &sealed).await.expect("opens"), "value");
            let all_was_wrapped = (fault, nth) == (Fault::DieAfter, 2);
            assert_eq!(unfinished, !all_was_wrapped, "{fault:?} {nth}");
            if unfinished {
                change(&world, &path).await.expect("finished");
            }
            assert_eq!(id(&path), new);
            assert!(!next_path(&path).exists());
            let (world, unfinished) = begin(world.backend, &path).await.expect("one is enough");
            assert!(!unfinished);
            assert_eq!(world.open(&owner, &bound, &sealed).await.expect("opens"), "value");
        }
    }
}

#[tokio::test]
async fn killed_before_the_store_heard_of_it_the_new_key_is_used() {
    let (_folder, path) = folder();
    let (world, _) = begin(Memory::new(), &path).await.expect("first start");
    create(&next_path(&path), &SystemEntropy).expect("made");
    let new = id(&next_path(&path));
    let (world, unfinished) = begin(world.backend, &path).await.expect("opens");
    assert!(unfinished);
    change(&world, &path).await.expect("finished");
    assert_eq!(id(&path), new);
    begin(world.backend, &path).await.expect("one is enough");
}
