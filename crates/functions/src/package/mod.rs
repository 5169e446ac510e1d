//! Deployment packages: zip archives of strangers, taken apart within bounds.
//!
//! [`walk`] hands what is in one to a [`Sink`], which may write it down. Nothing it hands over leads out of the
//! folder that the sink writes to: paths are relative and have no `..`, nothing is written below a link, a link
//! leads only to what is in the folder, and there are no devices.

pub mod kept;

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use zip::ZipArchive;
use zip::read::ZipFile;

/// Bytes of everything in a package. Source: Lambda Developer Guide, "Lambda quotas".
pub const UNPACKED: u64 = 262_144_000;
/// Files, folders and links in a package.
pub const ENTRIES: usize = 65_535;
/// Bytes of a path, or of what a link leads to.
const LONGEST: usize = 1024;
/// Folders in folders.
const DEEPEST: usize = 64;

/// Takes what is in a package. Paths are relative, with `/` between folders; each comes once, and the folders
/// above it come before.
pub trait Sink {
    /// A folder.
    fn folder(&mut self, path: &str) -> io::Result<()>;
    /// A file, which `content` is.
    fn file(&mut self, path: &str, executable: bool, content: &mut dyn Read) -> io::Result<()>;
    /// A symbolic link.
    fn link(&mut self, path: &str, target: &str) -> io::Result<()>;
}

/// Why a package is none.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Nothing is in it.
    #[error("Uploaded file must be a non-empty zip")]
    Empty,
    /// The sink failed.
    #[error("the package can't be unpacked")]
    Io(#[source] io::Error),
    /// No zip archive, or one with something in it that can't be in a package.
    #[error("Could not unzip uploaded file. Please check your file, then try to upload again.")]
    Malformed,
    /// Too many bytes, or too many files.
    #[error("Unzipped size must be smaller than {UNPACKED} bytes")]
    TooLarge,
}

/// Hands everything in `package` to `sink`.
///
/// # Errors
///
/// [`Unfit`]; the sink has got a part then.
pub fn walk(package: &[u8], sink: &mut dyn Sink) -> Result<(), Unfit> {
    let mut archive = ZipArchive::new(Cursor::new(package)).map_err(|_| Unfit::Malformed)?;
    if archive.is_empty() {
        return Err(Unfit::Empty);
    }
    if ENTRIES < archive.len() {
        return Err(Unfit::TooLarge);
    }
    let mut walk = Walk { sink, seen: BTreeMap::new(), left: UNPACKED };
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|_| Unfit::Malformed)?;
        walk.take(entry)?;
    }
    Ok(())
}

/// Whether `package` can be taken apart: all of it is read.
///
/// # Errors
///
/// As [`walk`].
pub fn inspect(package: &[u8]) -> Result<(), Unfit> {
    walk(package, &mut Nowhere)
}

struct Walk<'a> {
    sink: &'a mut dyn Sink,
    seen: BTreeMap<String, What>,
    /// Bytes that may still come.
    left: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    File,
    Folder,
    Link,
}

impl Walk<'_> {
    fn take<R: Read>(&mut self, mut entry: ZipFile<'_, R>) -> Result<(), Unfit> {
        let name = entry.name().map_err(|_| Unfit::Malformed)?;
        let path = path(&name).ok_or(Unfit::Malformed)?;
        drop(name);
        let mode = entry.unix_mode().unwrap_or_default();
        let kind = mode & 0o170_000;
        let what = match kind {
            LINK => What::Link,
            0 | FILE | FOLDER if entry.is_dir() => What::Folder,
            0 | FILE => What::File,
            _ => return Err(Unfit::Malformed),
        };
        self.enter(&path, what)?;
        let mut content = Bounded { from: &mut entry, left: &mut self.left, over: false };
        let done = match what {
            // It was made as soon as it was needed.
            What::Folder => return Ok(()),
            What::File => self.sink.file(&path, mode & 0o111 != 0, &mut content),
            What::Link => {
                let target = link(&mut content, &path)?;
                self.sink.link(&path, &target)
            }
        };
        let (over, broken) = (content.over, done.as_ref().is_err_and(is_of_archive));
        match done {
            _ if over => Err(Unfit::TooLarge),
            Err(_) if broken => Err(Unfit::Malformed),
            done => done.map_err(Unfit::Io),
        }
    }

    /// Notes that `path` is taken, and makes the folders above it.
    fn enter(&mut self, path: &str, what: What) -> Result<(), Unfit> {
        for (end, _) in path.match_indices('/') {
            self.make(path.get(..end).unwrap_or_default())?;
        }
        if what == What::Folder {
            return self.make(path);
        }
        match self.seen.insert(path.to_owned(), what) {
            None => Ok(()),
            Some(_) => Err(Unfit::Malformed),
        }
    }

    fn make(&mut self, path: &str) -> Result<(), Unfit> {
        match self.seen.get(path) {
            Some(What::Folder) => Ok(()),
            Some(_) => Err(Unfit::Malformed),
            None if ENTRIES <= self.seen.len() => Err(Unfit::TooLarge),
            None => {
                self.seen.insert(path.to_owned(), What::Folder);
                self.sink.folder(path).map_err(Unfit::Io)
            }
        }
    }
}

/// The path that an entry's name is; `None` if it could lead elsewhere.
fn path(name: &str) -> Option<String> {
    let name = name.strip_suffix('/').unwrap_or(name);
    let name = name.strip_prefix("./").unwrap_or(name);
    let fits = (1..=LONGEST).contains(&name.len())
        && name.split('/').count() <= DEEPEST
        && name.split('/').all(|it| !matches!(it, "" | "." | "..") && it.len() <= 255)
        && !name.contains(['\0', '\\']);
    fits.then(|| name.to_owned())
}

/// Where a link at `path` leads; only what is in the folder counts. After a name no `..` may come: the name
/// could be another link's.
fn link(content: &mut dyn Read, path: &str) -> Result<String, Unfit> {
    let mut target = String::new();
    let most = u64::try_from(LONGEST).unwrap_or_default() + 1;
    content.take(most).read_to_string(&mut target).map_err(|_| Unfit::Malformed)?;
    let mut up = 0;
    let mut named = false;
    for part in target.split('/') {
        match part {
            ".." if named => return Err(Unfit::Malformed),
            ".." => up += 1,
            "" => return Err(Unfit::Malformed),
            "." => (),
            _ => named = true,
        }
    }
    let fits = target.len() <= LONGEST && up <= path.matches('/').count();
    let fits = fits && !target.contains(['\0', '\\']);
    if fits { Ok(target) } else { Err(Unfit::Malformed) }
}

/// Errors of reading the archive are told as such; those of the sink aren't of these kinds.
fn is_of_archive(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
        || error.kind() == io::ErrorKind::Other && error.raw_os_error().is_none()
}

/// Reads what an entry holds, as long as everything together isn't too much.
struct Bounded<'a, R> {
    from: &'a mut R,
    left: &'a mut u64,
    over: bool,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        let Some(left) = self.left.checked_sub(u64::try_from(count).unwrap_or(u64::MAX)) else {
            self.over = true;
            return Err(io::Error::other("too much"));
        };
        *self.left = left;
        Ok(count)
    }
}

/// Looks at everything and keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn folder(&mut self, _path: &str) -> io::Result<()> {
        Ok(())
    }

    fn file(&mut self, _path: &str, _executable: bool, content: &mut dyn Read) -> io::Result<()> {
        io::copy(content, &mut io::sink()).map(drop)
    }

    fn link(&mut self, _path: &str, _target: &str) -> io::Result<()> {
        Ok(())
    }
}

const LINK: u32 = 0o120_000;
const FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

#[cfg(test)]
mod tests;
