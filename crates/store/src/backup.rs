//! A store as one file: all rows of one snapshot.
//!
//! [`export`] writes it, [`verify`] reads it to the end and believes nothing, [`import`] fills an
//! empty store with it. Rows are copied as they are: what was sealed stays sealed, and the file is no
//! more public than the store.
//!
//! All numbers are big-endian.
//!
//! | bytes | |
//! |---|---|
//! | 8 | `srbackup` |
//! | 4 | format: 1 |
//! | 8 | revision of the snapshot |
//! | per row: 1, 4, …, 4, … | `1`, length of the key, the key, length of the row, the row; keys ascend |
//! | 1, 8 | `0`, number of rows |
//! | 32 | SHA-256 of everything before |
//!
//! The digest finds damage, not an attacker who can write the file: who may read a backup but not
//! change it unseen needs a signature or a safe place beside it.

use crate::{Backend, Commit, Error, KeyRange, Revision, Rows, Snapshot};
use aws_lc_rs::digest::{Context, SHA256};
use std::io::{self, SeekFrom};
use std::ops::Bound;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite, AsyncWriteExt, BufReader,
    BufWriter,
};

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The revision of the snapshot it was made from.
    pub revision: Revision,
    /// How many rows there are.
    pub rows: u64,
}

/// Why a backup could not be made, checked or restored.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The file is not what was written: cut, changed, or never a backup.
    #[error("the backup is damaged: {0}")]
    Damaged(&'static str),
    /// The file can't be read or written.
    #[error("the backup can't be read or written: {0}")]
    File(#[source] io::Error),
    /// A newer program wrote it.
    #[error("the backup has format {0}, which is newer than this program")]
    Format(u32),
    /// The store holds rows already.
    #[error("the store to restore into is not empty")]
    NotEmpty,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

const MAGIC: &[u8; 8] = b"srbackup";
const FORMAT: u32 = 1;

/// Longer keys and rows are refused: no honest backup has them.
const LONGEST_KEY: usize = 64 << 10;
const LONGEST_ROW: usize = 32 << 20;

/// What is read, or committed, at once.
const PAGE_ROWS: usize = 256;
const BATCH_BYTES: usize = 4 << 20;

/// Writes all rows of `snapshot` to `file`, and flushes it; making it durable is left to the caller.
///
/// `progress` hears the number of rows written so far, now and then.
pub async fn export(
    snapshot: &dyn Snapshot,
    file: &mut (dyn AsyncWrite + Send + Unpin),
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Contents, Failure> {
    let mut writer = Writer { file: BufWriter::new(file), digest: Context::new(&SHA256) };
    let revision = snapshot.revision();
    writer.put(MAGIC).await?;
    writer.put(&FORMAT.to_be_bytes()).await?;
    writer.put(&revision.0.to_be_bytes()).await?;

    let mut rows = 0;
    let mut rest = KeyRange::prefix("");
    loop {
        let page = snapshot.scan(&rest, PAGE_ROWS, false).await?;
        let Some((last, _)) = page.last() else { break };
        rest.from = Bound::Excluded(last.clone());
        for (key, row) in &page {
            writer.put(&[1]).await?;
            writer.put_long(key.as_bytes()).await?;
            writer.put_long(row).await?;
        }
        rows += page.len() as u64;
        progress(rows);
    }
    writer.put(&[0]).await?;
    writer.put(&u64::to_be_bytes(rows)).await?;
    writer.finish().await?;
    Ok(Contents { revision, rows })
}

/// Reads a backup to its end; what it holds, if it is whole.
///
/// `progress` hears the number of rows read so far, now and then.
pub async fn verify(
    file: &mut (dyn AsyncRead + Send + Unpin),
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Contents, Failure> {
    let mut reader = Reader::open(file).await?;
    while !reader.batch().await?.is_empty() {
        progress(reader.rows);
    }
    Ok(reader.contents())
}

/// Fills the empty store `backend` with a backup, after reading the whole file once to be sure of it.
///
/// If it fails or is killed half-way, the store holds some of the rows: restore into a scratch folder
/// and move it into place afterwards.
///
/// # Errors
///
/// Nothing has been written in case of [`Failure::NotEmpty`], nor of [`Failure::Damaged`], unless the
/// file changes while it is read.
pub async fn import<F: AsyncRead + AsyncSeek + Send + Unpin>(
    backend: &dyn Backend,
    file: &mut F,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Contents, Failure> {
    let start = file.stream_position().await.map_err(Failure::File)?;
    let whole = verify(file, &mut |_| ()).await?;
    file.seek(SeekFrom::Start(start)).await.map_err(Failure::File)?;

    let everything = KeyRange::prefix("");
    let snapshot = backend.snapshot().await?;
    if !snapshot.scan(&everything, 1, false).await?.is_empty() {
        return Err(Failure::NotEmpty);
    }
    let mut reader = Reader::open(file).await?;
    loop {
        let rows = reader.batch().await?;
        if rows.is_empty() {
            break;
        }
        // The first batch relies on the store being empty, the others on nothing.
        let is_first = reader.rows == rows.len() as u64;
        let ranges = if is_first { vec![everything.clone()] } else { Vec::new() };
        let seen = snapshot.revision();
        let writes = rows.into_iter().map(|(key, row)| (key, Some(row))).collect();
        backend.commit(Commit { seen, reads: Vec::new(), ranges, writes }).await?;
        progress(reader.rows);
    }
    if reader.contents() == whole {
        Ok(whole)
    } else {
        Err(Failure::Damaged("it changed while it was read"))
    }
}

struct Writer<'a> {
    file: BufWriter<&'a mut (dyn AsyncWrite + Send + Unpin)>,
    digest: Context,
}

impl Writer<'_> {
    async fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.digest.update(bytes);
        self.file.write_all(bytes).await.map_err(Failure::File)
    }

    async fn put_long(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let too_long = |_| Failure::File(io::Error::other("a row is too long for a backup"));
        let length = u32::try_from(bytes.len()).map_err(too_long)?;
        self.put(&length.to_be_bytes()).await?;
        self.put(bytes).await
    }

    async fn finish(mut self) -> Result<(), Failure> {
        let digest = self.digest.finish();
        self.file.write_all(digest.as_ref()).await.map_err(Failure::File)?;
        self.file.flush().await.map_err(Failure::File)
    }
}

struct Reader<F> {
    file: BufReader<F>,
    digest: Context,
    revision: Revision,
    rows: u64,
    /// The last key read.
    last: Option<String>,
    at_end: bool,
}

impl<F: AsyncRead + Send + Unpin> Reader<F> {
    async fn open(file: F) -> Result<Self, Failure> {
        let mut reader = Self {
            file: BufReader::with_capacity(64 << 10, file),
            digest: Context::new(&SHA256),
            revision: Revision(0),
            rows: 0,
            last: None,
            at_end: false,
        };
        if reader.array().await? != *MAGIC {
            return Err(Failure::Damaged("it does not begin like a backup"));
        }
        let format = u32::from_be_bytes(reader.array().await?);
        if format != FORMAT {
            return Err(Failure::Format(format));
        }
        reader.revision = Revision(u64::from_be_bytes(reader.array().await?));
        Ok(reader)
    }

    fn contents(&self) -> Contents {
        Contents { revision: self.revision, rows: self.rows }
    }

    /// The next rows; none when the end was reached and found right.
    async fn batch(&mut self) -> Result<Rows, Failure> {
        let mut rows = Rows::new();
        let mut bytes = 0;
        while !self.at_end && bytes < BATCH_BYTES {
            let Some((key, row)) = self.row().await? else {
                self.at_end = true;
                break;
            };
            bytes += key.len() + row.len();
            rows.push((key, row));
        }
        Ok(rows)
    }

    async fn row(&mut self) -> Result<Option<(String, Vec<u8>)>, Failure> {
        match self.array().await? {
            [0] => self.end().await.map(|()| None),
            [1] => {
                let key = self.long(LONGEST_KEY).await?;
                let key =
                    String::from_utf8(key).map_err(|_| Failure::Damaged("a key is not UTF-8"))?;
                if self.last.as_ref().is_some_and(|last| *last >= key) {
                    return Err(Failure::Damaged("its keys are out of order"));
                }
                let row = self.long(LONGEST_ROW).await?;
                self.rows += 1;
                self.last = Some(key.clone());
                Ok(Some((key, row)))
            }
            _ => Err(Failure::Damaged("something is neither a row nor the end")),
        }
    }

    async fn end(&mut self) -> Result<(), Failure> {
        if u64::from_be_bytes(self.array().await?) != self.rows {
            return Err(Failure::Damaged("rows are missing"));
        }
        let found = self.digest.clone().finish();
        if self.array::<32>().await?.as_slice() != found.as_ref() {
            return Err(Failure::Damaged("its digest is another"));
        }
        match self.file.read(&mut [0]).await {
            Ok(0) => Ok(()),
            Ok(_) => Err(Failure::Damaged("something follows its end")),
            Err(error) => Err(Failure::File(error)),
        }
    }

    async fn array<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes).await.map_err(cut)?;
        self.digest.update(&bytes);
        Ok(bytes)
    }

    async fn long(&mut self, longest: usize) -> Result<Vec<u8>, Failure> {
        let length = u32::from_be_bytes(self.array().await?);
        if usize::try_from(length).is_ok_and(|it| it > longest) {
            return Err(Failure::Damaged("a length is beyond all bounds"));
        }
        // Grows with what is there: a length alone takes no memory.
        let mut bytes = Vec::new();
        let mut part = (&mut self.file).take(u64::from(length));
        part.read_to_end(&mut bytes).await.map_err(Failure::File)?;
        if bytes.len() as u64 != u64::from(length) {
            return Err(Failure::Damaged("it is cut off"));
        }
        self.digest.update(&bytes);
        Ok(bytes)
    }
}

fn cut(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        Failure::Damaged("it is cut off")
    } else {
        Failure::File(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::embedded::{Embedded, Options};
    use crate::backends::memory::{Fault, Memory};
    use proptest::prelude::*;
    use std::io::Cursor;
    use std::sync::Arc;

    async fn put(store: &dyn Backend, rows: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let writes = rows.into_iter().map(|(key, row)| (key, Some(row))).collect();
        let commit = Commit { seen: Revision(u64::MAX), writes, ..Commit::default() };
        store.commit(commit).await.expect("committed");
    }

    async fn rows(store: &dyn Backend) -> Rows {
        let snapshot = store.snapshot().await.expect("readable");
        snapshot.scan(&KeyRange::prefix(""), usize::MAX, false).await.expect("readable")
    }

    async fn exported(store: &dyn Backend) -> Vec<u8> {
        let mut file = Vec::new();
        let snapshot = store.snapshot().await.expect("readable");
        export(&*snapshot, &mut file, &mut |_| ()).await.expect("exported");
        file
    }

    async fn some_rows() -> Memory {
        let store = Memory::new();
        let row = |at: u8| (format!("k/{at:03}"), vec![at; usize::from(at) % 7]);
        put(&store, (0..40).map(row)).await;
        store
    }

    async fn check(file: &[u8]) -> Result<Contents, Failure> {
        verify(&mut &file[..], &mut |_| ()).await
    }

    #[tokio::test]
    async fn comes_back_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |name| Embedded::open(&folder.path().join(name), Options::default());
        let store = Arc::new(open("from").expect("opens"));
        let row = |at: usize| (format!("k/{at:05}"), vec![at.to_le_bytes()[0]; at % 3000]);
        for batch in 0..10 {
            put(&*store, (batch * 100..batch * 100 + 100).map(row)).await;
        }
        let snapshot = store.snapshot().await.expect("readable");
        let then = rows(&*store).await;

        // Somebody goes on writing, before and while the snapshot is exported.
        put(&*store, [("k/00003".to_owned(), b"later".to_vec())]).await;
        let (writing, until) = (Arc::clone(&store), store.snapshot().await.expect("readable"));
        let writer = tokio::spawn(async move {
            for at in 0..50 {
                put(&*writing, [(format!("later/{at}"), vec![1; 1000])]).await;
                writing.checkpoint().await.expect("moved");
            }
        });
        let mut file = Vec::new();
        let mut heard = Vec::new();
        let made = export(&*snapshot, &mut file, &mut |rows| heard.push(rows)).await;
        let made = made.expect("exported");
        writer.await.expect("the writer");
        assert_eq!(made, Contents { revision: snapshot.revision(), rows: 1000 });
        assert!(made.revision < until.revision());
        assert_eq!(heard, [256, 512, 768, 1000]);
        assert_eq!(check(&file).await.expect("whole"), made);

        let target = open("to").expect("opens");
        let mut heard = Vec::new();
        let mut file = Cursor::new(file);
        let restored = import(&target, &mut file, &mut |rows| heard.push(rows)).await;
        assert_eq!(restored.expect("restored"), made);
        assert_eq!(heard.last(), Some(&1000));
        assert_eq!(rows(&target).await, then);
    }

    #[tokio::test]
    async fn an_empty_store_comes_back_empty() {
        let file = exported(&Memory::new()).await;
        assert_eq!(check(&file).await.expect("whole").rows, 0);
        let target = Memory::new();
        import(&target, &mut Cursor::new(file), &mut |_| ()).await.expect("restored");
        assert_eq!(rows(&target).await, []);
    }

    #[tokio::test]
    async fn a_store_with_rows_is_not_overwritten() {
        let file = exported(&some_rows().await).await;
        let target = Memory::new();
        put(&target, [("old".to_owned(), b"1".to_vec())]).await;
        let refused = import(&target, &mut Cursor::new(&file), &mut |_| ()).await;
        assert!(matches!(refused, Err(Failure::NotEmpty)), "{refused:?}");
        assert_eq!(rows(&target).await.len(), 1);
        let target = Memory::new();
        target.fault(Fault::Full, 1);
        let refused = import(&target, &mut Cursor::new(&file), &mut |_| ()).await;
        assert!(matches!(refused, Err(Failure::Store(Error::Full))), "{refused:?}");
    }

    #[tokio::test]
    async fn cut_anywhere_it_is_refused_and_nothing_is_written() {
        let file = exported(&some_rows().await).await;
        for length in 0..file.len() {
            let cut = &file[..length];
            assert!(check(cut).await.is_err(), "cut at {length}");
            let target = Memory::new();
            let refused = import(&target, &mut Cursor::new(cut), &mut |_| ()).await;
            assert!(matches!(refused, Err(Failure::Damaged(_))), "cut at {length}: {refused:?}");
            assert_eq!(target.commits(), 0);
        }
        let mut longer = file.clone();
        longer.push(0);
        assert!(matches!(check(&longer).await, Err(Failure::Damaged(_))));
    }

    #[tokio::test]
    async fn other_formats_are_named() {
        let mut file = exported(&Memory::new()).await;
        file[11] = 2;
        assert!(matches!(check(&file).await, Err(Failure::Format(2))));
        assert!(matches!(check(b"something else altogether").await, Err(Failure::Damaged(_))));
    }

    proptest! {
        #[test]
        fn no_flipped_bit_passes(at in any::<prop::sample::Index>(), bit in 0..8) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let mut file = exported(&some_rows().await).await;
                let at = at.index(file.len());
                file[at] ^= 1u8 << bit;
                let target = Memory::new();
                let refused = import(&target, &mut Cursor::new(file), &mut |_| ()).await;
                assert!(refused.is_err(), "byte {at}");
                assert_eq!(target.commits(), 0);
            });
        }

        /// No bytes make it panic, or take memory that is not there.
        #[test]
        fn garbage_is_refused(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let mut file = b"srbackup\0\0\0\x01".to_vec();
            file.extend(tail);
            prop_assert!(runtime.block_on(check(&file)).is_err());
        }
    }
}
