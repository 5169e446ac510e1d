//! The tree: a redb file with all rows up to some revision.

use super::disk::Disk;
use super::folder::{Folder, is_full, told};
use super::layer::Layer;
use super::options::Options;
use crate::{Error, KeyRange, Revision, table};
use redb::{
    Builder, Database, Durability, ReadOnlyTable, ReadableDatabase, StorageError, TableDefinition,
    TableError,
};
use std::sync::Arc;

// Keys are UTF-8. As bytes they compare the same, without being looked through each time.
const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("kv");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The format this program writes: tables, journal and their meaning.
const FORMAT: u64 = 1;

/// The name of the tree's file, in errors too.
const FILE: &str = "store.redb";

/// The writing end of the tree.
pub(super) struct Tree {
    /// `None` after a failure, until the next use opens it again.
    open: Option<Database>,
    /// After a failure the page cache may not tell what is on the disk.
    has_failed: bool,
    options: Options,
    // Released last: nobody may enter while the file is being closed.
    folder: Arc<Folder>,
}

/// All rows of the tree as they were at one revision.
pub(super) struct TreeView {
    /// The last commit in the tree.
    pub(super) revision: Revision,
    rows: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

/// Why a layer is not in the tree.
pub(super) struct Stuck {
    pub(super) error: Error,
    /// The tree, opened again, if that worked: views from before may no longer be readable.
    pub(super) tree: Option<Arc<TreeView>>,
}

impl Tree {
    /// Opens the tree in `folder`, or starts an empty one.
    pub(super) fn open(
        folder: Arc<Folder>,
        options: Options,
    ) -> Result<(Self, Arc<TreeView>), Error> {
        let mut tree = Self { open: None, has_failed: false, options, folder };
        let view = view(tree.database()?)?;
        Ok((tree, view))
    }

    /// How the store was set up.
    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// Bytes of its file.
    pub(super) fn bytes(&self) -> u64 {
        self.folder.file(FILE).and_then(|it| it.metadata().map_err(told)).map_or(0, |it| it.len())
    }

    /// Writes the newest version of each row of `layer`, durably: the tree then stands at
    /// `revision`.
    ///
    /// May be repeated after any failure.
    pub(super) fn apply(
        &mut self,
        layer: &Layer,
        revision: Revision,
    ) -> Result<Arc<TreeView>, Stuck> {
        if let Err(error) = self.refuse_if_short_of_space(layer) {
            return Err(self.stuck(error));
        }
        let applied = self.database().and_then(|database| {
            write(database, layer, revision)?;
            view(database)
        });
        applied.map_err(|error| {
            // redb serves nothing but its cache after a failure, until it is opened again.
            self.open = None;
            self.has_failed = true;
            self.stuck(error)
        })
    }

    fn stuck(&mut self, error: Error) -> Stuck {
        let is_closed = self.open.is_none();
        let tree = if is_closed { self.database().and_then(view).ok() } else { None };
        Stuck { error, tree }
    }

    /// Reads every page and compares checksums; `false` if something had to be mended.
    pub(super) fn check(&mut self) -> Result<bool, Error> {
        self.database()?;
        match &mut self.open {
            Some(database) => database.check_integrity().map_err(|it| failed(it.into())),
            None => Ok(false),
        }
    }

    fn database(&mut self) -> Result<&Database, Error> {
        let open = match self.open.take() {
            Some(database) => database,
            None => self.open_file()?,
        };
        Ok(self.open.insert(open))
    }

    fn open_file(&self) -> Result<Database, Error> {
        let disk = Disk::new(self.folder.file(FILE)?, self.options.faults.clone());
        if self.has_failed {
            disk.distrust_cache();
        }
        let mut builder = Builder::new();
        let database = builder
            .set_cache_size(self.options.cache_bytes)
            .create_with_backend(disk)
            .map_err(|it| failed(it.into()))?;
        check_format(&database)?;
        Ok(database)
    }

    /// Running into the end of the disk costs a reopening; seeing it come costs one call.
    fn refuse_if_short_of_space(&self, layer: &Layer) -> Result<(), Error> {
        let disk = Disk::new(self.folder.file(FILE)?, self.options.faults.clone());
        let rows: usize =
            layer.read().values().map(|it| it.newest().as_ref().map_or(0, Vec::len)).sum();
        let needed = u64::try_from(rows).unwrap_or(u64::MAX).saturating_add(SPARE_BYTES);
        if disk.free_bytes().map_err(told)? < needed { Err(Error::Full) } else { Ok(()) }
    }
}

/// Room for pages that are copied because a row in them changes.
const SPARE_BYTES: u64 = 256 << 10;

/// Writes the format into an empty file, or refuses one that this program can't read.
fn check_format(database: &Database) -> Result<(), Error> {
    let found = match database.begin_read().map_err(|it| failed(it.into()))?.open_table(META) {
        Ok(meta) => meta.get("format").map_err(|it| failed(it.into()))?.map(|it| it.value()),
        Err(TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(failed(error.into())),
    };
    match found {
        Some(FORMAT) => Ok(()),
        None => write(database, &Layer::default(), Revision(0)),
        Some(format) => Err(corrupt(format!("format {format} is newer than this program"))),
    }
}

fn write(database: &Database, layer: &Layer, revision: Revision) -> Result<(), Error> {
    let transaction = || -> Result<(), redb::Error> {
        let mut txn = database.begin_write()?;
        txn.set_durability(Durability::Immediate)?;
        // Without it, the next start after a crash would read the whole file.
        txn.set_quick_repair(true);
        {
            let mut rows = txn.open_table(ROWS)?;
            for (key, versions) in layer.read().iter() {
                match versions.newest() {
                    Some(row) => drop(rows.insert(key.as_bytes(), row.as_slice())?),
                    None => drop(rows.remove(key.as_bytes())?),
                }
            }
            let mut meta = txn.open_table(META)?;
            meta.insert("format", FORMAT)?;
            meta.insert("revision", revision.0)?;
        }
        txn.commit()?;
        Ok(())
    };
    transaction().map_err(failed)
}

fn view(database: &Database) -> Result<Arc<TreeView>, Error> {
    let open = || -> Result<TreeView, redb::Error> {
        let txn = database.begin_read()?;
        let revision = txn.open_table(META)?.get("revision")?.map_or(0, |it| it.value());
        Ok(TreeView { revision: Revision(revision), rows: txn.open_table(ROWS)? })
    };
    open().map(Arc::new).map_err(failed)
}

impl TreeView {
    pub(super) fn find(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.rows.get(key.as_bytes()) {
            Ok(row) => Ok(row.map(|it| it.value().to_vec())),
            Err(error) => Err(failed_at(key, error)),
        }
    }

    /// All rows of `range`, which must not be empty, ascending; of each value the first `head` bytes.
    pub(super) fn range(
        &self,
        range: &KeyRange,
        head: usize,
    ) -> Result<impl DoubleEndedIterator<Item = Result<(String, Vec<u8>), Error>> + use<>, Error>
    {
        let (from, to) = range.bounds();
        let bounds = (from.map(str::as_bytes), to.map(str::as_bytes));
        let rows = self.rows.range::<&[u8]>(bounds).map_err(|it| failed_at("", it))?;
        Ok(rows.map(move |row| {
            let (key, value) = row.map_err(|it| failed_at("", it))?;
            match String::from_utf8(key.value().to_vec()) {
                Ok(key) => Ok((key, table::head(value.value(), head).to_vec())),
                Err(_) => Err(corrupt("a key is not UTF-8".to_owned())),
            }
        }))
    }
}

fn failed_at(key: &str, error: StorageError) -> Error {
    match error {
        StorageError::Corrupted(reason) if !key.is_empty() => {
            Error::Corrupt { key: key.to_owned(), reason }
        }
        error => failed(error.into()),
    }
}

/// What an error of redb means to a caller of the store.
fn failed(error: redb::Error) -> Error {
    match error {
        redb::Error::Io(error) if is_full(&error) => Error::Full,
        redb::Error::Corrupted(reason) => corrupt(reason),
        redb::Error::UpgradeRequired(version) => {
            corrupt(format!("file format {version} is of another time"))
        }
        error => Error::Unavailable(Box::new(error)),
    }
}

fn corrupt(reason: String) -> Error {
    Error::Corrupt { key: FILE.to_owned(), reason }
}
