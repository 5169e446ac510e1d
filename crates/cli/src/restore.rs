//! `strongroom restore`.

use crate::data::DataFolder;
use crate::output;
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use store::backends::embedded::{Embedded, Options};
use store::backup::{self, Contents};

/// Make a new data folder from a backup
///
/// The root key is not in a backup: put it into the new folder before the server starts.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// File written by `strongroom backup`
    file: PathBuf,
}

impl Restore {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        require_empty(data.path())?;
        let contents = verify(&self.file)?;
        let scratch = Scratch::beside(data.path())?;
        fill(&scratch.path, &self.file, contents)?;
        scratch.move_to(data.path())?;
        writeln!(out, "{}", data.shown())?;
        let Contents { rows, revision } = contents;
        output::note(&format!("restored {rows} rows as of revision {}", revision.0));
        output::note(&format!(
            "hint: put the root key that was in use then into `{}`, mode 0600, and start the server; \
             the audit trail begins anew there",
            data.root_key().display()
        ));
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads the backup to its end and tells what it holds.
pub(crate) fn verify(file: &Path) -> Result<Contents> {
    let shown = file.display();
    let bar = spinner("{spinner} {human_pos} rows checked")?;
    let opened = File::open(file).with_context(|| format!("can't open `{shown}`"))?;
    let mut opened = tokio::fs::File::from_std(opened);
    let found = runtime()?.block_on(backup::verify(&mut opened, &mut |it| bar.set_position(it)));
    bar.finish_and_clear();
    found.with_context(|| {
        format!(
            "`{shown}` is no backup to restore from\nhint: try an older one; nothing was changed"
        )
    })
}

/// Makes a store in `folder` of what is in `file`, and returns when it is on disk.
fn fill(folder: &Path, file: &Path, contents: Contents) -> Result<()> {
    let bar = spinner("{bar:40} {human_pos}/{human_len} rows restored")?;
    bar.set_length(contents.rows);
    let store = Embedded::open(folder, Options::default()).context("can't make the store")?;
    let opened = File::open(file).with_context(|| format!("can't open `{}`", file.display()))?;
    let mut opened = tokio::fs::File::from_std(opened);
    let restored = runtime()?.block_on(async {
        let restored = backup::import(&store, &mut opened, &mut |it| bar.set_position(it)).await?;
        store.checkpoint().await?;
        anyhow::Ok(restored)
    });
    store.close();
    bar.finish_and_clear();
    let restored = restored.context("can't restore")?;
    if restored != contents {
        bail!("the backup changed while it was restored");
    }
    Ok(())
}

fn require_empty(folder: &Path) -> Result<()> {
    let shown = folder.display();
    match fs::read_dir(folder).map(|mut it| it.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => bail!("`{shown}` is not empty\nhint: name a new folder with --data"),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("can't look into `{shown}`")),
    }
}

/// A folder beside the one to be made, so that half a restore never has its name.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn beside(target: &Path) -> Result<Self> {
        let name = target.file_name().context("the data folder needs a name")?;
        let mut name = name.to_owned();
        name.push(format!(".{}.restoring", std::process::id()));
        let path = target.with_file_name(name);
        if path.exists() {
            bail!("`{}` is left of another restore\nhint: remove it", path.display());
        }
        Ok(Self { path })
    }

    fn move_to(self, target: &Path) -> Result<()> {
        let parent = target.parent().filter(|it| !it.as_os_str().is_empty());
        // An empty folder is replaced; one that was filled meanwhile is not.
        fs::rename(&self.path, target)
            .and_then(|()| File::open(parent.unwrap_or(Path::new(".")))?.sync_all())
            .with_context(|| format!("can't move the restored store to `{}`", target.display()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // After the move there is nothing to remove.
        let _it_was_moved = fs::remove_dir_all(&self.path);
    }
}

fn spinner(template: &str) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template(template).context("the bar's template")?;
    Ok(ProgressBar::no_length().with_style(style))
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("can't start a runtime")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_empty_folders_are_filled() {
        let folder = tempfile::tempdir().unwrap();
        require_empty(&folder.path().join("none")).unwrap();
        require_empty(folder.path()).unwrap();
        fs::write(folder.path().join("store.redb"), "x").unwrap();
        assert!(require_empty(folder.path()).is_err());
    }

    #[test]
    fn a_scratch_folder_goes_unless_it_is_moved() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("data");
        let scratch = Scratch::beside(&target).unwrap();
        fs::create_dir(&scratch.path).unwrap();
        drop(scratch);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let scratch = Scratch::beside(&target).unwrap();
        fs::create_dir(&scratch.path).unwrap();
        fs::create_dir(&target).unwrap();
        scratch.move_to(&target).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
