//! Where a server's files are, and whose they are.

use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The user that is called nobody everywhere: servers refuse to run as root, so they run as this.
const NOBODY: u32 = 65534;

/// A folder that only the server reads, removed when dropped.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
}

/// Whether this process may become others, and must before it starts a server.
pub fn privileged() -> bool {
    rustix::process::geteuid().is_root()
}

impl Folder {
    /// A new one, empty.
    pub fn new(name: &str) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(&format!("strongroom-{name}-")).tempdir()?;
        give(folder.path())?;
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the file `name`, that only the server reads.
    pub fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.path().join(name);
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        give(&path)?;
        Ok(path)
    }

    /// Copies the folder `from`, to be called `name` here.
    pub fn copy(&self, from: &Path, name: &str) -> io::Result<PathBuf> {
        let to = self.path().join(name);
        copy(from, &to)?;
        if privileged() {
            let owner = format!("{NOBODY}:{NOBODY}");
            done(Command::new("chown").args(["-R", &owner]).arg(&to))?;
        }
        Ok(to)
    }

    /// The program at `path`, to be run as the folder's owner, with nothing of our environment.
    pub fn command(&self, path: &Path) -> Command {
        let mut command = if privileged() {
            let id = NOBODY.to_string();
            let mut command = Command::new("setpriv");
            command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("LC_ALL", "C.UTF-8");
        command.env("HOME", self.path()).env("TZ", "UTC").current_dir(self.path());
        command
    }
}

/// Copies the folder `from` to `to`, which doesn't exist.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    done(Command::new("cp").args(["-R", "--reflink=auto"]).args([from, to]))
}

/// Copies `data` to `kept`, whole or not at all; of two that do so at the same time one is kept.
pub(crate) fn keep(data: &Path, kept: &Path) -> io::Result<()> {
    let beside = kept.parent().unwrap_or(kept);
    fs::create_dir_all(beside)?;
    let aside = tempfile::Builder::new().prefix("new-").tempdir_in(beside)?;
    let whole = aside.path().join("data");
    copy(data, &whole)?;
    fs::rename(whole, kept).or_else(|error| if kept.is_dir() { Ok(()) } else { Err(error) })
}

/// Runs `command`, which must succeed.
pub(crate) fn done(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("`{}`: {told}", command.get_program().display())))
}

fn give(path: &Path) -> io::Result<()> {
    if privileged() { chown(path, Some(NOBODY), Some(NOBODY)) } else { Ok(()) }
}
