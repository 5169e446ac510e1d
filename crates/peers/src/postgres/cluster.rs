//! The files that a server starts from.

use super::{Setup, tool};
use crate::folder::{done, keep};
use crate::{Folder, kept};
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

/// Nothing here is meant to outlive a power cut, and everything is logged.
const SETTINGS: &str = "listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
autovacuum = off
shared_buffers = 16MB
wal_level = minimal
max_wal_senders = 0
password_encryption = 'scram-sha-256'
log_statement = all
log_connections = on
log_line_prefix = '%p '
";

/// Makes the folder `data` in `folder`; the administrator's password.
pub(super) fn make(folder: &Folder, setup: &Setup) -> io::Result<String> {
    let password = draw()?;
    let data = cluster(folder)?;
    let mut settings = vec![format!("unix_socket_directories = '{}'", folder.path().display())];
    if let Some(issued) = &setup.certificate {
        let chain = folder.write("server.pem", &issued.chain)?;
        let key = folder.write("server.key", &issued.key)?;
        settings.push("ssl = on".to_owned());
        settings.push(format!("ssl_cert_file = '{}'", chain.display()));
        settings.push(format!("ssl_key_file = '{}'", key.display()));
    }
    settings.extend(setup.md5.then(|| "password_encryption = md5".to_owned()));
    settings.extend(setup.settings.iter().cloned());
    folder.write("data/postgresql.conf", &(SETTINGS.to_owned() + &settings.join("\n") + "\n"))?;
    let kind = if setup.only_tls { "hostssl" } else { "host" };
    let method = if setup.md5 { "md5" } else { "scram-sha-256" };
    let admission = format!("local all all trust\n{kind} all all 127.0.0.1/32 {method}\n");
    folder.write("data/pg_hba.conf", &admission)?;
    let mut single = folder.command(&tool("postgres")?);
    single.args(["--single", "-D"]).arg(data).args(["-c", "log_statement=none", "postgres"]);
    let statement = format!("ALTER ROLE postgres PASSWORD '{password}'\n");
    single.stdin(fs::File::open(folder.write("first.sql", &statement)?)?);
    done(&mut single)?;
    Ok(password)
}

/// A new cluster as the folder `data`: copied from one that is kept where cargo builds, or made.
fn cluster(folder: &Folder) -> io::Result<PathBuf> {
    let initdb = tool("initdb")?;
    // Debian's folder is named after the version.
    let version = initdb.ancestors().nth(2).and_then(|it| it.file_name()).unwrap_or_default();
    let kept = kept().map(|it| it.join(format!("postgres-{}", version.to_string_lossy())));
    if let Some(kept) = kept.as_ref().filter(|it| it.is_dir()) {
        return folder.copy(kept, "data");
    }
    let data = folder.path().join("data");
    let mut command = folder.command(&initdb);
    command.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
    done(command.args(["--no-sync", "--no-instructions", "-D"]).arg(&data))?;
    match kept {
        Some(kept) => keep(&data, &kept).map(|()| data),
        None => Ok(data),
    }
}

/// 128 bits by chance, as a number.
fn draw() -> io::Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
