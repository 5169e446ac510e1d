//! `strongroom root-key recovery`.

use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output;
use anyhow::{Context, Result, bail};
use base::{Clock, Sensitive, SystemClock, SystemEntropy};
use envelope::Key;
use kms::root::file;
use kms::root::recovery::{RecoveryNote, find};
use kms::root::share::{Share, ShareError, combine};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use store::backends::embedded::{Embedded, Options};

/// Shares that bring back a lost root key
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Recovery {
    Create(Create),
    Use(Use),
}

/// Make shares, any few of which open the store without its root key
///
/// They are printed this once and kept nowhere: give each to another person. Those made before count no longer.
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// How many shares to make
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    shares: u8,
    /// How many of them it takes
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    threshold: u8,
}

/// Open a stopped server's data folder by its shares, and seal it under a new root key file
///
/// Asks for the shares one by one, without showing them. An interrupted recovery is finished by calling it again.
#[derive(Debug, clap::Args)]
pub(crate) struct Use {
    /// File with one share; may be given several times, instead of typing
    #[arg(long, value_name = "FILE")]
    share: Vec<PathBuf>,
    /// Where to put the new root key [default: root.key in the data folder]
    #[arg(long, value_name = "FILE")]
    root_key: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    shares: u8,
    threshold: u8,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Made {
    threshold: u8,
    shares: Vec<String>,
}

impl Recovery {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        match self {
            Self::Create(it) => it.run(data, out),
            Self::Use(it) => it.run(data, out),
        }
    }
}

impl Create {
    fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let wanted = Wanted { shares: self.shares, threshold: self.threshold };
        let made: Made = Admin::new(data)?.post("/v1/root-key/recovery", &wanted)?;
        for share in &made.shares {
            writeln!(out, "{share}")?;
        }
        let (count, needed) = (made.shares.len(), made.threshold);
        output::note(&format!(
            "{count} shares, shown only now; any {needed} of them open the store"
        ));
        output::note(
            "hint: give each to another person, on paper; `strongroom root-key recovery use` asks for them",
        );
        Ok(ExitCode::SUCCESS)
    }
}

impl Use {
    fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        if !data.path().join("store.redb").exists() {
            bail!(
                "no store in `{}`\nhint: name the server's data folder with --data",
                data.shown()
            );
        }
        let path = self.root_key.clone().unwrap_or_else(|| data.root_key());
        let store = Embedded::open(data.path(), Options::default())
            .context("can't open the store\nhint: stop the server first")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("can't start a runtime")?;
        let sealed = runtime.block_on(async {
            let note = find(&store).await?.ok_or(kms::Error::NoRecovery)?;
            let key = self.collect(&note)?;
            let now = SystemClock.now();
            let sealed = file::recover(&store, key, &path, &SystemEntropy, now).await?;
            store.checkpoint().await?;
            anyhow::Ok(sealed)
        });
        store.close();
        let sealed = sealed?;
        writeln!(out, "{}", path.display())?;
        output::note(&format!(
            "{sealed} keys are wrapped by the new root key; the shares stay good"
        ));
        output::note(
            "hint: keep a copy of it apart from the data folder, and start the server with it",
        );
        Ok(ExitCode::SUCCESS)
    }

    /// The recovery key, by shares from files or from the terminal.
    fn collect(&self, note: &RecoveryNote) -> Result<Key> {
        let mut shares = Vec::new();
        for path in &self.share {
            let shown = path.display();
            let text = fs::read(path).with_context(|| format!("can't read `{shown}`"))?;
            shares.push(parse(&Sensitive::new(text)).with_context(|| format!("in `{shown}`"))?);
        }
        while self.share.is_empty() && shares.len() < usize::from(note.threshold) {
            let prompt = format!("share {} of {}: ", shares.len() + 1, note.threshold);
            let typed = rpassword::prompt_password(prompt).context("can't ask for a share")?;
            match parse(&Sensitive::from(typed)).map(|it| (it.index(), it)) {
                Ok((index, _)) if shares.iter().any(|it: &Share| it.index() == index) => {
                    output::note(&ShareError::Duplicate(index).to_string());
                }
                Ok((_, share)) => shares.push(share),
                Err(error) => output::note(&error.to_string()),
            }
        }
        Ok(combine(&shares, &note.id)?)
    }
}

fn parse(text: &Sensitive) -> Result<Share, ShareError> {
    Share::parse(str::from_utf8(text.expose()).map_err(|_| ShareError::Typo)?)
}
