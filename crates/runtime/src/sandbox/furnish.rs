//! The root folder of a function: what is shown to it, read-only, and empty places to write.

use super::init::{Refused, Step};
use super::plan::{Plan, Shown};
use rustix::fs::Mode;
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Leaves the host's root for one that holds what `plan` shows.
pub(super) fn new_root(plan: &Plan) -> Result<(), Refused> {
    let root = plan.root.as_path();
    // The server's would close these folders to the function's user.
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    // Otherwise what is mounted here would be seen by the host.
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).step("keep mounts to itself")?;
    empty(root, "size=16m,mode=0755").step("mount an empty root")?;
    system_folders(root).step("show system folders")?;
    // First, since what is shown may lie in one of them.
    let scratch = places_to_write(root, plan.limits.scratch).step("make places to write")?;
    for shown in &plan.shown {
        show(root, shown).step("show a folder of the host")?;
    }
    for (path, text) in &plan.texts {
        let path = beneath(root, path);
        parent(&path).and_then(|()| fs::write(&path, text)).step("write a file of the new root")?;
    }
    devices(root).step("show devices")?;
    let writable = plan.shown.iter().filter(|it| it.writable).map(|it| beneath(root, &it.to));
    read_only(root, &scratch.into_iter().chain(writable).collect()).step("make it read-only")?;
    enter(root).step("enter the new root")?;
    let _ = rustix::system::sethostname(b"function");
    Ok(())
}

/// An empty file system in memory.
fn empty(at: &Path, options: &str) -> io::Result<()> {
    let options = CString::new(options)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    Ok(rustix::mount::mount("tmpfs", at, "tmpfs", flags, options.as_c_str())?)
}

/// `/usr`, and what lies beside it on hosts that haven't merged them.
fn system_folders(root: &Path) -> io::Result<()> {
    for name in ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let from = Path::new("/").join(name);
        match fs::symlink_metadata(&from) {
            Ok(it) if it.is_symlink() => symlink(fs::read_link(&from)?, root.join(name))?,
            Ok(it) if it.is_dir() => show(root, &Shown::in_place(from))?,
            _ => (),
        }
    }
    Ok(())
}

fn show(root: &Path, shown: &Shown) -> io::Result<()> {
    let to = beneath(root, &shown.to);
    parent(&to)?;
    if shown.from.is_dir() {
        fs::create_dir_all(&to)?;
    } else if !to.exists() {
        fs::write(&to, "")?;
    }
    Ok(rustix::mount::mount_bind_recursive(&shown.from, &to)?)
}

/// Temporary files, in memory and bounded. Returns where.
fn places_to_write(root: &Path, bytes: u64) -> io::Result<BTreeSet<PathBuf>> {
    let places = [(TEMPORARY, bytes), ("run", 1 << 20), ("dev/shm", 64 << 20)];
    for (name, bytes) in places {
        let at = root.join(name);
        fs::create_dir_all(&at)?;
        empty(&at, &format!("size={bytes},mode=1777"))?;
    }
    let proc = root.join("proc");
    fs::create_dir_all(&proc)?;
    // Of this process namespace. Hosts that hide parts of their own (containers) refuse it to user
    // namespaces; interpreters do without.
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let _ = rustix::mount::mount("proc", &proc, "proc", flags, None);
    Ok(places.iter().map(|it| root.join(it.0)).chain([proc]).collect())
}

fn devices(root: &Path) -> io::Result<()> {
    for name in ["full", "null", "random", "urandom", "zero"] {
        show(root, &Shown::in_place(Path::new("/dev").join(name)))?;
    }
    for (name, to) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        symlink(format!("/proc/self/fd{to}"), root.join("dev").join(name))?;
    }
    Ok(())
}

/// Takes writing away from each mount but those at `writable`.
fn read_only(root: &Path, writable: &BTreeSet<PathBuf>) -> io::Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    for (at, options) in mounts.lines().filter_map(mount_of) {
        if !at.starts_with(root) || writable.contains(&at) {
            continue;
        }
        let mut flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID;
        if !at.starts_with(root.join("dev")) {
            flags |= MountFlags::NODEV;
        }
        // The host's own restrictions can't be lifted from inside.
        if options.split(',').any(|it| it == "noexec") {
            flags |= MountFlags::NOEXEC;
        }
        rustix::mount::mount_remount(&at, flags, c"")?;
    }
    Ok(())
}

/// Where a line of `mountinfo` is mounted, and its options.
///
/// Source: proc_pid_mountinfo(5).
fn mount_of(line: &str) -> Option<(PathBuf, &str)> {
    let mut fields = line.split(' ').skip(4);
    let at = fields.next()?;
    let at = at.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
    Some((PathBuf::from(at), fields.next()?))
}

fn enter(root: &Path) -> io::Result<()> {
    std::env::set_current_dir(root)?;
    // The old root lands over the new one, and goes.
    rustix::process::pivot_root(".", ".")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH)?;
    std::env::set_current_dir("/")
}

fn parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// `path`, which begins with a slash, below `root`.
fn beneath(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The fixed folder for temporary files, below the root.
const TEMPORARY: &str = "tmp";
