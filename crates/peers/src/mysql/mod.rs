//! MariaDB and MySQL.

use crate::folder::done;
use crate::{Authority, Folder, Issued, Process, free_port, kept, program};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who made a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// From Debian's packages `mariadb-server-core` and `mariadb-client-core`, which start nothing.
    MariaDb,
    /// From a folder `target/peers/mysql` that holds Debian's package `mysql-server-core` and all it needs.
    MySql,
}

/// Nothing here is meant to outlive a power cut, and everything is logged.
const SETTINGS: &[&str] = &[
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--innodb-buffer-pool-size=16M",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=nosync",
    "--general-log=1",
    "--secure-file-priv=",
];

/// A server of its own. Its administrator is `admin`, from everywhere.
#[derive(Debug)]
pub struct MySql {
    process: Option<Process>,
    folder: Folder,
    maker: Maker,
    port: u16,
    tls: bool,
    settings: Vec<String>,
}

/// The password of `admin`: the server is this machine's only, and lives as long as a test.
const PASSWORD: &str = "an administrator's";

impl MySql {
    /// Starts one; it shows `certificate`, and offers no TLS without. `settings` are its own.
    ///
    /// # Errors
    ///
    /// Its packages aren't installed, or what the server said instead of starting.
    pub fn start(
        maker: Maker,
        certificate: Option<&Issued>,
        settings: &[&str],
    ) -> io::Result<Self> {
        let folder = Folder::new("mysql")?;
        cluster(maker, &folder)?;
        let first = format!(
            "CREATE USER IF NOT EXISTS admin@'%' IDENTIFIED BY '{}';\n\
             GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION;\n",
            PASSWORD.replace('\'', "''")
        );
        folder.write("first.sql", &first)?;
        if let Some(issued) = certificate {
            folder.write("server.pem", &issued.chain)?;
            folder.write("server.key", &issued.key)?;
        }
        let settings = settings.iter().copied().map(str::to_owned).collect();
        let tls = certificate.is_some();
        let mut it = Self { process: None, folder, maker, port: 0, tls, settings };
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
        let mut command = server(self.maker, &self.folder)?;
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        command.args(SETTINGS).arg(format!("--port={}", self.port));
        command.arg(format!("--socket={}", path("s")));
        command.arg(format!("--pid-file={}", path("pid")));
        command.arg(format!("--general-log-file={}", path("general.log")));
        command.arg(format!("--init-file={}", path("first.sql")));
        if self.tls {
            command.arg(format!("--ssl-cert={}", path("server.pem")));
            command.arg(format!("--ssl-key={}", path("server.key")));
        }
        if self.maker == Maker::MySql {
            command.args(["--mysqlx=OFF", "--auto-generate-certs=OFF"]);
        }
        command.args(&self.settings);
        self.process = Some(Process::start(&command, "KILL", "ready for connections")?);
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

    /// The password of `admin`.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// What it has said so far, and every statement before this call.
    pub fn log(&self) -> io::Result<String> {
        let statements = fs::read(self.folder.path().join("general.log"))?;
        let said = self.process.as_ref().map(|it| it.log().text()).unwrap_or_default();
        Ok(said + &String::from_utf8_lossy(&statements))
    }

    /// Runs `statements` as the administrator; what they return, a row a line.
    pub fn sql(&self, statements: &str) -> io::Result<String> {
        self.sql_as("admin", PASSWORD, statements)
    }

    /// Logs in as `user` through the network, and runs `statements`.
    pub fn sql_as(&self, user: &str, password: &str, statements: &str) -> io::Result<String> {
        let mut client = self.folder.command(&program("mariadb", &[])?);
        client.env("MYSQL_PWD", password).args(["--no-defaults", "--batch", "--skip-column-names"]);
        client.args(["--protocol=tcp", "--host=127.0.0.1", &format!("--port={}", self.port)]);
        client.arg(if self.tls { "--ssl" } else { "--skip-ssl" });
        client.arg(format!("--user={user}")).arg("--execute").arg(statements);
        let output = client.output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
        }
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()))
    }
}

/// The program of a server, with where its own files are.
fn server(maker: Maker, folder: &Folder) -> io::Result<Command> {
    let data = folder.path().join("data");
    let mut command = match maker {
        Maker::MariaDb => {
            let mut command = folder.command(&program("mariadbd", &[])?);
            command.arg("--no-defaults");
            command
        }
        Maker::MySql => foreign(folder)?,
    };
    command.arg(with("--datadir=", &data));
    if crate::privileged() {
        command.arg("--user=nobody");
    }
    Ok(command)
}

/// A program of another system than this, by that system's loader and libraries.
fn foreign(folder: &Folder) -> io::Result<Command> {
    let root = kept().map(|it| it.join("mysql/root")).unwrap_or_default();
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    let loader = program("ld-linux-x86-64.so.2", std::slice::from_ref(&libraries))?;
    let mut command = folder.command(&loader);
    command.arg("--library-path").arg(&libraries).arg(root.join("usr/sbin/mysqld"));
    command.arg("--no-defaults");
    command.arg(with("--lc-messages-dir=", &root.join("usr/share/mysql")));
    command.arg(with("--plugin-dir=", &root.join("usr/lib/mysql/plugin")));
    Ok(command)
}

fn with(name: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(name);
    argument.push(path);
    argument
}

/// A new data folder `data`: copied from one that is kept where cargo builds, or made.
fn cluster(maker: Maker, folder: &Folder) -> io::Result<PathBuf> {
    let kept = kept().map(|it| it.join(format!("data-{maker:?}")));
    if let Some(kept) = kept.as_ref().filter(|it| it.is_dir()) {
        return folder.copy(kept, "data");
    }
    let data = folder.path().join("data");
    let mut command = match maker {
        Maker::MariaDb => {
            let mut command = folder.command(&program("mariadb-install-db", &[])?);
            command.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve"]);
            command.arg("--auth-root-authentication-method=normal").arg(with("--datadir=", &data));
            command
        }
        Maker::MySql => {
            let mut command = server(maker, folder)?;
            command.args(["--initialize-insecure", "--auto-generate-certs=OFF"]);
            command
        }
    };
    done(&mut command)?;
    match kept {
        Some(kept) => crate::folder::keep(&data, &kept).map(|()| data),
        None => Ok(data),
    }
}

/// A certificate of `authority` for `localhost`.
pub fn certificate(authority: &Authority) -> io::Result<Issued> {
    authority.issue(&["localhost"]).map_err(io::Error::other)
}
