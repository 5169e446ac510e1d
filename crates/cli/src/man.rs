//! `strongroom man`.

use crate::arguments::Arguments;
use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write the manual pages, one for each subcommand
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Folder to write them to, such as `/usr/local/share/man/man1`; made if missing
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<ExitCode> {
        let shown = self.folder.display();
        fs::create_dir_all(&self.folder).with_context(|| format!("can't make `{shown}`"))?;
        let mut root = Arguments::command();
        root.build();
        self.page(&root, out)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Writes the page of `command` and those of its subcommands.
    fn page(&self, command: &Command, out: &mut dyn Write) -> Result<()> {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let path = self.folder.join(format!("{name}.1"));
        let mut text = Vec::new();
        clap_mangen::Man::new(command.clone()).render(&mut text)?;
        fs::write(&path, text).with_context(|| format!("can't write `{}`", path.display()))?;
        writeln!(out, "{}", path.display())?;
        command.get_subcommands().try_for_each(|it| self.page(it, out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let mut out = Vec::new();
        Man { folder: folder.path().join("man1") }.run(&mut out).unwrap();
        for name in
            ["strongroom", "strongroom-dev", "strongroom-rotation-plan", "strongroom-trail-verify"]
        {
            let page = fs::read_to_string(folder.path().join(format!("man1/{name}.1"))).unwrap();
            assert!(page.contains(".SH NAME"), "{name}");
        }
    }
}
