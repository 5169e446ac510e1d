//! Apache Derby, as far as it can stand for RDS for Db2: it speaks the same wire, DRDA, and checks passwords.
//!
//! What it lacks is in `Peer.java`: the procedures of `rdsadmin`, authorities of a database. How those are said
//! differs, so that statements have to be translated on their way there.

use crate::folder::{done, keep};
use crate::{Folder, Process, free_port, kept, program};
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A server of its own. Its administrator is `admin`; its databases are `rdsadmin` and `app`.
#[derive(Debug)]
pub struct Derby {
    process: Option<Process>,
    folder: Folder,
    port: u16,
    control: u16,
}

/// The password of `admin`: the server is this machine's only, and lives as long as a test.
const PASSWORD: &str = "an-administrators";

/// What serves.
const SOURCE: &str = include_str!("Peer.java");

/// From Debian's packages `libderby-java` and `libderbyclient-java`.
const CLASSES: &str = "classes:/usr/share/java/derby.jar:/usr/share/java/derbynet.jar:/usr/share/java/derbyclient.jar";

impl Derby {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// Its packages or Java's compiler aren't installed, or what the server said instead of starting.
    pub fn start() -> io::Result<Self> {
        let folder = Folder::new("derby")?;
        made(&folder)?;
        let mut it = Self { process: None, folder, port: 0, control: 0 };
        // Somebody else may take a port first.
        for _ in 0..4 {
            (it.port, it.control) = (free_port()?, free_port()?);
            if it.resume().is_ok() {
                return Ok(it);
            }
        }
        it.resume().map(|()| it)
    }

    /// Starts it again, on the same port.
    pub fn resume(&mut self) -> io::Result<()> {
        let mut command = java(&self.folder, &self.folder.path().join("peer"))?;
        command.args(["serve", &self.port.to_string(), &self.control.to_string()]);
        self.process = Some(Process::start(&command, "KILL", "answers")?);
        Ok(())
    }

    /// Ends it as a crash would, with all its connections.
    pub fn crash(&mut self) {
        self.process = None;
    }

    /// Where it listens, on the loopback, without TLS.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of `admin`.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// What it has said so far.
    pub fn log(&self) -> io::Result<String> {
        let said = self.process.as_ref().map(|it| it.log().text()).unwrap_or_default();
        Ok(said + &fs::read_to_string(self.folder.path().join("peer/derby.log"))?)
    }

    /// Makes a user.
    pub fn create(&self, user: &str, password: &str) -> io::Result<()> {
        self.ask("create", &[user, password]).map(drop)
    }

    /// Whether there is a user of this name.
    pub fn exists(&self, user: &str) -> io::Result<bool> {
        Ok(self.ask("exists", &[user])? == "yes")
    }

    /// Runs `statement` in `app` as the administrator; what it returns, a row a line.
    pub fn sql(&self, statement: &str) -> io::Result<String> {
        self.ask("sql", &[statement])
    }

    /// Logs in to `app` as `user` by Derby's own client, and runs `statement`.
    pub fn sql_as(&self, user: &str, password: &str, statement: &str) -> io::Result<String> {
        self.ask("login", &[user, password, statement])
    }

    fn ask(&self, verb: &str, words: &[&str]) -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.control))?;
        let words: Vec<_> = [verb.to_owned()].into_iter().chain(words.iter().map(digits)).collect();
        stream.write_all((words.join(" ") + "\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        let (how, what) = answer.trim_end().split_once(" -").unwrap_or(("no", ""));
        let what = text(what);
        if how == "ok" { Ok(what) } else { Err(io::Error::other(what)) }
    }
}

/// The databases and the program, in the folder `peer`: copied from where cargo builds, or made.
fn made(folder: &Folder) -> io::Result<PathBuf> {
    let kept = kept().map(|it| it.join("derby"));
    if let Some(kept) = kept.as_ref().filter(|it| it.is_dir()) {
        if fs::read_to_string(kept.join("Peer.java")).is_ok_and(|it| it == SOURCE) {
            return folder.copy(kept, "peer");
        }
        // Another one may be removing it, too.
        let _ = fs::remove_dir_all(kept);
    }
    let peer = folder.path().join("peer");
    done(folder.command(&program("mkdir", &[])?).arg(&peer))?;
    folder.write("peer/Peer.java", SOURCE)?;
    let mut compiler = folder.command(&program("javac", &[])?);
    compiler.args(["-nowarn", "-cp", CLASSES, "-d", "classes", "Peer.java"]).current_dir(&peer);
    done(&mut compiler)?;
    done(java(folder, &peer)?.arg("make"))?;
    match kept {
        Some(kept) => keep(&peer, &kept).map(|()| peer),
        None => Ok(peer),
    }
}

/// The program, at home in `peer`; its compiler is told to be quick rather than thorough.
fn java(folder: &Folder, peer: &Path) -> io::Result<Command> {
    let mut command = folder.command(&program("java", &[])?);
    command.current_dir(peer).args(["-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx192m"]);
    for (name, value) in [
        ("derby.system.home", "."),
        ("derby.authentication.provider", "NATIVE:rdsadmin"),
        ("derby.connection.requireAuthentication", "true"),
        ("derby.database.sqlAuthorization", "true"),
        ("derby.system.durability", "test"),
        ("derby.locks.deadlockTimeout", "2"),
        ("peer.password", PASSWORD),
    ] {
        command.arg(format!("-D{name}={value}"));
    }
    command.args(["-cp", CLASSES, "Peer"]);
    Ok(command)
}

fn digits(text: impl AsRef<str>) -> String {
    let bytes = text.as_ref().bytes();
    bytes
        .flat_map(|it| [it >> 4, it & 15])
        .filter_map(|it| char::from_digit(it.into(), 16))
        .collect()
}

fn text(digits: &str) -> String {
    let pairs = digits.as_bytes().chunks(2).filter_map(|it| str::from_utf8(it).ok());
    let bytes: Vec<u8> = pairs.filter_map(|it| u8::from_str_radix(it, 16).ok()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
