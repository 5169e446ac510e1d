//! `strongroom backup`.

use crate::admin::Admin;
use crate::data::DataFolder;
use crate::{output, restore};
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use store::backup::Contents;

/// Write a consistent copy of everything a running server holds
///
/// Values stay sealed in it: it is of use only together with the root key, which it does not hold.
#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// File to write; it appears when it is whole
    file: PathBuf,
    /// Replace the file if there is one
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let shown = self.file.display();
        if self.file.exists() && !self.force {
            bail!("`{shown}` exists\nhint: choose another name, or replace it with --force");
        }
        let admin = Admin::new(data)?;
        admin.is_ready()?;
        let mut draft = Draft::create(&self.file)?;
        let style = ProgressStyle::with_template("{spinner} {bytes} written, {bytes_per_sec}");
        let bar = ProgressBar::no_length().with_style(style.context("the bar's template")?);
        admin.stream("/v1/backup", |part| {
            bar.inc(part.len() as u64);
            draft.write(part)
        })?;
        bar.finish_and_clear();
        // What arrived is what was sent: it carries its own length and checksum.
        let Contents { rows, revision } = restore::verify(&draft.path)?;
        draft.finish()?;
        writeln!(out, "{shown}")?;
        let revision = revision.0;
        output::note(&format!("{rows} rows as of revision {revision}; the root key is not in it"));
        Ok(ExitCode::SUCCESS)
    }
}

/// A file that gets its name when it is whole and on disk, and is removed otherwise.
struct Draft {
    file: Option<File>,
    path: PathBuf,
    target: PathBuf,
}

impl Draft {
    fn create(target: &Path) -> Result<Self> {
        let mut name = target.file_name().context("a file needs a name")?.to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let path = target.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("can't make `{}`", path.display()))?;
        Ok(Self { file: Some(file), path, target: target.to_owned() })
    }

    fn write(&mut self, part: &[u8]) -> Result<()> {
        let shown = self.target.display();
        let file = self.file.as_mut().context("the file is closed")?;
        file.write_all(part).with_context(|| format!("can't write `{shown}`"))
    }

    fn finish(mut self) -> Result<()> {
        let shown = self.target.display().to_string();
        let file = self.file.take().context("the file is closed")?;
        let folder = self.target.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        file.sync_all()
            .and_then(|()| fs::rename(&self.path, &self.target))
            .and_then(|()| File::open(folder)?.sync_all())
            .with_context(|| format!("can't finish `{shown}`"))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing to remove.
        let _it_was_renamed = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_draft_appears_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("backup");
        let mut draft = Draft::create(&target).unwrap();
        draft.write(b"half").unwrap();
        assert!(!target.exists());
        draft.write(b"whole").unwrap();
        draft.finish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"halfwhole");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn an_abandoned_draft_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut draft = Draft::create(&folder.path().join("backup")).unwrap();
        draft.write(b"half").unwrap();
        drop(draft);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
