//! `strongroom import`.
//!
//! [`source`] reads the lines on a thread of its own, [`work`] brings each to the server over one of
//! a few connections ([`caller`], [`endpoint`]), [`report`] says what came of it. [`entry`] is a line
//! that was understood, [`token`] what makes it safe to send it twice.

mod assignment;
pub(crate) mod caller;
pub(crate) mod endpoint;
mod entry;
mod report;
mod source;
mod token;
mod work;

use crate::output::{self, FOUND};
use anyhow::{Context, Result};
use caller::{Caller, Connection, Keys, PATIENCE, Refusal};
use endpoint::Endpoint;
use entry::Entry;
use indicatif::ProgressBar;
use report::Report;
use source::{Bad, Format, Item};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinSet;
use work::{Done, EXISTS, Existing};

/// Make secrets of a file, through the API of any endpoint
///
/// Reads JSON Lines, `{"Name":"a","SecretString":"b"}`, or one JSON array of such objects; members are
/// Name, SecretString or SecretBinary (base64), Description, KmsKeyId and Tags. Signs with
/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN for AWS_REGION.
///
/// It may be run again after any interruption: a secret that an earlier run has made of the same
/// line counts as created. Exits with 0 if nothing failed and 1 otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// File to read; `-` is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Put before every name, such as `app/`
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    prefix: String,
    /// The server, `https://HOST:PORT`
    #[arg(
        long,
        value_name = "URL",
        env = "AWS_ENDPOINT_URL",
        hide_env_values = true,
        required_unless_present = "dry_run"
    )]
    endpoint: Option<String>,
    /// Certificate authorities to trust instead of the system's [env: AWS_CA_BUNDLE]
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,
    /// Requests at the same time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// What to do with a secret that exists with other content
    #[arg(long, value_enum, default_value_t = Existing::Fail)]
    existing: Existing,
    /// Read and check everything, send nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object: counts, and each failure with its line
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<ExitCode> {
        let caller = if self.dry_run { None } else { Some(Arc::new(self.caller()?)) };
        let input = Input::open(&self.file)?;
        let bar = report::bar(input.length)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("can't start a runtime")?;
        let mut report = runtime.block_on(async {
            if let Some(caller) = &caller {
                reach(&caller.endpoint).await?;
            }
            let items = self.read(input)?;
            Ok::<_, anyhow::Error>(match caller {
                Some(caller) => self.import(&caller, items, &bar).await,
                None => check(items, &bar).await,
            })
        })?;
        bar.finish_and_clear();
        report.tell(out, self.json)?;
        Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
    }

    fn caller(&self) -> Result<Caller> {
        let url =
            self.endpoint.as_deref().context("no endpoint\nhint: name one with --endpoint")?;
        let authorities = self.ca_file.clone().or_else(|| Some(variable("AWS_CA_BUNDLE")?.into()));
        let endpoint = Endpoint::new(url, authorities.as_deref())?;
        if endpoint.is_open_to_all() {
            output::note(&format!("warning: values go to `{url}` as plain text"));
        }
        let keys = Keys {
            access_key_id: needed("AWS_ACCESS_KEY_ID")?,
            secret: needed("AWS_SECRET_ACCESS_KEY")?.into(),
            session_token: variable("AWS_SESSION_TOKEN"),
            region: variable("AWS_REGION").map_or_else(|| needed("AWS_DEFAULT_REGION"), Ok)?,
        };
        Ok(Caller { endpoint, keys, patience: PATIENCE })
    }

    /// Reads on a thread of its own, at most some items ahead of those who take them.
    fn read(&self, input: Input) -> Result<Receiver<Item>> {
        let (send, items) = mpsc::channel(usize::from(self.concurrency));
        let (format, prefix) = (self.format, self.prefix.clone());
        // Nobody waits for it: it ends with the input, or with the process if that never ends.
        std::thread::Builder::new()
            .spawn(move || {
                source::read(BufReader::new(input.bytes), format, &prefix, &mut |item| match send
                    .blocking_send(item)
                {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                });
            })
            .context("can't start a thread")?;
        Ok(items)
    }

    /// Sends what is read, each connection one secret at a time.
    async fn import(
        &self,
        caller: &Arc<Caller>,
        mut items: Receiver<Item>,
        bar: &ProgressBar,
    ) -> Report {
        let mut report = Report::default();
        let (mut running, mut idle) = (JoinSet::new(), Vec::<Connection>::new());
        let (most, existing) = (usize::from(self.concurrency), self.existing);
        loop {
            let reads = report.stopped.is_none() && running.len() < most;
            tokio::select! {
                Some(Item { line, read, entry }) = items.recv(), if reads => match entry {
                    Ok(entry) => {
                        let (connection, caller) = (idle.pop().unwrap_or_default(), Arc::clone(caller));
                        running.spawn(one(connection, caller, entry, (line, read, existing)));
                    }
                    Err(bad) => report.fail(line, bad),
                },
                Some(ended) = running.join_next() => match ended {
                    Ok((connection, outcome)) => {
                        idle.push(connection);
                        outcome.enter(&mut report, bar);
                    }
                    Err(error) => report.stop(format!("a task has failed: {error}")),
                },
                else => return report,
            }
        }
    }
}

/// What came of one secret.
struct Outcome {
    line: u64,
    read: u64,
    name: String,
    done: Result<Done, Refusal>,
}

async fn one(
    mut connection: Connection,
    caller: Arc<Caller>,
    entry: Entry,
    (line, read, existing): (u64, u64, Existing),
) -> (Connection, Outcome) {
    let done = work::bring(&mut connection, &caller, &entry, existing).await;
    (connection, Outcome { line, read, name: entry.name, done })
}

impl Outcome {
    fn enter(self, report: &mut Report, bar: &ProgressBar) {
        match self.done {
            Ok(done) => report.count(done),
            Err(refusal) => {
                if refusal.is_final() {
                    report.stop(refusal.to_string());
                }
                let hint = if refusal.has_code(EXISTS) { TAKEN } else { "" };
                let fact = format!("{refusal}{hint}");
                report.fail(self.line, Bad { name: Some(self.name), fact });
            }
        }
        show(report, self.read, bar);
    }
}

/// Counts what could be sent.
async fn check(mut items: Receiver<Item>, bar: &ProgressBar) -> Report {
    let mut report = Report { valid: Some(0), ..Report::default() };
    while let Some(Item { line, read, entry }) = items.recv().await {
        match entry {
            Ok(_) => report.valid = report.valid.map(|it| it + 1),
            Err(bad) => report.fail(line, bad),
        }
        show(&report, read, bar);
        if report.stopped.is_some() {
            break;
        }
    }
    report
}

fn show(report: &Report, read: u64, bar: &ProgressBar) {
    let Report { created, updated, skipped, valid, failed, .. } = report;
    let done = created + updated + skipped + valid.unwrap_or_default();
    // Answers come in any order.
    bar.set_position(read.max(bar.position()));
    bar.set_message(format!("{done} done, {} failed", failed.len()));
}

/// Connects once, so that a wrong address or authority is told at once and not tried patiently.
async fn reach(endpoint: &Endpoint) -> Result<()> {
    let reached = tokio::time::timeout(caller::ATTEMPT, endpoint.connect()).await;
    let reached = reached.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    reached.map(drop).with_context(|| format!("can't reach `{}`", endpoint.authority))
}

/// What is read.
struct Input {
    bytes: Box<dyn Read + Send>,
    /// Bytes, where that is known beforehand.
    length: Option<u64>,
}

impl Input {
    fn open(file: &Path) -> Result<Self> {
        if file == Path::new("-") {
            return Ok(Self { bytes: Box::new(io::stdin()), length: None });
        }
        let shown = file.display();
        let opened = File::open(file).with_context(|| format!("can't open `{shown}`"))?;
        let found = opened.metadata().with_context(|| format!("can't look at `{shown}`"))?;
        let length = found.is_file().then_some(found.len());
        Ok(Self { bytes: Box::new(opened), length })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

fn needed(name: &str) -> Result<String> {
    variable(name).with_context(|| {
        format!("{name} isn't set\nhint: for a development server, `eval \"$(strongroom env)\"`")
    })
}

const TAKEN: &str = " (--existing tells what to do then)";
