//! Servers under measurement, started by us and stopped by their pid.

use crate::load::Door;
use crate::machine::Slower;
use crate::requests::Client;
use anyhow::{Context, Result, bail};
use base::Sensitive;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server.
pub(crate) struct Subject {
    child: Child,
    pub(crate) door: Door,
    pub(crate) tls: Option<Door>,
    pub(crate) client: Client,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

impl Subject {
    /// `strongroom dev` over `data`, ready to answer.
    pub(crate) fn strongroom(program: &Path, data: &Path, disk: &Slower) -> Result<Self> {
        let mut command = disk.pinned(program);
        command.arg("dev").arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]);
        let start = Instant::now();
        let child = spawn(&mut command)?;
        let credentials = loop {
            match dev_credentials(data) {
                Ok(found) => break found,
                Err(error) if start.elapsed() > Duration::from_mins(2) => {
                    return Err(error.context("the server doesn't answer"));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let started_in = start.elapsed();
        let text = |name: &str| credentials.get(name).and_then(Value::as_str).unwrap_or_default();
        let host = text("Endpoint").rsplit('/').next().unwrap_or_default().to_owned();
        let client = Client {
            access_key_id: text("AccessKeyId").to_owned(),
            secret: Sensitive::from(text("SecretAccessKey").to_owned()),
            host: host.clone(),
        };
        let tls_port = port(text("TlsEndpoint"))?;
        let tls = Some(Door::tls(tls_port, &PathBuf::from(text("CaFile")))?);
        Ok(Self { child, door: Door::plain(port(&host)?), tls, client, started_in })
    }

    /// The bare server with a body of `size` bytes; with TLS by the files of `data`, if wanted.
    pub(crate) fn bare(size: usize, tls: Option<&Path>) -> Result<Self> {
        let mut command = Slower::default().pinned(&std::env::current_exe()?);
        command.args(["static", "--size", &size.to_string()]).stdout(Stdio::piped());
        if let Some(data) = tls {
            command.arg("--tls").arg(data.join("tls/cert.pem")).arg(data.join("tls/key.pem"));
        }
        let start = Instant::now();
        let mut child = command.spawn().context("can't start the bare server")?;
        let mut line = String::new();
        let out = child.stdout.take().context("no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let port = line.trim().parse()?;
        let door = match tls {
            Some(data) => Door::tls(port, &data.join("tls/ca.pem"))?,
            None => Door::plain(port),
        };
        let client = Client {
            host: format!("127.0.0.1:{port}"),
            access_key_id: "AKIAEXAMPLE000000001".to_owned(),
            secret: Sensitive::default(),
        };
        Ok(Self { child, door, tls: None, client, started_in: start.elapsed() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        // It may have ended by itself; either way it is waited for.
        let _gone = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _status = self.child.wait();
    }
}

fn spawn(command: &mut Command) -> Result<Child> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().context("can't start the server; is it built, and taskset installed?")
}

fn port(address: &str) -> Result<u16> {
    Ok(address.rsplit(':').next().unwrap_or_default().parse()?)
}

/// Asks the admin socket of the dev server over `data`.
fn dev_credentials(data: &Path) -> Result<Value> {
    let mut socket = UnixStream::connect(data.join("admin.sock"))?;
    socket.write_all(
        b"GET /v1/dev-credentials HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n",
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { bail!("no answer") };
    if !head.starts_with("HTTP/1.1 200") {
        bail!("refused: {head}");
    }
    Ok(serde_json::from_str(body)?)
}
