//! Accounts and access keys over a store in memory.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use base::{AccountId, Region, Sensitive, SystemEntropy, Timestamp};
use envelope::{Key, Keyring, LocalRoot, Roots};
use std::sync::Arc;
use store::backends::memory::Memory;
use strongroom_identity::{
    Error, Status, create_access_key, create_account, find_key, find_row, list_access_keys,
    list_accounts, secret_of, set_status,
};

struct House {
    backend: Memory,
    keyring: Keyring,
    region: Region,
}

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

impl House {
    async fn new() -> Self {
        let root = LocalRoot::new("test", Key::fill_with(|it| it.fill(7))).expect("made");
        let house = Self {
            backend: Memory::new(),
            keyring: Keyring::new(Roots::only(Arc::new(root))),
            region: "us-east-1".parse().expect("valid"),
        };
        kms::initialize(&house.backend, &house.keyring, &SystemEntropy, NOW).await.expect("empty");
        house
    }

    fn scope<'a>(&'a self, account: &'a AccountId) -> kms::Scope<'a> {
        let Self { keyring, region, .. } = self;
        kms::Scope { keyring, entropy: &SystemEntropy, now: NOW, account, region }
    }

    async fn account(&self, id: Option<&str>) -> Result<AccountId, Error> {
        let mut txn = store::begin(&self.backend);
        let id = id.map(|it| it.parse().expect("valid"));
        let account = create_account(&mut txn, id, &SystemEntropy, NOW).await?;
        txn.commit().await?;
        Ok(account.id)
    }

    async fn key(&self, account: &AccountId, user: &str) -> Result<(String, Sensitive), Error> {
        let mut txn = store::begin(&self.backend);
        let (key, secret) = create_access_key(&mut txn, &self.scope(account), user).await?;
        txn.commit().await?;
        Ok((key.id, secret))
    }
}

#[tokio::test]
async fn accounts_are_made_once_and_listed_in_order() {
    let house = House::new().await;
    for id in ["222222222222", "111111111111", "111111111112"] {
        let account = house.account(Some(id)).await.expect("new");
        house.key(&account, "admin").await.expect("made");
    }
    let again = house.account(Some("111111111111")).await;
    assert!(matches!(again, Err(Error::AccountExists(_))), "{again:?}");
    let drawn = house.account(None).await.expect("drawn");

    let listed = list_accounts(&mut store::begin(&house.backend)).await.expect("listed");
    let mut listed: Vec<_> = listed.iter().map(|it| it.id.to_string()).collect();
    listed.retain(|it| it != drawn.as_str());
    assert_eq!(listed, ["111111111111", "111111111112", "222222222222"]);
}

#[tokio::test]
async fn a_key_opens_its_own_secret_only() {
    let house = House::new().await;
    let account = house.account(Some("111111111111")).await.expect("new");
    let (first, secret) = house.key(&account, "admin").await.expect("made");
    let (second, other) = house.key(&account, "admin").await.expect("made");
    assert!(!secret.same_as(&other));

    let mut txn = store::begin(&house.backend);
    let scope = house.scope(&account);
    let key = find_key(&mut txn, &first).await.expect("read").expect("there");
    assert!(secret_of(&mut txn, &scope, &key).await.expect("opens").same_as(&secret));
    assert_eq!(key.arn, "arn:aws:iam::111111111111:user/admin");

    let stranger = find_key(&mut txn, &second).await.expect("read").expect("there");
    assert_eq!(stranger.principal_id, key.principal_id, "one user, two keys");
    let row = find_row(&mut txn, &first).await.expect("read").expect("there");
    assert_eq!(row.open(&first).expect("whole"), key);
    // The sealed secret of one key in the row of another.
    let mut swapped = key.clone();
    swapped.id = second;
    let opened = secret_of(&mut txn, &scope, &swapped).await;
    assert!(matches!(opened, Err(Error::Kms(_))), "{opened:?}");
    let text = format!("{swapped:?}");
    assert!(!text.contains(str::from_utf8(secret.expose()).expect("ASCII")), "{text}");
}

#[tokio::test]
async fn status_changes_and_unknown_ids_are_unknown() {
    let house = House::new().await;
    let account = house.account(None).await.expect("new");
    let (id, _) = house.key(&account, "admin").await.expect("made");

    let mut txn = store::begin(&house.backend);
    let before = find_row(&mut txn, &id).await.expect("read").expect("there");
    set_status(&mut txn, &id, Status::Inactive).await.expect("there");
    txn.commit().await.expect("committed");
    let mut txn = store::begin(&house.backend);
    let key = find_key(&mut txn, &id).await.expect("read").expect("there");
    assert_eq!(key.status, Status::Inactive);
    assert_ne!(find_row(&mut txn, &id).await.expect("read").expect("there"), before);

    for unknown in ["AKIAAAAAAAAAAAAAAAAA", "", "a/b", "root"] {
        assert_eq!(find_key(&mut txn, unknown).await.expect("read"), None, "{unknown}");
        let changed = set_status(&mut txn, unknown, Status::Active).await;
        assert!(matches!(changed, Err(Error::KeyUnknown(_))), "{unknown}");
    }
}

#[tokio::test]
async fn keys_are_listed_by_account() {
    let house = House::new().await;
    // The two share the prefix of their access key ids.
    let even = house.account(Some("111111111110")).await.expect("new");
    let odd = house.account(Some("111111111111")).await.expect("new");
    let mine = house.key(&odd, "admin").await.expect("made").0;
    house.key(&even, "admin").await.expect("made");
    let listed = list_access_keys(&mut store::begin(&house.backend), &odd).await.expect("listed");
    assert_eq!(listed.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [mine]);
}

#[tokio::test]
async fn users_keep_one_spelling() {
    let house = House::new().await;
    let account = house.account(None).await.expect("new");
    house.key(&account, "Ada").await.expect("made");
    house.key(&account, "Ada").await.expect("the same user");
    let other = house.key(&account, "ada").await;
    assert!(matches!(other, Err(Error::UserExists { .. })), "{other:?}");
    let malformed = house.key(&account, "a/b").await;
    assert!(matches!(malformed, Err(Error::UserName(_))), "{malformed:?}");
    let stranger = "999999999999".parse().expect("valid");
    let nowhere = house.key(&stranger, "Ada").await;
    assert!(matches!(nowhere, Err(Error::AccountUnknown(_))), "{nowhere:?}");
}

#[tokio::test]
async fn policies_can_name_users_that_exist() {
    let house = House::new().await;
    let account = house.account(Some("111111111111")).await.expect("new");
    house.key(&account, "Ada").await.expect("made");
    let mut txn = store::begin(&house.backend);
    assert!(txn.exists("a/111111111111/user/Ada").await.expect("read"));
    assert!(!txn.exists("a/111111111111/user/ada").await.expect("read"));
}
