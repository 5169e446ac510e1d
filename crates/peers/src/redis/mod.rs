//! Redis.

use crate::{Folder, Issued, Process, free_port, program};
use std::io;
use std::os::unix::fs::symlink;
use std::process::Command;

/// A server of its own. Its administrator is `admin`; nobody else may log in.
#[derive(Debug)]
pub struct Redis {
    process: Option<Process>,
    folder: Folder,
    port: u16,
    tls_port: Option<u16>,
}

/// The password of `admin`: the server is this machine's only, and lives as long as a test.
const PASSWORD: &str = "an-administrators";

impl Redis {
    /// Starts one, of Debian's package `redis-tools`, which starts nothing by itself. It shows `certificate` on a
    /// port of its own, and has no such port without. `settings` are lines of its configuration.
    ///
    /// # Errors
    ///
    /// The package isn't installed, or what the server said instead of starting.
    pub fn start(certificate: Option<&Issued>, settings: &[&str]) -> io::Result<Self> {
        let folder = Folder::new("redis")?;
        folder.write(
            "users.acl",
            &format!("user default off\nuser admin on >{PASSWORD} ~* &* +@all\n"),
        )?;
        // One program that looks at how it is called.
        symlink(program("redis-check-rdb", &[])?, folder.path().join("redis-server"))?;
        if let Some(issued) = certificate {
            folder.write("server.pem", &issued.chain)?;
            folder.write("server.key", &issued.key)?;
        }
        let mut it = Self { process: None, folder, port: 0, tls_port: None };
        // Somebody else may take a port first.
        for _ in 0..4 {
            it.port = free_port()?;
            it.tls_port = certificate.map(|_| free_port()).transpose()?;
            it.configure(settings)?;
            if it.resume().is_ok() {
                return Ok(it);
            }
        }
        it.resume().map(|()| it)
    }

    fn configure(&self, settings: &[&str]) -> io::Result<()> {
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("port {}", self.port),
            "save \"\"".to_owned(),
            "appendonly no".to_owned(),
            "slowlog-log-slower-than 0".to_owned(),
            "slowlog-max-len 100000".to_owned(),
        ];
        if let Some(port) = self.tls_port {
            lines.push(format!("tls-port {port}"));
            lines.push("tls-cert-file server.pem".to_owned());
            lines.push("tls-key-file server.key".to_owned());
            lines.push("tls-auth-clients no".to_owned());
        }
        lines.extend(settings.iter().copied().map(str::to_owned));
        self.folder.write("redis.conf", &(lines.join("\n") + "\n")).map(drop)
    }

    /// Starts it again, on the same ports.
    pub fn resume(&mut self) -> io::Result<()> {
        let mut command = self.folder.command(&self.folder.path().join("redis-server"));
        command.arg("redis.conf");
        self.process = Some(Process::start(&command, "KILL", "Ready to accept connections")?);
        Ok(())
    }

    /// Ends it as a crash would, with all its connections.
    pub fn crash(&mut self) {
        self.process = None;
    }

    /// Where it listens, on the loopback: with TLS if it has any.
    pub fn port(&self) -> u16 {
        self.tls_port.unwrap_or(self.port)
    }

    /// Where it listens without TLS.
    pub fn plain_port(&self) -> u16 {
        self.port
    }

    /// The password of `admin`.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// What it has said so far, every command that it still knows, and what it has written down of its users.
    pub fn log(&self) -> io::Result<String> {
        let said = self.process.as_ref().map(|it| it.log().text()).unwrap_or_default();
        let commands = self.run(&["SLOWLOG", "GET", "-1"])?;
        let users = self.run(&["ACL", "LIST"])?;
        let refused = self.run(&["ACL", "LOG"])?;
        Ok([said, commands, users, refused].join("\n"))
    }

    /// Runs the command `words` as the administrator; what it returns.
    pub fn run(&self, words: &[&str]) -> io::Result<String> {
        self.run_as("admin", PASSWORD, words)
    }

    /// Logs in as `user`, and runs the command `words`.
    pub fn run_as(&self, user: &str, password: &str, words: &[&str]) -> io::Result<String> {
        let mut client: Command = self.folder.command(&program("redis-cli", &[])?);
        client.env("REDISCLI_AUTH", password).args(["-e", "-h", "127.0.0.1", "--no-auth-warning"]);
        client.args(["-p", &self.port.to_string(), "--user", user]).args(words);
        let output = client.output()?;
        let told = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        let complaint = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        // A login that fails is a warning of the client's, and its command is still sent.
        if output.status.success() && !complaint.contains("AUTH failed") {
            return Ok(told);
        }
        Err(io::Error::other(told + &complaint))
    }
}
