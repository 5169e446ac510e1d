//! Start, memory, list and get with many secrets.

use crate::Common;
use crate::load::{Door, Until, burst};
use crate::machine::{Slower, memory, pin_client};
use crate::report::{Budget, print_budgets, write_json};
use crate::requests::{Client, token};
use crate::subject::Subject;
use anyhow::Result;
use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Scale {
    #[command(flatten)]
    common: Common,
    /// How many secrets, several times
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    secrets: Vec<u64>,
}

/// What was seen with one number of secrets: 1 KB values, two versions each.
#[derive(Debug, Serialize)]
struct Seen {
    secrets: u64,
    /// Creates and puts per second while filling.
    fill_rate: f64,
    disk_bytes_per_secret: f64,
    resident_bytes: u64,
    anonymous_bytes: u64,
    start: Duration,
    list_page_us: u32,
    get_us: u32,
}

const VALUE: usize = 1024;
const PORTION: u64 = 10_000;

impl Scale {
    pub(crate) fn run(self) -> Result<()> {
        pin_client()?;
        std::fs::create_dir_all(&self.common.folder)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut all = Vec::new();
        for secrets in &self.secrets {
            let folder = tempfile::tempdir_in(&self.common.folder)?;
            all.push(runtime.block_on(self.measure(folder.path(), *secrets))?);
        }
        print(&all)?;
        let budgets = budgets(&all);
        print_budgets(&budgets)?;
        write_json(self.common.json.as_deref(), &json!({ "scale": all, "budgets": budgets }))
    }

    async fn measure(&self, folder: &Path, secrets: u64) -> Result<Seen> {
        let data = folder.join("data");
        let filling = Subject::strongroom(&self.common.server, &data, &Slower::default())?;
        let fill_rate = fill(&filling.door, &filling.client, secrets).await?;
        drop(filling);

        let subject = Subject::strongroom(&self.common.server, &data, &Slower::default())?;
        let list = subject.client.request("ListSecrets", &json!({ "MaxResults": 100 }))?;
        let name = named(secrets / 2);
        let get = subject.client.request("GetSecretValue", &json!({ "SecretId": name }))?;
        let time = Until::Time(Duration::from_secs(2));
        let list = burst(&subject.door, 1, Arc::new(vec![list]), time).await?;
        let get = burst(&subject.door, 1, Arc::new(vec![get]), time).await?;
        let (resident_bytes, anonymous_bytes) = memory(subject.pid())?;
        let disk = on_disk(&data)?;
        #[expect(clippy::cast_precision_loss, reason = "a size")]
        let disk_bytes_per_secret = disk as f64 / secrets as f64;
        Ok(Seen {
            secrets,
            fill_rate,
            disk_bytes_per_secret,
            resident_bytes,
            anonymous_bytes,
            start: subject.started_in,
            list_page_us: list.percentile(50),
            get_us: get.percentile(50),
        })
    }
}

/// Makes `secrets` secrets with two versions each; gives writes per second.
async fn fill(door: &Door, client: &Client, secrets: u64) -> Result<f64> {
    let bar = ProgressBar::new(2 * secrets).with_style(ProgressStyle::with_template(
        "{wide_bar} {human_pos}/{human_len} writes, {per_sec}, {eta} left",
    )?);
    let start = std::time::Instant::now();
    for operation in ["CreateSecret", "PutSecretValue"] {
        let member = if operation == "CreateSecret" { "Name" } else { "SecretId" };
        let salt = if operation == "CreateSecret" { 0 } else { 1 << 40 };
        for from in (0..secrets).step_by(PORTION.try_into()?) {
            let requests = (from..(from + PORTION).min(secrets))
                .map(|number| {
                    let body = json!({ member: named(number), "SecretString": "z".repeat(VALUE),
                        "ClientRequestToken": token(salt + number) });
                    client.request(operation, &body)
                })
                .collect::<Result<Vec<_>>>()?;
            let seen = burst(door, 64, Arc::new(requests), Until::Done).await?;
            bar.inc(u64::try_from(seen.requests)?);
        }
    }
    bar.finish_and_clear();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    Ok(2.0 * secrets as f64 / start.elapsed().as_secs_f64())
}

/// Bytes that the files directly in `folder` take.
fn on_disk(folder: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let files = std::fs::read_dir(folder)?.map(|it| Ok(it?.metadata()?.blocks() * 512));
    files.sum()
}

fn named(number: u64) -> String {
    format!("scale/{number:07}")
}

fn print(all: &[Seen]) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "secrets",
        "fill writes/s",
        "disk B/secret",
        "resident MB",
        "anonymous MB",
        "start ms",
        "list page µs",
        "get µs",
    ]);
    for it in all {
        table.add_row([
            it.secrets.to_string(),
            format!("{:.0}", it.fill_rate),
            format!("{:.0}", it.disk_bytes_per_secret),
            (it.resident_bytes / 1_000_000).to_string(),
            (it.anonymous_bytes / 1_000_000).to_string(),
            it.start.as_millis().to_string(),
            it.list_page_us.to_string(),
            it.get_us.to_string(),
        ]);
    }
    writeln!(std::io::stdout(), "{table}\n")?;
    Ok(())
}

fn budgets(all: &[Seen]) -> Vec<Budget> {
    let (Some(least), Some(most)) = (all.first(), all.last()) else { return Vec::new() };
    let many = most.secrets;
    #[expect(clippy::cast_precision_loss, reason = "a size")]
    let per_secret = most.resident_bytes as f64 / many as f64 / 1000.0;
    let budget = |what: String, measured, unit, (bar, goal)| Budget {
        what,
        measured,
        unit,
        bar,
        goal,
        more: false,
    };
    vec![
        budget(format!("memory per secret, {many}"), per_secret, "KB", (4.0, 1.5)),
        budget(format!("start with {many}"), most.start.as_secs_f64(), "s", (5.0, 0.5)),
        budget(
            format!("list page, {many} / {}", least.secrets),
            f64::from(most.list_page_us) / f64::from(least.list_page_us.max(1)),
            "×",
            (3.0, 1.2),
        ),
    ]
}
