//! The root key in a file: 32 bytes that only the server's user can read.
//!
//! While the root key is changed a second file, `root.key.next`, stands beside the first. It is on
//! disk before anything is wrapped by it, and takes the first one's name when everything is. So at
//! any kill the two files hold every key the store can need, and [`start`] finds out which.

use crate::root::recovery;
use crate::{Error, Found, Progress, initialize, inspect, rotate_root, unlock};
use base::{Entropy, Timestamp};
use envelope::{Key, Keyring, LocalRoot, RootKey, Roots, SealError};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawMode, RenameFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Backend;
use zeroize::Zeroizing;

/// Why a root key file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error(
        "root key file `{path}` does not exist\n\
         hint: bring it back from where you keep its copy, or by its shares with `strongroom root-key recovery \
         use`; without it the store can't be read"
    )]
    Absent {
        /// Where it should be.
        path: PathBuf,
    },
    /// It holds zeros only, as a file does whose content never reached the disk.
    #[error("root key file `{path}` holds zeros only\nhint: bring it back from its copy")]
    Blank {
        /// Where it is.
        path: PathBuf,
    },
    /// A file is there already, and a root key is never written over.
    #[error("root key file `{path}` exists already")]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("can't {act} root key file `{path}`: {source}")]
    Io {
        /// Where it is, or should be.
        path: PathBuf,
        /// What was tried, as a verb.
        act: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// It is not 32 bytes long.
    #[error(
        "root key file `{path}` has {length} bytes instead of 32\n\
         hint: bring it back from its copy"
    )]
    Length {
        /// Where it is.
        path: PathBuf,
        /// How long it is.
        length: u64,
    },
    /// Its permissions let others use it.
    #[error(
        "root key file `{path}` is open to group or others (mode {mode:04o})\n\
         hint: chmod 600 `{path}`"
    )]
    Mode {
        /// Where it is.
        path: PathBuf,
        /// Its permission bits.
        mode: RawMode,
    },
    /// It belongs to another user than the one this process runs as.
    #[error(
        "root key file `{path}` belongs to user {owner}, and this process runs as user {user}\n\
         hint: chown it to the server's user"
    )]
    Owner {
        /// Where it is.
        path: PathBuf,
        /// User id of its owner.
        owner: u32,
        /// Effective user id of this process.
        user: u32,
    },
    /// The crypto library failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A folder, device, pipe or symbolic link.
    #[error("root key file `{path}` is no regular file\nhint: symbolic links are not followed")]
    Special {
        /// Where it is.
        path: PathBuf,
    },
}

/// A store that was opened with a root key file.
#[derive(Debug)]
pub struct Opened {
    /// The root keys that open it.
    pub keyring: Keyring,
    /// A change of the root key was interrupted: serve, and call [`rotate`] to finish it.
    pub unfinished: bool,
}

/// Opens the store with the root key at `path`, or makes both when the store is brand new.
///
/// A key is made only for an empty store, and only if no file is there yet.
///
/// # Errors
///
/// - [`Error::RootFile`]: the file is missing or unfit. It is never replaced.
/// - Those of [`inspect`], [`initialize`] and [`unlock`].
pub async fn start(
    backend: &dyn Backend,
    path: &Path,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Opened, Error> {
    let Found::Sealed { root, next } = inspect(backend).await? else {
        let key = match load(path) {
            Err(FileError::Absent { .. }) => create(path, entropy)?,
            found => found?,
        };
        let keyring = Keyring::new(Roots::only(Arc::new(key)));
        initialize(backend, &keyring, entropy, now).await?;
        return Ok(Opened { keyring, unfinished: false });
    };

    let mut pending = find_next(path)?;
    // Everything was wrapped anew, and only the file has not been renamed; after a recovery there was none.
    let done = pending.take_if(|it| it.id() == root.id && next.is_none());
    let current = match done {
        Some(done) => {
            load(path).map(drop).or_else(allow_absent)?;
            promote_next(path)?;
            done
        }
        None => load(path)?,
    };
    let current: Arc<dyn RootKey> = Arc::new(current);
    let unfinished = pending.is_some();
    let keyring = Keyring::new(match pending {
        Some(next) => Roots::both(current, Arc::new(next)),
        None => Roots::only(current),
    });
    unlock(backend, &keyring).await?;
    Ok(Opened { keyring, unfinished })
}

/// Changes the root key to a new one, or finishes an interrupted change.
///
/// When it returns, the file at `path` is the new key, and the old one opens nothing of this store;
/// it still opens backups made before. One call at a time.
///
/// # Errors
///
/// Those of [`rotate_root`], and [`Error::RootFile`].
pub async fn rotate(
    backend: &dyn Backend,
    keyring: &Keyring,
    path: &Path,
    entropy: &dyn Entropy,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), Error> {
    let new = match find_next(path)? {
        Some(interrupted) => interrupted,
        None => create(&next_path(path), entropy)?,
    };
    rotate_root(backend, keyring, Arc::new(new), entropy, progress).await?;
    Ok(promote_next(path)?)
}

/// Opens a store whose root key is lost by its recovery key, and seals it under a new root key at `path`.
///
/// Can be called again after any failure, and goes on where it stopped.
///
/// # Errors
///
/// - [`FileError::Exists`]: there is a root key at `path`. It is not replaced.
/// - Those of [`recovery::reseal`].
pub async fn recover(
    backend: &dyn Backend,
    recovery_key: Key,
    path: &Path,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<usize, Error> {
    match load(path) {
        Err(FileError::Absent { .. }) => (),
        _ => return Err(FileError::Exists { path: path.to_owned() }.into()),
    }
    let new = match find_next(path)? {
        Some(interrupted) => interrupted,
        None => create(&next_path(path), entropy)?,
    };
    let sealed = recovery::reseal(backend, recovery_key, &new, entropy, now).await?;
    promote_next(path)?;
    Ok(sealed)
}

/// Makes a root key at `path`, mode 0600, and returns when it is on disk.
///
/// A kill in between leaves no file under this name, or a whole one.
///
/// # Errors
///
/// - [`FileError::Exists`]: there is one; it is left alone.
pub fn create(path: &Path, entropy: &dyn Entropy) -> Result<LocalRoot, FileError> {
    let key = Key::random(entropy);
    let draft = with_suffix(path, ".draft");
    match rustix::fs::unlink(&draft) {
        Ok(()) | Err(Errno::NOENT) => (),
        Err(error) => return Err(failed(&draft, "remove", error)),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let file = rustix::fs::open(&draft, flags, mode);
    let mut file = File::from(file.map_err(|error| failed(&draft, "create", error))?);
    file.write_all(key.expose())
        .and_then(|()| file.sync_all())
        .map_err(|source| io(&draft, "write", source))?;
    rename_new(&draft, path)?;
    sync_folder(path)?;
    Ok(LocalRoot::new(KIND, key)?)
}

/// The root key at `path`.
///
/// # Errors
///
/// [`FileError`]: all but `Exists`.
pub fn load(path: &Path) -> Result<LocalRoot, FileError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Err(FileError::Absent { path: path.to_owned() }),
        Err(Errno::LOOP) => return Err(FileError::Special { path: path.to_owned() }),
        Err(error) => return Err(failed(path, "open", error)),
    };
    let stat = rustix::fs::fstat(&file).map_err(|error| failed(path, "examine", error))?;
    check(path, &stat, rustix::process::geteuid().as_raw())?;

    let mut bytes = Zeroizing::new([0; Key::LEN]);
    file.read_exact(&mut *bytes).map_err(|source| io(path, "read", source))?;
    if *bytes == [0; Key::LEN] {
        return Err(FileError::Blank { path: path.to_owned() });
    }
    Ok(LocalRoot::new(KIND, Key::fill_with(|it| *it = *bytes))?)
}

/// Where the key waits that takes over from the one at `path`.
pub fn next_path(path: &Path) -> PathBuf {
    with_suffix(path, ".next")
}

fn allow_absent(error: FileError) -> Result<(), FileError> {
    if let FileError::Absent { .. } = error { Ok(()) } else { Err(error) }
}

fn find_next(path: &Path) -> Result<Option<LocalRoot>, FileError> {
    match load(&next_path(path)) {
        Err(FileError::Absent { .. }) => Ok(None),
        found => found.map(Some),
    }
}

fn promote_next(path: &Path) -> Result<(), FileError> {
    rustix::fs::rename(next_path(path), path).map_err(|error| failed(path, "replace", error))?;
    sync_folder(path)
}

/// Whether a file may hold the root key of the user `user`.
fn check(path: &Path, stat: &Stat, user: u32) -> Result<(), FileError> {
    let path = path.to_owned();
    let mode = stat.st_mode & 0o7777;
    match () {
        () if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile => {
            Err(FileError::Special { path })
        }
        () if stat.st_uid != user => Err(FileError::Owner { path, owner: stat.st_uid, user }),
        () if mode & 0o077 != 0 => Err(FileError::Mode { path, mode }),
        () if stat.st_size != 32 => {
            Err(FileError::Length { path, length: stat.st_size.unsigned_abs() })
        }
        () => Ok(()),
    }
}

/// Gives `draft` the name `path`, if nothing has it.
fn rename_new(draft: &Path, path: &Path) -> Result<(), FileError> {
    let renamed = match rustix::fs::renameat_with(CWD, draft, CWD, path, RenameFlags::NOREPLACE) {
        // A file system that can't: a second name, then one fewer.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            rustix::fs::linkat(CWD, draft, CWD, path, AtFlags::empty())
                .and_then(|()| rustix::fs::unlink(draft))
        }
        renamed => renamed,
    };
    renamed.map_err(|error| {
        let _draft_is_of_no_use = rustix::fs::unlink(draft);
        match error {
            Errno::EXIST => FileError::Exists { path: path.to_owned() },
            error => failed(path, "create", error),
        }
    })
}

fn sync_folder(path: &Path) -> Result<(), FileError> {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = File::open(parent.unwrap_or(Path::new(".")));
    folder.and_then(|it| it.sync_all()).map_err(|source| io(path, "keep", source))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn failed(path: &Path, act: &'static str, error: Errno) -> FileError {
    io(path, act, error.into())
}

fn io(path: &Path, act: &'static str, source: std::io::Error) -> FileError {
    FileError::Io { path: path.to_owned(), act, source }
}

const KIND: &str = "file";

#[cfg(test)]
mod tests {
    use super::*;
    use base::SystemEntropy;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("made");
        let path = folder.path().join("root.key");
        (folder, path)
    }

    #[test]
    fn made_once_for_one_user_and_found_again() {
        let (folder, path) = folder();
        assert!(matches!(load(&path), Err(FileError::Absent { .. })));
        std::fs::write(with_suffix(&path, ".draft"), "left by a kill").expect("written");

        let made = create(&path, &SystemEntropy).expect("made");
        assert_eq!(load(&path).expect("found").id(), made.id());
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o7777, 0o600);
        let names: Vec<_> = std::fs::read_dir(folder.path()).expect("read").collect();
        assert_eq!(names.len(), 1, "{names:?}");

        let again = create(&path, &SystemEntropy);
        assert!(matches!(again, Err(FileError::Exists { .. })), "{again:?}");
        assert_eq!(load(&path).expect("unchanged").id(), made.id());
    }

    #[test]
    fn unfit_files_are_refused_in_a_sentence() {
        let (_folder, path) = folder();
        let put = |bytes: &[u8], mode| {
            std::fs::write(&path, bytes).expect("written");
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, mode).expect("set");
            load(&path).map(|it| it.id().to_owned()).map_err(|it| it.to_string())
        };
        #[rustfmt::skip]
        let cases = [
            // content        mode   fact
            (&[7; 32][..],    0o640, Some("is open to group or others (mode 0640)")),
            (&[7; 32],        0o604, Some("is open to group or others (mode 0604)")),
            (&[7; 31],        0o600, Some("has 31 bytes instead of 32")),
            (&[7; 33],        0o600, Some("has 33 bytes instead of 32")),
            (&[],             0o600, Some("has 0 bytes instead of 32")),
            (&[0; 32],        0o600, Some("holds zeros only")),
            (&[7; 32],        0o600, None),
            (&[7; 32],        0o400, None),
        ];
        for (content, mode, fact) in cases {
            let found = put(content, mode);
            match (found, fact) {
                (Err(message), Some(fact)) => {
                    assert!(message.contains(fact), "{message}");
                    assert!(message.contains("\nhint: "), "{message}");
                }
                (found, fact) => assert_eq!(found.is_ok(), fact.is_none(), "{found:?} {fact:?}"),
            }
        }
    }

    #[test]
    fn links_folders_and_pipes_are_not_followed() {
        let (folder, path) = folder();
        create(&path, &SystemEntropy).expect("made");
        let link = folder.path().join("link");
        symlink(&path, &link).expect("made");
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).expect("made");
        for special in [&link, &pipe, &folder.path().to_owned()] {
            let refused = load(special);
            assert!(matches!(refused, Err(FileError::Special { .. })), "{refused:?}");
        }
    }

    #[test]
    fn only_the_own_users_file_counts() {
        let (_folder, path) = folder();
        create(&path, &SystemEntropy).expect("made");
        let stat = rustix::fs::stat(&path).expect("there");
        assert!(check(&path, &stat, stat.st_uid).is_ok());
        let refused = check(&path, &stat, stat.st_uid + 1);
        assert!(matches!(refused, Err(FileError::Owner { .. })), "{refused:?}");
    }
}
