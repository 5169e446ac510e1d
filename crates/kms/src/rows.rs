//! The rows of this crate, and where they are.
//!
//! ```text
//! root                                                   which root key; a canary under it
//! root-rotation                                          while the root key is changed: how far
//! recovery                                               the key whose shares bring back a lost root key
//! kek-recovery/{set}/{account}/{region}/{generation}     a partition key, wrapped by that key
//! kek-current/{account}/{region}                         the generation that seals
//! kek/{account}/{region}/{generation}                    a partition key, wrapped by a root key
//! s/{account}/{region}/key/{key id}                      a KMS key
//! s/{account}/{region}/key-material/{key id}/{material}  its material, wrapped by a partition key
//! s/{account}/{region}/alias/{name}                      → key id
//! s/{account}/{region}/grant/{key id}/{grant}            a grant
//! s/{account}/{region}/grant-to/{principal}/{key id}/{grant}  the way to it by its grantee
//! s/{account}/{region}/grant-ends/{principal}/{key id}/{grant}  by who may retire it
//! s/{account}/{region}/grant-count/{key id}              how many grants a key has
//! key-due/{instant}/{account}/{region}/{key id}          when a key rotates, or ends
//! ```

use crate::codec::{Reader, Writer, hex};
use crate::{KmsKey, MaterialId, Place};
use base::Timestamp;
use envelope::RootKey;
use serde::{Deserialize, Serialize};
use store::path::Path;
use store::{KeyRange, Record, Table};

/// Which root key the store is sealed under.
#[derive(Serialize, Deserialize)]
pub(crate) struct RootRow {
    pub(crate) id: String,
    pub(crate) recipe: Option<String>,
    pub(crate) created: Timestamp,
    /// A key that exists only to be opened, wrapped by the root key.
    #[serde(with = "hex")]
    pub(crate) wrapped: Vec<u8>,
    /// A known text under that key.
    #[serde(with = "hex")]
    pub(crate) canary: Vec<u8>,
}

store::json_record!(RootRow, 1);

/// How far the change of the root key has come.
#[derive(Serialize, Deserialize)]
pub(crate) struct RotationRow {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) to_recipe: Option<String>,
    /// The key of the last row that is done.
    pub(crate) position: Option<String>,
}

store::json_record!(RotationRow, 1);

/// The sets of shares that bring back a lost root key.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct RecoveryRow {
    /// The set that was given away.
    pub(crate) active: Option<RecoverySet>,
    /// One that is being made.
    pub(crate) making: Option<RecoverySet>,
}

store::json_record!(RecoveryRow, 1);

/// A recovery key: what its shares are known by, and the key, sealed under the store's partition key so that
/// what is made later can be wrapped by it too.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RecoverySet {
    pub(crate) id: String,
    pub(crate) threshold: u8,
    pub(crate) shares: u8,
    pub(crate) created: Timestamp,
    #[serde(with = "hex")]
    pub(crate) sealed: Vec<u8>,
    /// The key of the last partition key's row that is wrapped, while it is being made.
    pub(crate) position: Option<String>,
}

/// Which generation of a partition's key seals what is new.
#[derive(Serialize, Deserialize)]
pub(crate) struct CurrentRow {
    pub(crate) generation: u32,
}

store::json_record!(CurrentRow, 1);

/// The KMS key behind an alias.
#[derive(Serialize, Deserialize)]
pub(crate) struct AliasRow {
    pub(crate) key_id: String,
    pub(crate) created: Timestamp,
    /// When it was pointed at this key, if that was later.
    #[serde(default)]
    pub(crate) updated: Option<Timestamp>,
}

store::json_record!(AliasRow, 1);

/// A partition key, wrapped by the root key called `root`.
#[derive(Debug, PartialEq)]
pub(crate) struct KekRow {
    pub(crate) root: String,
    pub(crate) created: Timestamp,
    pub(crate) wrapped: Vec<u8>,
    /// A known text under the partition key.
    pub(crate) canary: Vec<u8>,
}

impl Record for KekRow {
    const SCHEMA: u16 = 1;

    fn encode(&self) -> Result<Vec<u8>, String> {
        let created = self.created.millis().to_be_bytes();
        let row = Writer::default().run(self.root.as_bytes()).raw(&created);
        Ok(row.run(&self.wrapped).run(&self.canary).done())
    }

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        known(schema, Self::SCHEMA)?;
        let mut reader = Reader(bytes);
        let mut parse = || {
            let root = reader.text(MAX_NAME)?.to_owned();
            let created = Timestamp::from_millis(i64::from_be_bytes(reader.raw()?));
            let wrapped = reader.run(MAX_WRAPPED)?.to_vec();
            Some(Self { root, created, wrapped, canary: reader.run(MAX_WRAPPED)?.to_vec() })
        };
        let row = parse();
        row.filter(|_| reader.end().is_some()).ok_or_else(|| "not a partition key".to_owned())
    }
}

/// Key material, wrapped by the partition key of `generation`.
#[derive(Debug, PartialEq)]
pub(crate) struct MaterialRow {
    pub(crate) generation: u32,
    pub(crate) created: Timestamp,
    pub(crate) wrapped: Vec<u8>,
}

impl Record for MaterialRow {
    const SCHEMA: u16 = 1;

    fn encode(&self) -> Result<Vec<u8>, String> {
        let row = Writer::default().raw(&self.generation.to_be_bytes());
        Ok(row.raw(&self.created.millis().to_be_bytes()).run(&self.wrapped).done())
    }

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        known(schema, Self::SCHEMA)?;
        let mut reader = Reader(bytes);
        let mut parse = || {
            let generation = u32::from_be_bytes(reader.raw()?);
            let created = Timestamp::from_millis(i64::from_be_bytes(reader.raw()?));
            Some(Self { generation, created, wrapped: reader.run(MAX_WRAPPED)?.to_vec() })
        };
        let row = parse();
        row.filter(|_| reader.end().is_some()).ok_or_else(|| "not key material".to_owned())
    }
}

/// Any row, whatever it holds: for questions of existence.
pub(crate) struct AnyRow;

impl Record for AnyRow {
    const SCHEMA: u16 = 0;

    fn encode(&self) -> Result<Vec<u8>, String> {
        Err("not to be written".to_owned())
    }

    fn decode(_: u16, _: &[u8]) -> Result<Self, String> {
        Ok(Self)
    }
}

pub(crate) const ROOT: Table<(), RootRow> = Table::new(|()| "root".to_owned());

pub(crate) const ROTATION: Table<(), RotationRow> = Table::new(|()| "root-rotation".to_owned());

pub(crate) const RECOVERY: Table<(), RecoveryRow> = Table::new(|()| "recovery".to_owned());

/// The copy, for the recovery key `set`, of a partition key.
pub(crate) fn copy_key(set: &str, place: Place<'_>, generation: u32) -> String {
    let copy = Path::new("kek-recovery").with(set).with(place.account()).with(place.region());
    copy.with_shown(generation).key()
}

/// All copies for the recovery key `set`.
pub(crate) fn copies_of(set: &str) -> String {
    Path::new("kek-recovery").with(set).below()
}

pub(crate) const COPIES_PREFIX: &str = "kek-recovery/";

/// Partition keys by their full row key, for walks over all of them.
pub(crate) const KEKS: Table<str, KekRow> = Table::new(ToOwned::to_owned);

pub(crate) const KEK_PREFIX: &str = "kek/";

pub(crate) const fn current_generations<'a>() -> Table<Place<'a>, CurrentRow> {
    Table::new(|it| Path::new("kek-current").with(it.account()).with(it.region()).key())
}

pub(crate) fn kek_key(place: Place<'_>, generation: u32) -> String {
    Path::new("kek").with(place.account()).with(place.region()).with_shown(generation).key()
}

pub(crate) fn kek_range(place: Place<'_>) -> KeyRange {
    KeyRange::prefix(&Path::new("kek").with(place.account()).with(place.region()).below())
}

pub(crate) const fn keys<'a>() -> Table<(Place<'a>, &'a str), KmsKey> {
    Table::new(|(place, id)| regional(*place).with("key").with(id).key())
}

pub(crate) const fn materials<'a>() -> Table<(Place<'a>, &'a str, MaterialId), MaterialRow> {
    Table::new(|(place, id, material)| {
        regional(*place).with("key-material").with(id).with_shown(material).key()
    })
}

pub(crate) fn material_range(place: Place<'_>) -> KeyRange {
    KeyRange::prefix(&regional(place).with("key-material").below())
}

pub(crate) fn materials_of(place: Place<'_>, key_id: &str) -> KeyRange {
    KeyRange::prefix(&regional(place).with("key-material").with(key_id).below())
}

/// The prefix of all rows of `table` in `place`.
pub(crate) fn prefix(place: Place<'_>, table: &str) -> String {
    regional(place).with(table).below()
}

pub(crate) const fn aliases<'a>() -> Table<(Place<'a>, &'a str), AliasRow> {
    Table::new(|(place, name)| regional(*place).with("alias").rest(name))
}

impl RotationRow {
    pub(crate) fn new(from: &str, to: &dyn RootKey) -> Self {
        let to_recipe = to.recipe().map(ToOwned::to_owned);
        Self { from: from.to_owned(), to: to.id().to_owned(), to_recipe, position: None }
    }
}

pub(crate) fn regional(place: Place<'_>) -> Path {
    Path::new("s").with(place.account()).with(place.region())
}

fn known(schema: u16, newest: u16) -> Result<(), String> {
    let known = (1..=newest).contains(&schema);
    known.then_some(()).ok_or_else(|| format!("schema {schema} is newer than this program"))
}

const MAX_NAME: usize = 256;
const MAX_WRAPPED: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_readable() {
        let (account, region) = ("111122223333".parse().expect("valid"), "eu-west-1".parse());
        let region = region.expect("valid");
        let place = Place::in_region(&account, &region);
        for (key, expected) in [
            (current_generations().key(&place), "kek-current/111122223333/eu-west-1"),
            (kek_key(place, 1), "kek/111122223333/eu-west-1/1"),
            (kek_key(Place::global(&account), 1), "kek/111122223333/global/1"),
            (kek_key(Place::store(), 1), "kek/store/global/1"),
            (keys().key(&(place, "id")), "s/111122223333/eu-west-1/key/id"),
            (
                aliases().key(&(place, "aws/secretsmanager")),
                "s/111122223333/eu-west-1/alias/aws/secretsmanager",
            ),
        ] {
            assert_eq!(key, expected);
        }
    }

    proptest! {
        #[test]
        fn binary_rows_survive_and_garbage_is_refused(
            root in "[a-z:0-9]{0,40}",
            millis: i64,
            generation: u32,
            wrapped: Vec<u8>,
            canary: Vec<u8>,
        ) {
            let created = Timestamp::from_millis(millis);
            let kek = KekRow { root, created, wrapped: wrapped.clone(), canary };
            let bytes = kek.encode().expect("encoded");
            prop_assert_eq!(KekRow::decode(1, &bytes), Ok(kek));
            let row = MaterialRow { generation, created, wrapped };
            let other = row.encode().expect("encoded");
            prop_assert_eq!(MaterialRow::decode(1, &other), Ok(row));
            prop_assert!(MaterialRow::decode(2, &other).is_err());
            for cut in 0..bytes.len() {
                prop_assert!(KekRow::decode(1, &bytes[..cut]).is_err());
            }
            prop_assert!(KekRow::decode(1, &[&bytes[..], b"x"].concat()).is_err());
        }
    }
}
