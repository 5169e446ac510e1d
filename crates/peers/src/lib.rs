//! Real database servers, each private to who starts it: for tests and for a demonstration.
//!
//! A server has a folder of its own, listens on a free port of this machine's loopback only, writes nothing
//! that would survive a power cut, and ends with the value that stands for it, or with this process, however
//! that ends. Read [`Process`] first, then [`Postgres`]: another engine is another folder of that shape.
//!
//! What is asked of a server here goes through the engine's own client program, so that a test of ours has
//! another witness than the code it tests.

mod authority;
mod derby;
mod folder;
mod mongo;
mod mysql;
mod postgres;
mod process;
mod redis;

pub use authority::{Authority, Issued};
pub use derby::Derby;
pub use folder::{Folder, privileged};
pub use mongo::{Mongo, text as mongo_text};
pub use mysql::{Maker, MySql, certificate};
pub use postgres::{Database, Postgres, Setup};
pub use process::{Log, Process};
pub use redis::Redis;

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// A port of the loopback that nothing listens on. Somebody else may take it before it is used.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The program called `name`: in `folders`, or where programs are.
pub(crate) fn program(name: &str, folders: &[PathBuf]) -> io::Result<PathBuf> {
    let usual = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin"].map(PathBuf::from);
    let mut all = folders.iter().chain(&usual).map(|it| it.join(name));
    all.find(|it| it.is_file()).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> io::Error {
    let told = format!("no `{name}` here\nhint: `cargo xtask test` installs what the tests need");
    io::Error::new(io::ErrorKind::NotFound, told)
}

/// The folder where cargo builds, if this is one of its test programs: what is costly to make is kept there.
pub(crate) fn kept() -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    // Where cargo puts test programs; what is built for use leaves nothing behind.
    here.parent().filter(|it| it.ends_with("deps"))?;
    let target = here.ancestors().find(|it| it.file_name().is_some_and(|name| name == "target"))?;
    Some(Path::new(target).join("peers"))
}
