//! Table: the subcommands. A new one is a file and a row here.

use crate::data::DataFolder;
use crate::{
    access_key, account, backup, completions, credentials_serve, demo, dev, doctor, env, explain,
    function_init, import, lease, man, oidc_provider, org, restore, root_key, rotation, serve,
    session, simulate, trail_tail, trail_verify, version, who_can,
};
use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// AWS Secrets Manager that you run yourself
#[derive(Debug, Parser)]
#[command(
    name = "strongroom",
    version = version::SHORT,
    long_version = version::LONG,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done · 1 looked and found a fault · 2 wrong usage · 3 could not be done"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: DataFolder,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev::Dev),
    Server(serve::Serve),
    Env(env::Env),
    #[command(subcommand)]
    Demo(demo::Demo),
    #[command(subcommand)]
    Account(account::Account),
    #[command(subcommand)]
    AccessKey(access_key::AccessKey),
    #[command(subcommand)]
    OidcProvider(oidc_provider::OidcProvider),
    #[command(subcommand)]
    Org(org::Org),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Import(import::Import),
    Explain(explain::Explain),
    #[command(name = function_init::NAME, hide = true)]
    FunctionInit(function_init::FunctionInit),
    Simulate(simulate::Simulate),
    #[command(subcommand)]
    Credentials(Credentials),
    #[command(subcommand)]
    RootKey(root_key::RootKey),
    #[command(subcommand)]
    Rotation(rotation::Rotation),
    #[command(subcommand)]
    Lease(lease::Lease),
    #[command(subcommand)]
    Session(session::Session),
    #[command(subcommand)]
    Trail(Trail),
    WhoCan(who_can::WhoCan),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Credentials for the workloads of a host
#[derive(Debug, Subcommand)]
enum Credentials {
    Serve(Box<credentials_serve::CredentialsServe>),
}

/// Read and prove the audit trail
#[derive(Debug, Subcommand)]
enum Trail {
    Tail(trail_tail::TrailTail),
    Verify(trail_verify::TrailVerify),
}

impl Arguments {
    /// Does what was asked, writing data to `out`.
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let data = &self.data;
        match self.command {
            Command::Dev(it) => it.run(data, out),
            Command::Server(it) => it.run(),
            Command::Env(it) => it.run(data, out),
            Command::Demo(it) => it.run(out),
            Command::Account(it) => it.run(data, out),
            Command::AccessKey(it) => it.run(data, out),
            Command::OidcProvider(it) => it.run(data),
            Command::Org(it) => it.run(data, out),
            Command::Backup(it) => it.run(data, out),
            Command::Restore(it) => it.run(data, out),
            Command::Import(it) => it.run(out),
            Command::Explain(it) => it.run(data, out),
            Command::FunctionInit(it) => Ok(it.run()),
            Command::Simulate(it) => it.run(data, out),
            Command::Credentials(Credentials::Serve(it)) => it.run(out),
            Command::RootKey(it) => it.run(data, out),
            Command::Rotation(it) => it.run(data, out),
            Command::Lease(it) => it.run(data, out),
            Command::Session(it) => it.run(data),
            Command::Trail(Trail::Tail(it)) => it.run(data, out),
            Command::Trail(Trail::Verify(it)) => it.run(data, out),
            Command::WhoCan(it) => it.run(data, out),
            Command::Doctor(it) => it.run(data, out),
            Command::Completions(it) => it.run(out),
            Command::Man(it) => it.run(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_subcommand_says_what_it_does() {
        fn silent(command: &clap::Command) -> Vec<String> {
            let inner = command.get_subcommands().flat_map(silent);
            let own = command.get_about().is_none().then(|| command.get_name().to_owned());
            inner.chain(own).collect()
        }
        assert_eq!(silent(&Arguments::command()), Vec::<String>::new());
    }
}
