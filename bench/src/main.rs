//! Load through the front door, beside what the machine can do at most.
//!
//! `run` measures throughput and server CPU per request next to a bare hyper server and a serial
//! append-and-fdatasync loop in the same run; `scale` fills a store and measures start, memory, list and
//! get; `static` is the bare server. Server on core 0, client on core 1, rounds interleaved: only ratios
//! of one run mean anything. Started by `cargo xtask bench`.

mod disk;
mod load;
mod machine;
mod report;
mod requests;
mod run;
mod scale;
mod statics;
mod subject;

use clap::Parser;
use std::path::PathBuf;

#[derive(Debug, Parser)]
#[command(name = "strongroom-bench", about = "Load through the front door")]
enum Command {
    /// Throughput and CPU beside the limits of the machine
    Run(run::Run),
    /// Start, memory, list and get with many secrets
    Scale(scale::Scale),
    /// One append and sync after the other
    #[command(hide = true)]
    Serial(disk::Serial),
    /// The bare server that the others are measured beside
    Static(statics::Static),
}

/// What every measurement needs.
#[derive(Clone, Debug, clap::Args)]
struct Common {
    /// The `strongroom` binary, built for release
    #[arg(long, default_value = "target/release-dist/strongroom")]
    server: PathBuf,
    /// Write the result as JSON to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Folder for data; on the disk that is to be measured
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Run(run) => run.run(),
        Command::Scale(scale) => scale.run(),
        Command::Serial(serial) => serial.run(),
        Command::Static(server) => server.run(),
    }
}
