//! PostgreSQL.

mod cluster;

use crate::{Authority, Folder, Issued, Process, free_port, program};
use std::io;
use std::path::PathBuf;
use std::process::{Command, Output};

/// How a server differs from others.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The certificate it shows; it offers no TLS without.
    pub certificate: Option<Issued>,
    /// Whether it refuses logins without TLS.
    pub only_tls: bool,
    /// Whether it keeps passwords as MD5.
    pub md5: bool,
    /// Lines of its configuration.
    pub settings: Vec<String>,
}

/// A server of its own. Its administrator is `postgres`.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    folder: Folder,
    port: u16,
    password: String,
}

impl Postgres {
    /// Whether this machine has what it takes to start one.
    pub fn is_installed() -> bool {
        ["initdb", "postgres", "psql"].iter().all(|it| tool(it).is_ok())
    }

    /// Starts one.
    ///
    /// # Errors
    ///
    /// The package `postgresql` isn't installed, or what the server said instead of starting.
    pub fn start(setup: &Setup) -> io::Result<Self> {
        let folder = Folder::new("postgres")?;
        let password = cluster::make(&folder, setup)?;
        let mut it = Self { process: None, folder, port: 0, password };
        // Somebody else may take the port first.
        for _ in 0..4 {
            it.port = free_port()?;
            if it.resume().is_ok() {
                return Ok(it);
            }
        }
        it.resume().map(|()| it)
    }

    /// Starts it again, on the same port.
    pub fn resume(&mut self) -> io::Result<()> {
        let mut command = self.folder.command(&tool("postgres")?);
        command.arg("-D").arg(self.folder.path().join("data"));
        command.args(["-p", &self.port.to_string()]);
        self.process = Some(Process::start(&command, "QUIT", "ready to accept connections")?);
        Ok(())
    }

    /// Ends it as a crash would, with all its connections.
    pub fn crash(&mut self) {
        self.process = None;
    }

    /// Where it listens, on the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of `postgres`.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// What it has said so far, and everything about what was asked before this call.
    pub fn log(&self) -> io::Result<String> {
        let Some(process) = &self.process else { return Ok(String::new()) };
        let mark = format!("mark {}", process.log().text().len());
        self.sql(&format!("SELECT '{mark}'"))?;
        process.log().says(&mark);
        Ok(process.log().text())
    }

    /// Runs `statements` as the administrator, through the folder's socket; what they return, a row a line.
    pub fn sql(&self, statements: &str) -> io::Result<String> {
        self.database("postgres").sql(statements)
    }

    /// Logs in as `user` through the network, and runs `statements`.
    pub fn sql_as(&self, user: &str, password: &str, statements: &str) -> io::Result<String> {
        self.database("postgres").sql_as(user, password, statements)
    }

    /// One of its databases.
    pub fn database<'a>(&'a self, name: &'a str) -> Database<'a> {
        Database { server: self, name }
    }

    fn psql(&self) -> io::Result<Command> {
        let mut psql = self.folder.command(&tool("psql")?);
        psql.args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1"]);
        psql.args(["-p", &self.port.to_string()]);
        Ok(psql)
    }
}

/// A database of a server.
#[derive(Clone, Copy, Debug)]
pub struct Database<'a> {
    server: &'a Postgres,
    name: &'a str,
}

impl Database<'_> {
    /// As [`Postgres::sql`], in this database.
    pub fn sql(&self, statements: &str) -> io::Result<String> {
        let mut psql = self.server.psql()?;
        psql.args(["-U", "postgres", "-h"]).arg(self.server.folder.path());
        told(&psql.args(["-d", self.name, "-c", statements]).output()?)
    }

    /// As [`Postgres::sql_as`], in this database.
    pub fn sql_as(&self, user: &str, password: &str, statements: &str) -> io::Result<String> {
        let mut psql = self.server.psql()?;
        psql.env("PGPASSWORD", password).env("PGUSER", user).env("PGDATABASE", self.name);
        told(&psql.args(["-h", "127.0.0.1", "-c", statements]).output()?)
    }
}

fn told(output: &Output) -> io::Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()))
}

impl Setup {
    /// A server that shows a certificate of `authority` for `localhost`.
    pub fn tls(authority: &Authority) -> io::Result<Self> {
        let issued = authority.issue(&["localhost"]).map_err(io::Error::other)?;
        Ok(Self { certificate: Some(issued), ..Self::default() })
    }
}

/// Where Debian has the programs of each version, the newest first.
fn folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions.map(|it| it.path().join("bin")).collect();
    folders.sort();
    folders.push(asked_for());
    folders.reverse();
    folders
}

/// Another version's programs, to try it: `STRONGROOM_POSTGRES` names their folder.
#[expect(
    clippy::disallowed_methods,
    reason = "tests and a demonstration only: a server reads its own environment"
)]
fn asked_for() -> PathBuf {
    std::env::var_os("STRONGROOM_POSTGRES").map(PathBuf::from).unwrap_or_default()
}

/// One of its programs.
fn tool(name: &str) -> io::Result<PathBuf> {
    program(name, &folders())
}

#[cfg(test)]
mod tests;
