//! Who may speak to a process's Runtime API: only that process and what it started.
//!
//! Clients want `host:port`, so any local program could connect. The kernel's tables say which socket is
//! at the other end, and which processes hold it; those must be below the function's first process.

use rustix::process::Pid;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The function's first process, once it is started.
#[derive(Debug, Default)]
pub(crate) struct Family {
    eldest: OnceLock<u32>,
}

/// What the kernel tells of who connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Of this family.
    Ours,
    /// Of another, or gone.
    Foreign,
    /// `/proc` isn't there, or tells nothing.
    Unknown,
}

impl Family {
    pub(crate) fn begin(&self, eldest: Option<u32>) {
        if let Some(eldest) = eldest {
            let _ = self.eldest.set(eldest);
        }
    }

    /// Whose the connection from `peer` to `local` is. Reads `/proc`, so not for a thread that mustn't wait.
    pub(crate) fn find(&self, peer: SocketAddr, local: SocketAddr) -> Peer {
        // The process connects after its start; who comes before it is somebody else.
        let Some(eldest) = self.eldest.get() else { return Peer::Foreign };
        let Ok(mut table) = fs::read_to_string("/proc/net/tcp") else { return Peer::Unknown };
        // Some clients use sockets of the newer family for addresses of the older.
        table.push_str(&fs::read_to_string("/proc/net/tcp6").unwrap_or_default());
        let Some(inode) = table.lines().find_map(|it| socket_of(it, peer, local)) else {
            return Peer::Foreign;
        };
        let wanted = PathBuf::from(format!("socket:[{inode}]"));
        let Some(eldest) = i32::try_from(*eldest).ok().and_then(Pid::from_raw) else {
            return Peer::Unknown;
        };
        let mut unreadable = false;
        for pid in crate::sandbox::descendants(eldest) {
            let folder = format!("/proc/{}/fd", pid.as_raw_nonzero());
            match holds(Path::new(&folder), &wanted) {
                Some(true) => return Peer::Ours,
                Some(false) => (),
                None => unreadable = true,
            }
        }
        if unreadable { Peer::Unknown } else { Peer::Foreign }
    }
}

/// Whether one of the descriptors in `folder` is `wanted`; `None` if they can't be looked at.
fn holds(folder: &Path, wanted: &Path) -> Option<bool> {
    let mut open = fs::read_dir(folder).ok()?.flatten();
    Some(open.any(|it| fs::read_link(it.path()).is_ok_and(|it| it == wanted)))
}

/// The socket in `line` of the kernel's table, if it leads from `peer` to `local`.
///
/// Source: proc_net_tcp(5). Addresses are words in the machine's own order.
fn socket_of(line: &str, peer: SocketAddr, local: SocketAddr) -> Option<u64> {
    let mut fields = line.split_whitespace().skip(1);
    let from = address(fields.next()?)?;
    let to = address(fields.next()?)?;
    let inode = fields.nth(6)?.parse().ok()?;
    (from == peer && to == local && inode != 0).then_some(inode)
}

fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    // `::ffff:127.0.0.1` ends like `127.0.0.1`.
    let ip = ip.strip_prefix(MAPPED).unwrap_or(ip);
    let ip = u32::from_str_radix(ip, 16).ok()?.to_ne_bytes();
    Some(SocketAddr::from((Ipv4Addr::from(ip), u16::from_str_radix(port, 16).ok()?)))
}

/// How an address of the older family begins in the newer one, on machines of either order.
const MAPPED: &str = if cfg!(target_endian = "little") {
    "0000000000000000FFFF0000"
} else {
    "00000000000000000000FFFF"
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_names_a_socket() {
        let line = "   1: 0100007F:D431 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 65534 0 4242 1 0 20 4 30 10 -1";
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if cfg!(target_endian = "little") {
            assert_eq!(socket_of(line, at(0xD431), at(0x1F90)), Some(4242));
        }
        assert_eq!(socket_of(line, at(0x1F90), at(0xD431)), None);
        let mapped = line.replace("0100007F", &format!("{MAPPED}0100007F"));
        assert_eq!(
            socket_of(&mapped, at(0xD431), at(0x1F90)),
            socket_of(line, at(0xD431), at(0x1F90))
        );
        for broken in ["", "  sl  local_address rem_address", "1: 0100007F:D431", "1: x:y z 01"] {
            assert_eq!(socket_of(broken, at(1), at(2)), None, "{broken}");
        }
    }
}
