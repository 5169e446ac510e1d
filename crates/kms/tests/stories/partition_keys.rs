//! Partition keys: made once, never over existing data.

use crate::support::{Owner, World, binding};
use envelope::OpenError;
use store::Error as StoreError;
use strongroom_kms::{Error, Place, partition_key};

#[tokio::test]
async fn of_two_first_uses_at_once_one_is_done_again() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    let (scope, place) = (world.scope(&owner), Place::in_region(&owner.account, &owner.region));
    let (mut one, mut two) = (world.txn(), world.txn());
    let first = partition_key(&mut one, &scope, place).await.expect("made");
    let second = partition_key(&mut two, &scope, place).await.expect("made");
    assert_ne!(first.key.expose(), second.key.expose());
    one.commit().await.expect("first");
    let late = two.commit().await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");

    let again = partition_key(&mut world.txn(), &scope, place).await.expect("found");
    assert_eq!((again.generation, again.key.expose()), (1, first.key.expose()));
}

#[tokio::test]
async fn of_two_first_values_at_once_one_is_done_again() {
    let (world, owner) = (World::new().await, Owner::new(1, "eu-west-1"));
    let scope = world.scope(&owner);
    let (mut one, mut two) = (world.txn(), world.txn());
    let first = strongroom_kms::managed_key(&mut one, &scope, "aws/x").await.expect("made");
    strongroom_kms::managed_key(&mut two, &scope, "aws/x").await.expect("made");
    one.commit().await.expect("first");
    assert!(matches!(two.commit().await, Err(StoreError::Conflict { .. })));
    let found = strongroom_kms::managed_key(&mut world.txn(), &scope, "aws/x").await;
    assert_eq!(found.expect("found"), first);
}

#[tokio::test]
async fn a_lost_key_is_never_made_anew() {
    let owner = Owner::new(1, "eu-west-1");
    let (current, kek) = (owner.path("kek-current"), owner.path("kek") + "/1");
    for lost in [vec![&current], vec![&kek], vec![&current, &kek]] {
        let world = World::new().await;
        let bound = binding("arn:one", "v1");
        let sealed = world.seal(&owner, &bound, "value").await.expect("sealed");
        for key in &lost {
            world.put(key, None).await;
        }
        let before = world.rows().await;

        let scope = world.scope(&owner);
        let place = Place::in_region(&owner.account, &owner.region);
        let refused = partition_key(&mut world.txn(), &scope, place).await;
        assert!(matches!(refused, Err(Error::Missing { .. })), "{lost:?}: {refused:?}");
        let other = strongroom_kms::managed_key(&mut world.txn(), &scope, "aws/ssm").await;
        assert!(matches!(other, Err(Error::Missing { .. })), "{lost:?}: {other:?}");
        let opened = world.open(&owner, &bound, &sealed).await;
        assert_eq!(opened.is_ok(), !lost.contains(&&kek), "{lost:?}: {opened:?}");
        assert_eq!(world.rows().await, before);
    }
}

#[tokio::test]
async fn a_changed_or_moved_key_is_refused() {
    let world = World::new().await;
    let (owner, other) = (Owner::new(1, "eu-west-1"), Owner::new(2, "eu-west-1"));
    let bound = binding("arn:one", "v1");
    let mut sealed = Vec::new();
    for it in [&owner, &other] {
        sealed.push(world.seal(it, &bound, "value").await.expect("sealed"));
    }
    let row = owner.path("kek") + "/1";
    let own = world.row(&row).await;

    let foreign = world.row(&(other.path("kek") + "/1")).await;
    let mut changed = own.clone();
    changed[100] ^= 1;
    for spoiled in [foreign, changed] {
        world.put(&row, Some(spoiled)).await;
        for outcome in [
            world.open(&owner, &bound, &sealed[0]).await.map(drop),
            strongroom_kms::unlock(&world.backend, &world.keyring).await,
        ] {
            let told = matches!(&outcome, Err(Error::Damaged { what, reason })
                if what.starts_with("partition key") && *reason == OpenError::Changed);
            assert!(told, "{outcome:?}");
        }
    }
    world.put(&row, Some(own)).await;
    assert_eq!(world.open(&owner, &bound, &sealed[0]).await.expect("opens"), "value");
}

#[tokio::test]
async fn moved_key_material_is_refused() {
    let world = World::new().await;
    let (owner, other) = (Owner::new(1, "eu-west-1"), Owner::new(2, "eu-west-1"));
    let bound = binding("arn:one", "v1");
    let sealed = world.seal(&owner, &bound, "value").await.expect("sealed");
    world.seal(&other, &bound, "value").await.expect("sealed");
    let find = async |owner: &Owner| {
        let prefix = owner.path("s") + "/key-material/";
        let rows = world.rows().await;
        rows.into_iter().find(|(key, _)| key.starts_with(&prefix)).expect("there")
    };
    let ((own, _), (_, foreign)) = (find(&owner).await, find(&other).await);
    world.put(&own, Some(foreign)).await;
    let outcome = world.open(&owner, &bound, &sealed).await;
    assert!(matches!(outcome, Err(Error::Damaged { .. })), "{outcome:?}");

    // Another key of the same account and Region, under the same partition key.
    let mut txn = world.txn();
    let scope = world.scope(&owner);
    let key = strongroom_kms::managed_key(&mut txn, &scope, "aws/x").await.expect("made");
    txn.commit().await.expect("alone");
    let material = key.material.expect("made here");
    let neighbor = format!("{}/key-material/{}/{material}", owner.path("s"), key.id);
    let neighbor = world.row(&neighbor).await;
    world.put(&own, Some(neighbor)).await;
    let outcome = world.open(&owner, &bound, &sealed).await;
    let told = matches!(&outcome, Err(Error::Damaged { what, reason })
        if what.starts_with("material") && *reason == OpenError::Changed);
    assert!(told, "{outcome:?}");

    world.put(&own, None).await;
    let outcome = world.open(&owner, &bound, &sealed).await;
    assert!(matches!(outcome, Err(Error::Missing { .. })), "{outcome:?}");
}
