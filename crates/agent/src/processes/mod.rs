//! Who is at the other end of a local connection, by what the kernel tells in `/proc`.
//!
//! A unix socket tells user, group and process by itself (`SO_PEERCRED`, at the moment of connecting).
//! For TCP the kernel's table of connections names the user, and the process is the one that holds the
//! socket. What is ambiguous is not guessed: a socket held by processes that differ, a process that
//! started after the connection, one that changed while it was looked at.
//!
//! A connection of another host, or of another network namespace, is in no table here and has no user.

use crate::rules::Caller;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The kernel's view of processes and their connections.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
    root: PathBuf,
    /// Whether groups and cgroups matter to anybody; finding them costs a look at every process.
    look_inside: bool,
}

/// An established TCP connection in the kernel's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Connection {
    uid: u32,
    inode: u64,
}

/// What a process is, as far as rules ask.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    uid: u32,
    gid: u32,
    cgroup: Option<String>,
}

/// Time since the machine started, in hundredths of a second, as `/proc/PID/stat` counts on every
/// platform this runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticks(u64);

impl Processes {
    /// What `root`, usually `/proc`, tells.
    pub(crate) fn new(root: &Path, look_inside: bool) -> Self {
        Self { root: root.to_owned(), look_inside }
    }

    /// Now, as processes' starts are counted.
    pub(crate) fn now(&self) -> Option<Ticks> {
        let text = self.text(Path::new("uptime"))?;
        let (seconds, rest) = text.split_whitespace().next()?.split_once('.')?;
        let hundredths: u64 = rest.get(..2)?.parse().ok()?;
        Some(Ticks(seconds.parse::<u64>().ok()?.checked_mul(100)?.checked_add(hundredths)?))
    }

    /// Who connected from `peer` to `local`, both as this end sees them.
    pub(crate) fn of_tcp(&self, peer: SocketAddr, local: SocketAddr) -> Caller {
        let Some(connection) = self.connection(peer, local) else { return Caller::default() };
        let uid = Some(connection.uid);
        if !self.look_inside {
            return Caller { uid, ..Caller::default() };
        }
        match self.holders(connection.inode).as_deref() {
            // Not ours to look at: its user is still known.
            None | Some([]) => Caller { uid, ..Caller::default() },
            Some([(pid, first), rest @ ..])
                if first.uid == connection.uid && rest.iter().all(|it| it.1 == *first) =>
            {
                let (gid, cgroup) = (Some(first.gid), first.cgroup.clone());
                Caller { uid, gid, cgroup, pid: rest.is_empty().then_some(*pid) }
            }
            Some(_) => Caller::default(),
        }
    }

    /// Who connected to a unix socket, of whom the kernel told user, group and process; `accepted` is
    /// when it was noticed.
    pub(crate) fn of_unix(
        &self,
        (uid, gid): (u32, u32),
        pid: Option<u32>,
        accepted: Ticks,
    ) -> Caller {
        let known = Caller { uid: Some(uid), gid: Some(gid), cgroup: None, pid };
        if !self.look_inside {
            return known;
        }
        let process = pid.and_then(|pid| {
            let begun = self.begun(pid)?;
            let process = self.process(pid)?;
            // Otherwise the number has gone to another process since.
            let same = begun <= accepted && self.begun(pid)? == begun;
            (same && process.uid == uid).then_some(process)
        });
        Caller { cgroup: process.and_then(|it| it.cgroup), ..known }
    }

    /// The one established connection from `peer` to `local`; none if it is not of this host.
    fn connection(&self, peer: SocketAddr, local: SocketAddr) -> Option<Connection> {
        // The kernel tells its table in pieces. Connections that come and go between two of them move others, so
        // that one is told twice, or not at all: it is there as long as who asks waits for an answer.
        let mut looks = (0..LOOKS).map(|_| self.connections(peer, local));
        match looks.find(|it| !it.is_empty())?.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The established connections from `peer` to `local` that the tables tell of, once each.
    fn connections(&self, peer: SocketAddr, local: SocketAddr) -> Vec<Connection> {
        let mut found = Vec::new();
        for table in ["net/tcp", "net/tcp6"] {
            let Ok(file) = File::open(self.root.join(table)) else { continue };
            let lines = BufReader::new(file).lines().map_while(Result::ok);
            found.extend(lines.filter_map(|line| established(&line, peer, local)));
        }
        found.dedup();
        found
    }

    /// The processes that hold the socket `inode`; `None` if one changed while it was looked at.
    fn holders(&self, inode: u64) -> Option<Vec<(u32, Process)>> {
        let wanted = PathBuf::from(format!("socket:[{inode}]"));
        let mut holders = Vec::new();
        for entry in fs::read_dir(&self.root).ok()?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|it| it.parse().ok()) else {
                continue;
            };
            let Some(descriptor) = self.descriptor(pid, &wanted) else { continue };
            let begun = self.begun(pid);
            let process = self.process(pid)?;
            // The same number and the same socket, still: the same process.
            let held = fs::read_link(&descriptor).is_ok_and(|it| it == wanted);
            if begun.is_none() || self.begun(pid) != begun || !held {
                return None;
            }
            holders.push((pid, process));
        }
        Some(holders)
    }

    /// Where the process `pid` holds what is called `wanted`.
    fn descriptor(&self, pid: u32, wanted: &Path) -> Option<PathBuf> {
        let open = fs::read_dir(self.root.join(format!("{pid}/fd"))).ok()?.flatten();
        open.map(|it| it.path()).find(|it| fs::read_link(it).is_ok_and(|it| it == wanted))
    }

    fn process(&self, pid: u32) -> Option<Process> {
        let status = self.text(Path::new(&format!("{pid}/status")))?;
        let effective = |name: &str| {
            let line = status.lines().find_map(|it| it.strip_prefix(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        let cgroup = self.text(Path::new(&format!("{pid}/cgroup")))?;
        // The unified hierarchy has the number 0 and no controllers.
        let cgroup = cgroup.lines().find_map(|it| it.strip_prefix("0::")).map(str::to_owned);
        Some(Process { uid: effective("Uid:")?, gid: effective("Gid:")?, cgroup })
    }

    /// When the process `pid` started.
    fn begun(&self, pid: u32) -> Option<Ticks> {
        let stat = self.text(Path::new(&format!("{pid}/stat")))?;
        // The name of the program, in parentheses, may hold anything; the start is the 20th field
        // after it.
        let rest = stat.get(stat.rfind(')')? + 1..)?;
        rest.split_whitespace().nth(19)?.parse().ok().map(Ticks)
    }

    fn text(&self, path: &Path) -> Option<String> {
        let mut text = String::new();
        File::open(self.root.join(path)).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
        Some(text)
    }
}

/// Looks at the tables before a connection counts as none of this host.
const LOOKS: usize = 4;
/// Longer than what the kernel tells of one process.
const LONGEST: u64 = 64 * 1024;

/// The connection in `line` of the kernel's table, if it is established from `peer` to `local`.
///
/// Source: proc_net_tcp(5); the table shows the other end's view, so its local address is the peer's.
fn established(line: &str, peer: SocketAddr, local: SocketAddr) -> Option<Connection> {
    let mut fields = line.split_whitespace().skip(1);
    let mine = address(fields.next()?)?;
    let its = address(fields.next()?)?;
    let state = fields.next()?;
    let uid = fields.nth(3)?.parse().ok()?;
    let inode = fields.nth(1)?.parse().ok()?;
    let same = |one: SocketAddr, two: SocketAddr| {
        one.port() == two.port() && one.ip().to_canonical() == two.ip().to_canonical()
    };
    // In other states the socket has no owner any more, and the table says 0.
    let fits = state == "01" && inode != 0 && same(mine, peer) && same(its, local);
    fits.then_some(Connection { uid, inode })
}

/// Reads `0100007F:1F90`: words in the machine's own order, each in hexadecimal digits.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = ip.get(at * 8..at * 8 + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let mut bytes = [0; 16];
            for (at, chunk) in bytes.chunks_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at)?);
            }
            Ipv6Addr::from(bytes).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests;
