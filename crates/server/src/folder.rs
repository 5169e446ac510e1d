//! The data folder: its own user's, and nobody else's.

use crate::config::{Config, Mode};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;

/// Why a data folder is no good.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is none. A server never makes it: the path may be a slip, and the data elsewhere.
    #[error(
        "the data folder `{path}` does not exist\n\
         hint: make it with `mkdir -m 700 {path}`, owned by the server's user",
        path = .0.display()
    )]
    Absent(PathBuf),
    /// It can't be used.
    #[error("can't use the data folder `{}`: {source}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something else has its name.
    #[error("`{}` is no folder", .0.display())]
    NoFolder(PathBuf),
    /// Others may look into it.
    #[error(
        "the data folder `{path}` is open to group or others (mode {mode:04o})\n\
         hint: chmod 700 {path}",
        path = path.display()
    )]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to another user.
    #[error(
        "the data folder `{path}` belongs to user {owner}, and this process runs as user {user}\n\
         hint: chown it to the server's user",
        path = path.display()
    )]
    Owner {
        /// The folder.
        path: PathBuf,
        /// User id of its owner.
        owner: u32,
        /// Effective user id of this process.
        user: u32,
    },
}

/// Makes the data folder of `dev` where it is missing, and checks it.
pub(crate) fn prepare(config: &Config) -> Result<(), FolderError> {
    let path = &config.server.data;
    if config.mode == Mode::Dev && !path.exists() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|source| FolderError::Io { path: path.clone(), source })?;
    }
    check(config)
}

/// Checks the data folder. In `dev` there need not be one yet.
pub(crate) fn check(config: &Config) -> Result<(), FolderError> {
    let path = config.server.data.clone();
    let found = match std::fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match config.mode {
                Mode::Dev => Ok(()),
                Mode::Server => Err(FolderError::Absent(path)),
            };
        }
        Err(source) => return Err(FolderError::Io { path, source }),
        Ok(found) if !found.is_dir() => return Err(FolderError::NoFolder(path)),
        Ok(found) => found,
    };
    let (mode, owner) = (found.mode() & 0o777, found.uid());
    let user = rustix::process::geteuid().as_raw();
    if owner != user {
        return Err(FolderError::Owner { path, owner, user });
    }
    if mode & 0o077 != 0 {
        return Err(FolderError::Open { path, mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn refuses_what_others_can_see() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = "127.0.0.1:0".parse().expect("address");
        let config = |name: &str, mode| {
            let mut config = Config::dev(folder.path().join(name), address);
            config.mode = mode;
            config
        };
        let absent = prepare(&config("absent", Mode::Server));
        assert!(matches!(absent, Err(FolderError::Absent(_))), "{absent:?}");

        prepare(&config("made", Mode::Dev)).expect("made");
        prepare(&config("made", Mode::Server)).expect("there now");
        let made = folder.path().join("made");
        std::fs::set_permissions(&made, Permissions::from_mode(0o750)).expect("changed");
        let open = prepare(&config("made", Mode::Dev)).expect_err("open");
        assert!(matches!(open, FolderError::Open { mode: 0o750, .. }), "{open}");

        std::fs::write(folder.path().join("file"), "").expect("written");
        let file = prepare(&config("file", Mode::Dev));
        assert!(matches!(file, Err(FolderError::NoFolder(_))), "{file:?}");
    }
}
