//! What the machine says about processes.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The server's core.
pub(crate) const SERVER_CORE: &str = "0";
const CLIENT_CORE: usize = 1;

/// A disk that takes longer for each sync than the one that is there, by a library that is loaded into the
/// process: `bench/slower.c`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slower {
    longer: Duration,
    library: PathBuf,
}

impl Slower {
    /// Syncs take `longer`; the library is built in `folder`.
    pub(crate) fn build(longer: Duration, folder: &Path) -> Result<Self> {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/slower.c");
        let library = folder.join("slower.so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).args([source, "-ldl"]);
        if !cc.status().context("is a C compiler installed?")?.success() {
            bail!("can't compile {source}");
        }
        Ok(Self { longer, library })
    }

    /// `program` on this disk, on the server's core only.
    pub(crate) fn pinned(&self, program: &Path) -> Command {
        let mut command = Command::new("taskset");
        command.arg("-c").arg(SERVER_CORE).arg(program);
        if !self.longer.is_zero() {
            command.env("LD_PRELOAD", &self.library);
            command.env("STRONGROOM_BENCH_SLOWER", self.longer.as_micros().to_string());
        }
        command
    }
}

/// Keeps this process off the server's core.
pub(crate) fn pin_client() -> Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(CLIENT_CORE);
    rustix::thread::sched_setaffinity(None, &cores).context("can't pin the client")
}

/// CPU time that process `pid` has used, user and system together; exact to 10 ms.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("no such process")?;
    // The name in parentheses may hold spaces: fields count from behind it.
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| -> u64 {
        fields.get(index).and_then(|it| it.parse().ok()).unwrap_or_default()
    };
    Ok(Duration::from_millis((ticks(11) + ticks(12)) * 10))
}

/// Resident memory of process `pid`, in bytes: all of it, and the part no file stands behind.
pub(crate) fn memory(pid: u32) -> Result<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| -> u64 {
        let line = status.lines().find(|it| it.starts_with(name));
        line.and_then(|it| it.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
    };
    Ok((kib("VmRSS:") * 1024, kib("RssAnon:") * 1024))
}

/// The load average of the last minute.
pub(crate) fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|it| it.parse().ok()).unwrap_or_default()
}
