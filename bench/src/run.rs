//! Throughput and CPU beside the limits of the machine.

use crate::Common;
use crate::disk;
use crate::load::{Burst, Door, Until, burst};
use crate::machine::{Slower, cpu_time, load_average, memory, pin_client};
use crate::report::{Budget, Row, median, print_budgets, print_rows, write_json};
use crate::requests::{Client, token};
use crate::subject::Subject;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    common: Common,
    /// Rounds, interleaved; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each burst of reads
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Writes of each burst with 64 writers; with one writer an eighth of it
    #[arg(long, default_value_t = 16_000)]
    writes: u64,
    /// Measure even though the machine is busy
    #[arg(long)]
    busy: bool,
    /// Besides, durable writes on a disk whose syncs take so many microseconds longer; 0 for none
    #[arg(long, default_value_t = 1000)]
    slower: u64,
    /// Measure only what has this in its name, such as `PutSecretValue/64`: for profiles
    #[arg(long)]
    only: Option<String>,
}

const VALUE: usize = 64;
const SECRETS: u64 = 256;

impl Run {
    pub(crate) fn run(self) -> Result<()> {
        let load = load_average();
        if load > 0.5 && !self.busy {
            bail!("the load average is {load}: wait until the machine is idle, or say --busy");
        }
        pin_client()?;
        std::fs::create_dir_all(&self.common.folder)?;
        let folder = tempfile::tempdir_in(&self.common.folder)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(self.measure(folder.path(), load))
    }

    async fn measure(&self, folder: &Path, load: f64) -> Result<()> {
        let data = folder.join("data");
        let subject = Subject::strongroom(&self.common.server, &data, &Slower::default())?;
        let idle = memory(subject.pid())?.0;
        let started = subject.started_in;
        fill(&subject.door, &subject.client).await?;

        let size = probe(&subject).await?;
        let bare = Subject::bare(size, None)?;
        let bare_tls = Subject::bare(size, Some(&data))?;
        let mut series = series(&subject, &bare, &bare_tls)?;
        let name = |it: &Series| format!("{}/{}", it.what, it.connections);
        series.retain(|it| self.only.as_ref().is_none_or(|only| name(it).contains(only)));
        let mut serial = Vec::new();
        let mut written = 0;
        for round in 0..self.rounds {
            writeln!(std::io::stderr(), "round {} of {}", round + 1, self.rounds)?;
            serial.push(disk::serial_commits(folder, Duration::from_secs(1))?);
            for it in &mut series {
                it.burst(self, &subject.client, &mut written).await?;
            }
        }
        let rows: Vec<_> = series.into_iter().map(Series::row).collect();
        let slower = match self.slower {
            0 => None,
            micros => Some(self.measure_slower(folder, Duration::from_micros(micros)).await?),
        };
        let mut budgets = match self.only {
            None => budgets(&rows, median(serial.clone()), idle, started)?,
            Some(_) => Vec::new(),
        };
        budgets.extend(slower.as_ref().map(Slow::budget));
        let mut out = std::io::stdout();
        writeln!(
            out,
            "load average before: {load}; serial append+fdatasync: {:.0}/s; body: {size} B\n",
            median(serial.clone())
        )?;
        print_rows(&rows)?;
        print_budgets(&budgets)?;
        let all =
            json!({ "load": load, "serial": median(serial), "rows": rows, "budgets": budgets });
        write_json(self.common.json.as_deref(), &all)
    }
}

impl Run {
    /// Writes at 64 and serial commits on a disk whose syncs take `longer`.
    async fn measure_slower(&self, folder: &Path, longer: Duration) -> Result<Slow> {
        let (data, disk) = (folder.join("slower"), Slower::build(longer, folder)?);
        let subject = Subject::strongroom(&self.common.server, &data, &disk)?;
        fill(&subject.door, &subject.client).await?;
        let (mut serial, mut rates) = (Vec::new(), Vec::new());
        for round in 0..self.rounds as u64 {
            serial.push(disk::serial_commits_on(&disk, folder, Duration::from_secs(1))?);
            let numbers = round * self.writes..(round + 1) * self.writes;
            let puts = numbers.map(|it| put(&subject.client, it)).collect::<Result<Vec<_>>>()?;
            rates.push(burst(&subject.door, 64, Arc::new(puts), Until::Done).await?.rate());
        }
        Ok(Slow { longer, serial: median(serial), rate: median(rates) })
    }
}

/// What a slower disk lets through.
struct Slow {
    longer: Duration,
    serial: f64,
    rate: f64,
}

impl Slow {
    fn budget(&self) -> Budget {
        let Self { longer, serial, rate } = self;
        let micros = longer.as_micros();
        Budget {
            what: format!(
                "PutSecretValue at 64, syncs {micros} µs longer: {rate:.0} : {serial:.0}"
            ),
            measured: rate / serial,
            unit: "×",
            bar: 5.0,
            goal: 15.0,
            more: true,
        }
    }
}

/// One row in the making.
struct Series {
    what: &'static str,
    pid: u32,
    door: Door,
    connections: usize,
    /// The same requests again and again; writes are made afresh for each burst.
    requests: Option<Arc<Vec<Vec<u8>>>>,
    bursts: Vec<(Burst, Duration)>,
}

impl Series {
    async fn burst(&mut self, run: &Run, client: &Client, written: &mut u64) -> Result<()> {
        let (requests, until) = if let Some(requests) = &self.requests {
            (Arc::clone(requests), Until::Time(Duration::from_secs_f64(run.seconds)))
        } else {
            let count = if self.connections == 1 { run.writes / 8 } else { run.writes };
            let numbers = *written..*written + count;
            *written += count;
            let puts = numbers.map(|it| put(client, it)).collect::<Result<Vec<_>>>()?;
            (Arc::new(puts), Until::Done)
        };
        let before = cpu_time(self.pid)?;
        let seen = burst(&self.door, self.connections, requests, until).await?;
        let cpu = cpu_time(self.pid)?.saturating_sub(before);
        self.bursts.push((seen, cpu));
        Ok(())
    }

    fn row(self) -> Row {
        let rates: Vec<_> = self.bursts.iter().map(|(it, _)| it.rate()).collect();
        let each = |of: &dyn Fn(&Burst) -> u32| {
            median(self.bursts.iter().map(|(it, _)| f64::from(of(it))).collect())
        };
        let cpu = self.bursts.iter().map(|(it, cpu)| {
            cpu.as_secs_f64() * 1e6 / u32::try_from(it.requests).map_or(1.0, f64::from)
        });
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "they were u32"
        )]
        Row {
            what: self.what.to_owned(),
            connections: self.connections,
            spread: (
                rates.iter().copied().fold(f64::MAX, f64::min),
                rates.iter().copied().fold(0.0, f64::max),
            ),
            rate: median(rates),
            p50: each(&|it| it.percentile(50)) as u32,
            p99: each(&|it| it.percentile(99)) as u32,
            cpu: median(cpu.collect()),
        }
    }
}

fn series(subject: &Subject, bare: &Subject, bare_tls: &Subject) -> Result<Vec<Series>> {
    let signed = |operation: &str, body: Value| -> Result<_> {
        Ok(Some(Arc::new(vec![subject.client.request(operation, &body)?])))
    };
    let get = signed("GetSecretValue", json!({ "SecretId": "bench/1" }))?;
    let describe = signed("DescribeSecret", json!({ "SecretId": "bench/1" }))?;
    let list = signed("ListSecrets", json!({ "MaxResults": 100 }))?;
    let (door, pid) = (&subject.door, subject.pid());
    let tls = subject.tls.as_ref().context("no TLS")?;
    let rows = [
        ("bare hyper", bare.pid(), &bare.door, 1, get.clone()),
        ("bare hyper", bare.pid(), &bare.door, 32, get.clone()),
        ("bare hyper, TLS", bare_tls.pid(), &bare_tls.door, 32, get.clone()),
        ("GetSecretValue", pid, door, 1, get.clone()),
        ("GetSecretValue", pid, door, 32, get.clone()),
        ("GetSecretValue, TLS", pid, tls, 1, get.clone()),
        ("GetSecretValue, TLS", pid, tls, 32, get),
        ("DescribeSecret", pid, door, 32, describe),
        ("ListSecrets, 100 a page", pid, door, 32, list),
        ("PutSecretValue", pid, door, 1, None),
        ("PutSecretValue", pid, door, 64, None),
    ];
    let series = rows.into_iter().map(|(what, pid, door, connections, requests)| Series {
        what,
        pid,
        door: door.clone(),
        connections,
        requests,
        bursts: Vec::new(),
    });
    Ok(series.collect())
}

/// Makes the secrets that are read and written.
async fn fill(door: &Door, client: &Client) -> Result<()> {
    let requests = (0..SECRETS)
        .map(|number| {
            let body = json!({ "Name": format!("bench/{number}"), "SecretString": "x".repeat(VALUE),
                "ClientRequestToken": token(number) });
            client.request("CreateSecret", &body)
        })
        .collect::<Result<Vec<_>>>()?;
    burst(door, 32, Arc::new(requests), Until::Done).await.context("can't fill the store")?;
    Ok(())
}

fn put(client: &Client, number: u64) -> Result<Vec<u8>> {
    let body = json!({ "SecretId": format!("bench/{}", number % SECRETS),
        "SecretString": "y".repeat(VALUE), "ClientRequestToken": token(1_000_000 + number) });
    client.request("PutSecretValue", &body)
}

/// The size of the answer to a read, and a first read of the day so that later ones write nothing.
async fn probe(subject: &Subject) -> Result<usize> {
    let request = subject.client.request("GetSecretValue", &json!({ "SecretId": "bench/1" }))?;
    let seen = burst(&subject.door, 1, Arc::new(vec![request]), Until::Done).await?;
    Ok(seen.body)
}

fn budgets(rows: &[Row], serial: f64, idle: u64, started: Duration) -> Result<Vec<Budget>> {
    let row = |what: &str, connections: usize| {
        let found = rows.iter().find(|it| it.what == what && it.connections == connections);
        found.with_context(|| format!("no row for {what}"))
    };
    let bare = row("bare hyper", 32)?;
    let get = row("GetSecretValue", 32)?;
    let puts = row("PutSecretValue", 64)?;
    let budget = |what: &str, measured, unit, (bar, goal), more| Budget {
        what: what.to_owned(),
        measured,
        unit,
        bar,
        goal,
        more,
    };
    #[expect(clippy::cast_precision_loss, reason = "a memory size")]
    let idle = idle as f64 / 1e6;
    Ok(vec![
        budget("GetSecretValue, CPU / bare hyper", get.cpu / bare.cpu, "×", (4.0, 2.0), false),
        budget("GetSecretValue, req/s / bare hyper", get.rate / bare.rate, "×", (0.35, 0.6), true),
        budget(
            "PutSecretValue/s at 64 / serial commits",
            puts.rate / serial,
            "×",
            (5.0, 15.0),
            true,
        ),
        budget("empty server, resident", idle, "MB", (40.0, 20.0), false),
        budget("start to first answer", started.as_secs_f64() * 1e3, "ms", (300.0, 100.0), false),
    ])
}
