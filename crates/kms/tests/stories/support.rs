//! A store with a root key, and ways to look into it and to spoil it.

use base::{AccountId, Region, Sensitive, SystemEntropy, Timestamp};
use envelope::{Key, Keyring, LocalRoot, RootKey, Roots};
use std::sync::Arc;
use store::backends::memory::Memory;
use store::{Backend, Commit, KeyRange, Rows, Table, Txn};
use strongroom_kms::{
    Binding, Error, Kind, Scope, Sealed, initialize, managed_key, open, seal, unlock,
};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(crate) const ALIAS: &str = "aws/secretsmanager";

/// A store and what opens it.
pub(crate) struct World {
    pub(crate) backend: Memory,
    pub(crate) keyring: Keyring,
}

impl World {
    pub(crate) async fn new() -> Self {
        let (backend, keyring) = (Memory::new(), ring(&root(1)));
        initialize(&backend, &keyring, &SystemEntropy, NOW).await.expect("brand new");
        Self { backend, keyring }
    }

    /// The same store after a restart with `roots`, if they open it.
    pub(crate) async fn restart(self, roots: Roots) -> Result<Self, Error> {
        self.backend.revive();
        let keyring = Keyring::new(roots);
        unlock(&self.backend, &keyring).await?;
        Ok(Self { backend: self.backend, keyring })
    }

    pub(crate) fn txn(&self) -> Txn<'_> {
        store::begin(&self.backend)
    }

    pub(crate) fn scope<'a>(&'a self, owner: &'a Owner) -> Scope<'a> {
        let Owner { account, region } = owner;
        Scope { keyring: &self.keyring, entropy: &SystemEntropy, now: NOW, account, region }
    }

    /// Seals `value` as `binding`'s and commits.
    pub(crate) async fn seal(
        &self,
        owner: &Owner,
        binding: &Binding<'_>,
        value: &str,
    ) -> Result<Sealed, Error> {
        let (mut txn, scope) = (self.txn(), self.scope(owner));
        let key = managed_key(&mut txn, &scope, ALIAS).await?;
        let value = Sensitive::from(value.to_owned());
        let sealed = seal(&mut txn, &scope, &key, binding, &value).await?;
        txn.commit().await?;
        Ok(sealed)
    }

    pub(crate) async fn open(
        &self,
        owner: &Owner,
        binding: &Binding<'_>,
        sealed: &Sealed,
    ) -> Result<String, Error> {
        let value = open(&mut self.txn(), &self.scope(owner), sealed, binding).await?;
        Ok(String::from_utf8(value.expose().to_vec()).expect("text"))
    }

    /// All rows, as bytes.
    pub(crate) async fn rows(&self) -> Rows {
        let snapshot = self.backend.snapshot().await.expect("alive");
        snapshot.scan(&KeyRange::prefix(""), 100_000, false).await.expect("alive")
    }

    pub(crate) async fn row(&self, key: &str) -> Vec<u8> {
        let snapshot = self.backend.snapshot().await.expect("alive");
        snapshot.get(key).await.expect("alive").unwrap_or_else(|| panic!("no row `{key}`"))
    }

    /// Overwrites or removes a row behind everyone's back.
    pub(crate) async fn put(&self, key: &str, row: Option<Vec<u8>>) {
        let writes = vec![(key.to_owned(), row)];
        self.backend.commit(Commit { writes, ..Commit::default() }).await.expect("alive");
        self.keyring.forget();
    }
}

/// An account in a Region.
pub(crate) struct Owner {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
}

impl Owner {
    pub(crate) fn new(account: u64, region: &str) -> Self {
        let account = AccountId::from_number(account).expect("12 digits");
        Self { account, region: region.parse().expect("valid") }
    }

    pub(crate) fn path(&self, prefix: &str) -> String {
        format!("{prefix}/{}/{}", self.account, self.region)
    }
}

pub(crate) fn root(byte: u8) -> Arc<dyn RootKey> {
    Arc::new(LocalRoot::new("test", Key::fill_with(|it| it.fill(byte))).expect("made"))
}

pub(crate) fn ring(root: &Arc<dyn RootKey>) -> Keyring {
    Keyring::new(Roots::only(Arc::clone(root)))
}

pub(crate) fn binding<'a>(secret_arn: &'a str, version_id: &'a str) -> Binding<'a> {
    Binding { secret_arn, version_id, kind: Kind::String }
}

/// Rows of another crate's table: its keys as they are, its values as bytes.
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl store::Record for Blob {
    const SCHEMA: u16 = 1;

    fn encode(&self) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }

    fn decode(_: u16, bytes: &[u8]) -> Result<Self, String> {
        Ok(Self(bytes.to_vec()))
    }
}

pub(crate) const BLOBS: Table<str, Blob> = Table::new(ToOwned::to_owned);
