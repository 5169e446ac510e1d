//! What the disk can do at most, one commit after the other.

use anyhow::Result;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

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
