//! MongoDB.

use crate::{Folder, Issued, Process, free_port, kept, program};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Small files, as it lives as long as a test; and everything that it is asked is logged.
const SETTINGS: &[&str] = &[
    "--auth",
    "--bind_ip=127.0.0.1",
    "--nounixsocket",
    "--wiredTigerCacheSizeGB=0.25",
    "--wiredTigerEngineConfigString=log=(file_max=1MB,prealloc=false)",
    "--setParameter=diagnosticDataCollectionEnabled=false",
    "--setParameter=logComponentVerbosity={command:{verbosity:1},accessControl:{verbosity:2}}",
];

/// A server of its own. Its administrator is `admin`, of the database `admin`.
///
/// From a folder `target/peers/mongo` that holds Ubuntu's packages `mongodb-server-core`, `mongodb-clients` and all they
/// need: no Debian has them.
#[derive(Debug)]
pub struct Mongo {
    process: Option<Process>,
    folder: Folder,
    port: u16,
    tls: bool,
    log: String,
}

/// The password of `admin`: the server is this machine's only, and lives as long as a test.
const PASSWORD: &str = "an administrator's";

impl Mongo {
    /// Starts one; it shows `certificate` to who asks for TLS, and offers none without.
    ///
    /// # Errors
    ///
    /// Its packages aren't there, or what the server said instead of starting.
    pub fn start(certificate: Option<&Issued>) -> io::Result<Self> {
        let folder = Folder::new("mongo")?;
        // The folder itself is the database: the server makes no other.
        if let Some(issued) = certificate {
            folder.write("server.pem", &(issued.key.clone() + &issued.chain))?;
        }
        let tls = certificate.is_some();
        let mut it = Self { process: None, folder, port: 0, tls, log: String::new() };
        // Somebody else may take the port first.
        let mut tries = 0..4;
        while let Err(error) = it.begin() {
            if tries.next().is_none() {
                return Err(error);
            }
        }
        let made =
            "db.getSiblingDB('admin').createUser({user: 'admin', pwd: PASSWORD, roles: ['root']})";
        it.client(None, &format!("const PASSWORD = {}; {made}", text(PASSWORD)))?;
        Ok(it)
    }

    fn begin(&mut self) -> io::Result<()> {
        self.port = free_port()?;
        self.resume()
    }

    /// Starts it again, on the same port.
    pub fn resume(&mut self) -> io::Result<()> {
        let mut command = foreign(&self.folder, "mongod")?;
        command.args(SETTINGS).arg(format!("--port={}", self.port));
        command.arg(format!("--dbpath={}", self.folder.path().display()));
        if self.tls {
            let certificate = self.folder.path().join("server.pem");
            command.arg("--sslMode=preferSSL");
            command.arg(format!("--sslPEMKeyFile={}", certificate.display()));
        }
        self.process = Some(Process::start(&command, "KILL", "waiting for connections on port")?);
        Ok(())
    }

    /// Ends it as a crash would, with all its connections.
    pub fn crash(&mut self) {
        self.log = self.log();
        self.process = None;
    }

    /// Where it listens, on the loopback: with TLS for those who want it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of `admin`.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// What it has said so far, every command among it.
    pub fn log(&self) -> String {
        let said = self.process.as_ref().map(|it| it.log().text()).unwrap_or_default();
        self.log.clone() + &said
    }

    /// Runs `script` as the administrator; what it prints.
    pub fn run(&self, script: &str) -> io::Result<String> {
        self.run_as(("admin", "admin"), PASSWORD, script)
    }

    /// Logs in as the user `name` of the database `database`, and runs `script`.
    pub fn run_as(
        &self,
        (name, database): (&str, &str),
        password: &str,
        script: &str,
    ) -> io::Result<String> {
        let (name, password) = (text(name), text(password));
        let login = format!("const it = db.getSiblingDB({}); ", text(database));
        // Its own words for a wrong password would be printed, and forgotten.
        let login = login + &format!("if (!it.auth({name}, {password})) quit(9); ");
        self.client(Some(&login), script)
    }

    fn client(&self, login: Option<&str>, script: &str) -> io::Result<String> {
        let mut client = foreign(&self.folder, "mongo")?;
        client.args(["--quiet", "--norc", "--host=127.0.0.1", &format!("--port={}", self.port)]);
        client.arg("--eval").arg(login.unwrap_or_default().to_owned() + script);
        let output = client.output()?;
        let told = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        if output.status.success() { Ok(told) } else { Err(io::Error::other(told)) }
    }
}

/// A program of another system than this, by that system's loader and libraries.
fn foreign(folder: &Folder, name: &str) -> io::Result<Command> {
    let root = root();
    let libraries = ["lib", "usr/lib"].map(|it| root.join(it).join("x86_64-linux-gnu"));
    let loader = program("ld-linux-x86-64.so.2", &libraries)?;
    let mut command = folder.command(&loader);
    let paths: Vec<_> = libraries.iter().map(|it| it.display().to_string()).collect();
    command.arg("--library-path").arg(paths.join(":"));
    command.arg(program(name, &[root.join("usr/bin")])?);
    Ok(command)
}

fn root() -> PathBuf {
    kept().map_or_else(PathBuf::new, |it| Path::new(&it).join("mongo/root"))
}

/// `text` in a script.
pub fn text(text: &str) -> String {
    let units: Vec<_> = text.encode_utf16().map(|it| format!("\\u{it:04x}")).collect();
    format!("\"{}\"", units.concat())
}
