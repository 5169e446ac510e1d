//! What the disk can do at most, one commit after the other.

use crate::machine::Slower;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What a process of its own says of [`serial_commits`] on `disk`, where syncs are slower.
pub(crate) fn serial_commits_on(disk: &Slower, folder: &Path, time: Duration) -> Result<f64> {
    let mut command = disk.pinned(&std::env::current_exe()?);
    command.arg("serial").arg(folder).arg(time.as_millis().to_string());
    let output = command.stderr(Stdio::null()).output().context("can't start")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}

/// `serial`: prints [`serial_commits`].
#[derive(Debug, clap::Args)]
pub(crate) struct Serial {
    /// On the disk that is to be measured
    folder: PathBuf,
    /// For how long
    millis: u64,
}

impl Serial {
    pub(crate) fn run(self) -> Result<()> {
        let rate = serial_commits(&self.folder, Duration::from_millis(self.millis))?;
        Ok(writeln!(std::io::stdout(), "{rate}")?)
    }
}

/// Appends of 512 bytes, each followed by `fdatasync`, per second.
pub(crate) fn serial_commits(folder: &Path, time: Duration) -> Result<f64> {
    let path = folder.join("serial");
    let mut file = File::create(&path)?;
    let block = [0x5a_u8; 512];
    let start = Instant::now();
    let mut commits = 0_u32;
    while start.elapsed() < time {
        file.write_all(&block)?;
        file.sync_data()?;
        commits += 1;
    }
    let rate = f64::from(commits) / start.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}
