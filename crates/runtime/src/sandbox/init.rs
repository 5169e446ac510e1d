//! The life of a function's first process, and of the one inside.
//!
//! A server has threads, so it can't enter namespaces and then become a function. It starts a fresh
//! process instead that knows nothing but the order on its standard input. The outer stage makes the
//! namespaces and starts the inner stage, which is process 1 in there. Standard input stays open: when
//! the server closes it, or dies, the function ends.

use super::fence;
use super::filter;
use super::furnish;
use super::plan::{Level, NOT_STARTED, Order, Plan, Stage};
use super::privileges;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus};
use rustix::thread::UnshareFlags;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};

/// Carries out the order on standard input. `again` are the arguments that lead here once more.
///
/// To be called before anything starts a thread. Standard input is the server's leash: its end ends
/// the function.
pub fn function_init(again: &[OsString]) -> ExitCode {
    match carry_out(again) {
        Ok(status) => ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX)),
        Err(failed) => {
            let _ = writeln!(io::stderr(), "{failed}");
            ExitCode::from(u8::try_from(NOT_STARTED).unwrap_or(u8::MAX))
        }
    }
}

/// A step that the host refused.
#[derive(Debug)]
pub(super) struct Refused {
    step: &'static str,
    error: io::Error,
}

/// Names the step that failed.
pub(super) trait Step<T> {
    fn step(self, step: &'static str) -> Result<T, Refused>;
}

impl<T, E: Into<io::Error>> Step<T> for Result<T, E> {
    fn step(self, step: &'static str) -> Result<T, Refused> {
        self.map_err(|error| Refused { step, error: error.into() })
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.step, self.error)
    }
}

fn carry_out(again: &[OsString]) -> Result<i32, Refused> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).step("read the order")?;
    let order: Order = serde_json::from_str(&line).step("understand the order")?;
    match order.stage {
        Stage::Outer => outer(order.plan, again),
        Stage::Inner => inner(&order.plan),
    }
}

fn outer(plan: Plan, again: &[OsString]) -> Result<i32, Refused> {
    match plan.level {
        Level::Full => enter_namespaces()?,
        // Orphans come to this process instead of to the host's first one, so it can find them.
        Level::Fenced | Level::Open => {
            rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
                .step("adopt orphans")?;
        }
    }
    let program = std::env::current_exe().step("find this program")?;
    let mut child = Command::new(program)
        .args(again)
        .env_clear()
        .stdin(Stdio::piped())
        .spawn()
        .step("start the inner process")?;
    let order = Order { stage: Stage::Inner, plan };
    let mut line = serde_json::to_vec(&order).step("write the order")?;
    line.push(b'\n');
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&line).step("write the order")?;
    }
    drop(order);
    let status = until_over(&mut child);
    sweep();
    status
}

/// Waits for the end of `child`, or of the leash.
fn until_over(child: &mut Child) -> Result<i32, Refused> {
    let pid = Pid::from_child(child);
    let ended = rustix::process::pidfd_open(pid, PidfdFlags::empty()).step("watch the function")?;
    let stdin = io::stdin();
    let mut watched =
        [PollFd::new(&ended, PollFlags::IN), PollFd::new(&stdin, PollFlags::IN | PollFlags::HUP)];
    loop {
        match rustix::event::poll(&mut watched, None) {
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => (),
            Err(error) => return Err(error).step("watch the function"),
        }
    }
    let over = watched.first().is_some_and(|it| !it.revents().is_empty());
    if !over {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
    let status = child.wait().step("wait for the function")?;
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    Ok(status.code().or(signal.map(|it| BY_SIGNAL + it)).unwrap_or(NOT_STARTED))
}

/// Namespaces of its own: by the right of root, or by a user namespace, where whoever makes one is
/// root for a moment.
fn enter_namespaces() -> Result<(), Refused> {
    let apart =
        UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    if rustix::process::geteuid().is_root() {
        return unshare(apart).step("make namespaces as root");
    }
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    unshare(apart | UnshareFlags::NEWUSER).step("make a user namespace")?;
    fs::write("/proc/self/setgroups", "deny").step("forbid other groups")?;
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1")).step("map the user")?;
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1")).step("map the group")?;
    // The inner process isn't root in there, and would lose them by its start.
    privileges::keep_for_the_walls().step("keep capabilities")
}

#[expect(deprecated, reason = "unsafe only with FILES, which is never among the flags here")]
fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    rustix::thread::unshare(flags)
}

fn inner(plan: &Plan) -> Result<i32, Refused> {
    if plan.level == Level::Full {
        furnish::new_root(plan)?;
    }
    privileges::limit(plan).step("set limits")?;
    privileges::drop_all(plan.uid).step("give up privileges")?;
    // After the change of user, which clears it.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).step("end with parent")?;
    match plan.level {
        Level::Full => fence::keep_from_abstract_sockets(),
        Level::Fenced => fence::around(&plan.shown)?,
        Level::Open => (),
    }
    if plan.level != Level::Open {
        filter::refuse_system_calls(plan.level)?;
    }
    let mut program = program(plan)?;
    if plan.level != Level::Full {
        privileges::limit_memory(plan, None).step("limit memory")?;
        return Err(program.exec()).step("start the program");
    }
    let child = Pid::from_child(&program.spawn().step("start the program")?);
    privileges::limit_memory(plan, Some(child)).step("limit memory")?;
    Ok(reap_until(child))
}

fn program(plan: &Plan) -> Result<Command, Refused> {
    let [program, arguments @ ..] = plan.program.as_slice() else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput)).step("find the program");
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&plan.environment);
    command.current_dir(&plan.directory).stdin(Stdio::null());
    Ok(command)
}

/// The duty of process 1: collects whoever ends, until `program` has.
fn reap_until(program: Pid) -> i32 {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == program => return code_of(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => (),
            Err(_) => return NOT_STARTED,
        }
    }
}

fn code_of(status: WaitStatus) -> i32 {
    let signal = status.terminating_signal().map(|it| BY_SIGNAL + it);
    status.exit_status().or(signal).unwrap_or(NOT_STARTED)
}

/// Ends what the function left: its children have become this process's.
fn sweep() {
    let me = rustix::process::getpid();
    loop {
        for pid in descendants(me) {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => (),
            Err(_) => return, // no child is left
        }
    }
}

/// All below `root`, by what the kernel says of each process's parent.
pub(crate) fn descendants(root: Pid) -> Vec<Pid> {
    let parents: Vec<(i32, i32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let rest = stat.get(stat.rfind(')')? + 1..)?;
            Some((pid, rest.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect();
    let mut found = vec![root.as_raw_nonzero().get()];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        found.extend(parents.iter().filter(|it| it.1 == parent && it.0 != parent).map(|it| it.0));
        at += 1;
    }
    found.into_iter().skip(1).filter_map(Pid::from_raw).collect()
}

/// Whether more than `most` processes are below `root`, as far as the kernel tells the children of threads.
pub(crate) fn are_more_below(root: u32, most: usize) -> bool {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|it| it.parse::<u32>().ok()));
        }
        if most < found.len() - 1 {
            return true;
        }
        at += 1;
    }
    false
}

/// Added to a signal's number, as shells do.
pub(crate) const BY_SIGNAL: i32 = 128;
