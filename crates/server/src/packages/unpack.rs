//! What is in a package, written into a folder that can be read only.

use functions::package::{Sink, Unfit, walk};
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Makes the folder `into` and unpacks `package` there: files and folders that nobody may write. What can't be
/// unpacked leaves a part of the folder.
///
/// # Errors
///
/// Those of [`walk`], and that the folder exists.
pub(crate) fn unpack(package: &[u8], into: &Path) -> Result<(), Unfit> {
    DirBuilder::new().mode(0o700).create(into).map_err(Unfit::Io)?;
    let mut folder = Folder { root: into.to_owned(), made: vec![into.to_owned()] };
    walk(package, &mut folder)?;
    // What is below comes first.
    let mut made = folder.made.iter().rev();
    made.try_for_each(|it| std::fs::set_permissions(it, Permissions::from_mode(0o555)))
        .map_err(Unfit::Io)
}

/// Removes a folder of unpacked files, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(_) => (),
    }
    // Nothing can be taken out of a folder that can't be written.
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    std::fs::remove_dir_all(path)
}

struct Folder {
    root: PathBuf,
    /// Every folder, those above first.
    made: Vec<PathBuf>,
}

impl Sink for Folder {
    fn folder(&mut self, path: &str) -> io::Result<()> {
        let path = self.root.join(path);
        DirBuilder::new().mode(0o700).create(&path)?;
        self.made.push(path);
        Ok(())
    }

    fn file(&mut self, path: &str, executable: bool, content: &mut dyn Read) -> io::Result<()> {
        let mode = if executable { 0o555 } else { 0o444 };
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(mode).open(self.root.join(path))?;
        io::copy(content, &mut file)?;
        // The process's umask may have taken some of it.
        file.set_permissions(Permissions::from_mode(mode))
    }

    fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        symlink(target, self.root.join(path))
    }
}
