//! `strongroom demo`: what the server does, shown on servers that are gone afterwards.
//!
//! Read [`rotation`] first: it has a [`stage`] set up, lets an [`application`] log in all the time, and has the
//! [`secret`] rotated under it. [`view`] draws that, [`summary`] tells what came of it.

mod application;
mod interrupt;
mod login;
mod rotation;
mod secret;
mod stage;
mod summary;
mod view;

use anyhow::Result;
use std::io::Write;
use std::process::ExitCode;

/// See what it does, on private servers that are gone afterwards
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Demo {
    Rotation(rotation::Rotation),
}

impl Demo {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<ExitCode> {
        match self {
            Self::Rotation(it) => it.run(out),
        }
    }
}
