//! The change of the root key, killed at every commit.

use crate::support::{Owner, World, binding, root};
use base::SystemEntropy;
use envelope::Roots;
use store::backends::memory::Fault;
use strongroom_kms::{Error, Place, Progress, Sealed, partition_key, rotate_root};

/// More partition keys than two pages hold.
const OWNERS: u64 = 70;

async fn filled(owners: u64) -> (World, Vec<(Owner, Sealed)>) {
    let world = World::new().await;
    let mut values = Vec::new();
    for account in 0..owners {
        let owner = Owner::new(account, "eu-west-1");
        let sealed = world.seal(&owner, &binding("arn:one", "v1"), "value").await.expect("sealed");
        values.push((owner, sealed));
    }
    (world, values)
}

async fn rotate(world: &World, to: u8) -> Result<Vec<Progress>, Error> {
    let mut told = Vec::new();
    let mut tell = |it| told.push(it);
    rotate_root(&world.backend, &world.keyring, root(to), &SystemEntropy, &mut tell).await?;
    Ok(told)
}

async fn assert_all_open(world: &World, values: &[(Owner, Sealed)]) {
    world.keyring.forget();
    for (owner, sealed) in values {
        let opened = world.open(owner, &binding("arn:one", "v1"), sealed).await;
        assert_eq!(opened.expect("opens"), "value");
    }
}

/// No row says or needs the old root any more.
async fn assert_moved(world: World, values: &[(Owner, Sealed)]) {
    let old = root(1).id().to_owned();
    for (key, row) in world.rows().await {
        assert!(!row.windows(old.len()).any(|it| it == old.as_bytes()), "{key}");
    }
    let (backend, refused) = (&world.backend, crate::support::ring(&root(1)));
    let refused = strongroom_kms::unlock(backend, &refused).await;
    assert!(matches!(refused, Err(Error::WrongRoot { .. })), "{refused:?}");

    let alone = envelope::Keyring::new(Roots::only(root(1)));
    let blind = World { backend: world.backend, keyring: alone };
    for (owner, sealed) in values {
        let opened = blind.open(owner, &binding("arn:one", "v1"), sealed).await;
        assert!(matches!(opened, Err(Error::Root(_))), "{opened:?}");
    }
    let world = blind.restart(Roots::only(root(2))).await.expect("the new root is enough");
    assert_all_open(&world, values).await;
}

#[tokio::test]
async fn values_open_before_during_and_after() {
    let (world, values) = filled(OWNERS).await;
    let commits = world.backend.commits();
    let told = rotate(&world, 2).await.expect("rotated");
    let wrapped: Vec<_> = told.iter().map(|it| (it.wrapped, it.finished)).collect();
    assert_eq!(wrapped, [(32, false), (64, false), (70, true)]);
    assert_eq!(world.backend.commits() - commits, 4, "begin and three pages");
    assert!(world.keyring.roots().other.is_none());
    assert_all_open(&world, &values).await;
    assert_moved(world, &values).await;
}

#[tokio::test]
async fn killed_at_any_commit_it_goes_on() {
    for fault in [Fault::DieBefore, Fault::DieAfter] {
        for nth in 1..=4 {
            let (world, values) = filled(OWNERS).await;
            world.backend.fault(fault, nth);
            let died = rotate(&world, 2).await;
            assert!(matches!(died, Err(Error::Store(_))), "{fault:?} {nth}: {died:?}");

            let world =
                world.restart(Roots::both(root(2), root(1))).await.expect("both are enough");
            assert_all_open(&world, &values).await;
            // What is made between the two halves is not left behind.
            let late = Owner::new(OWNERS / 2, "us-east-1");
            let sealed = world.seal(&late, &binding("arn:one", "v1"), "value").await;
            let mut values = values;
            values.push((late, sealed.expect("sealed")));

            rotate(&world, 2).await.expect("finished");
            assert_all_open(&world, &values).await;
            assert_moved(world, &values).await;
        }
    }
}

#[tokio::test]
async fn half_way_both_roots_are_needed() {
    let (world, _) = filled(OWNERS).await;
    world.backend.fault(Fault::DieBefore, 3);
    rotate(&world, 2).await.expect_err("died");
    world.backend.revive();
    for alone in [1, 2] {
        let ring = crate::support::ring(&root(alone));
        let refused = strongroom_kms::unlock(&world.backend, &ring).await.expect_err("half");
        assert!(matches!(refused, Error::RotationUnfinished { .. }), "{refused:?}");
        assert!(refused.to_string().contains("\nhint: "), "{refused}");
    }
    let third = rotate(&world, 3).await;
    assert!(matches!(third, Err(Error::RotationUnderWay { .. })), "{third:?}");
}

#[tokio::test]
async fn other_commits_in_between_don_t_stop_it() {
    for nth in 1..=4 {
        let (world, values) = filled(OWNERS).await;
        for more in 0..3 {
            world.backend.fault(Fault::Conflict, nth + more);
        }
        rotate(&world, 2).await.expect("rotated");
        assert_moved(world, &values).await;
    }
}

#[tokio::test]
async fn a_full_disk_stops_it_and_it_goes_on_later() {
    let (world, values) = filled(OWNERS).await;
    world.backend.fault(Fault::Full, 3);
    let stopped = rotate(&world, 2).await;
    assert!(matches!(stopped, Err(Error::Store(store::Error::Full))), "{stopped:?}");
    assert_all_open(&world, &values).await;
    rotate(&world, 2).await.expect("finished");
    assert_moved(world, &values).await;
}

#[tokio::test]
async fn done_is_done() {
    let (world, values) = filled(3).await;
    rotate(&world, 2).await.expect("rotated");
    let before = world.rows().await;
    let told = rotate(&world, 2).await.expect("nothing to do");
    assert_eq!(told, [Progress { wrapped: 0, finished: true }]);
    assert_eq!(world.rows().await, before);
    assert_moved(world, &values).await;
}

#[tokio::test]
async fn a_key_made_while_it_begins_is_made_once_more() {
    let (world, mut values) = filled(1).await;
    let owner = Owner::new(7, "eu-west-1");
    let mut early = world.txn();
    let place = Place::in_region(&owner.account, &owner.region);
    partition_key(&mut early, &world.scope(&owner), place).await.expect("made");
    rotate(&world, 2).await.expect("rotated");
    let late = early.commit().await;
    assert!(matches!(late, Err(store::Error::Conflict { .. })), "{late:?}");

    let sealed = world.seal(&owner, &binding("arn:one", "v1"), "value").await.expect("sealed");
    values.push((owner, sealed));
    assert_moved(world, &values).await;
}

#[tokio::test]
async fn a_key_left_behind_is_found_before_the_old_root_is_given_up() {
    let (world, values) = filled(OWNERS).await;
    let row = values[0].0.path("kek") + "/1";
    let old = world.row(&row).await;
    world.backend.fault(Fault::DieAfter, 3);
    rotate(&world, 2).await.expect_err("died behind the first two pages");
    let world = world.restart(Roots::both(root(2), root(1))).await.expect("both are enough");
    world.put(&row, Some(old)).await;
    rotate(&world, 2).await.expect("finished");
    assert_moved(world, &values).await;
}

#[tokio::test]
async fn a_spoiled_key_stops_it_before_its_page_is_written() {
    let (world, values) = filled(3).await;
    let row = values[1].0.path("kek") + "/1";
    let own = world.row(&row).await;
    let mut spoiled = own.clone();
    *spoiled.last_mut().expect("some") ^= 1; // the canary, not the key
    world.put(&row, Some(spoiled)).await;
    let stopped = rotate(&world, 2).await;
    assert!(matches!(stopped, Err(Error::Damaged { .. })), "{stopped:?}");
    world.put(&row, Some(own)).await;
    assert_all_open(&world, &values).await;
    rotate(&world, 2).await.expect("finished");
    assert_moved(world, &values).await;
}

/// A server spawns these on threads of its own choice.
#[test]
fn futures_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let world = World {
        backend: store::backends::memory::Memory::new(),
        keyring: crate::support::ring(&root(1)),
    };
    let (owner, bound) = (Owner::new(1, "eu-west-1"), binding("a", "b"));
    let mut tell = |_| ();
    is_send(&world.seal(&owner, &bound, "value"));
    is_send(&rotate_root(&world.backend, &world.keyring, root(2), &SystemEntropy, &mut tell));
}
