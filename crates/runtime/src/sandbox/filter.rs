//! System calls that no function needs, and that walls have broken at before.

use super::init::{Refused, Step};
use super::plan::Level;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};
use std::collections::BTreeMap;
use std::io;

/// From here on each refused call fails with "operation not permitted", for this process and all it
/// starts. Everything else is as it was: a list of what is allowed would break the next interpreter.
pub(super) fn refuse_system_calls(level: Level) -> Result<(), Refused> {
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    refused.insert(libc::SYS_clone, new_namespaces().step(BUILD)?);
    refused.insert(libc::SYS_socket, vec![other_families(level).step(BUILD)?]);
    install(refused, libc::EPERM)?;
    // Its flags lie in memory, where no filter can look. Told that it doesn't exist, libraries use
    // the older call.
    install(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

/// `clone` with any of the flags that make a namespace.
fn new_namespaces() -> io::Result<Vec<SeccompRule>> {
    let rule = |flag: &i32| {
        let flag = u64::from(flag.unsigned_abs());
        let set = SeccompCmpOp::MaskedEq(flag);
        let condition = SeccompCondition::new(0, Length::Qword, set, flag)?;
        SeccompRule::new(vec![condition])
    };
    NAMESPACES.iter().map(rule).collect::<Result<_, _>>().map_err(io::Error::other)
}

/// `socket` of a family that functions don't need: each is a part of the kernel by itself.
///
/// With the host's folders in place a socket in one of them can be connected to, whatever Landlock
/// says; the server's own admin socket trusts its user.
fn other_families(level: Level) -> io::Result<SeccompRule> {
    let local = (level == Level::Full).then_some(libc::AF_UNIX);
    let conditions = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK].into_iter().chain(local);
    let condition = |family: i32| {
        let family = u64::from(family.unsigned_abs());
        SeccompCondition::new(0, Length::Dword, SeccompCmpOp::Ne, family)
    };
    let conditions = conditions.map(condition).collect::<Result<_, _>>();
    conditions.and_then(SeccompRule::new).map_err(io::Error::other)
}

fn install(mut rules: BTreeMap<i64, Vec<SeccompRule>>, answer: i32) -> Result<(), Refused> {
    if cfg!(target_arch = "x86_64") {
        // The same calls by their numbers in the x32 interface.
        let twins: Vec<_> = rules.iter().map(|(call, it)| (call | X32, it.clone())).collect();
        rules.extend(twins);
    }
    let answer = SeccompAction::Errno(answer.unsigned_abs());
    let machine = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, machine.step(BUILD)?);
    let program = filter.and_then(BpfProgram::try_from).map_err(io::Error::other).step(BUILD)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other).step("refuse system calls")
}

const BUILD: &str = "build the list of refused system calls";
const X32: i64 = 0x4000_0000;

const NAMESPACES: &[i32] = &[
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

const REFUSED: &[i64] = &[
    // Other processes.
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    // Walls.
    libc::SYS_chroot,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_pivot_root,
    libc::SYS_setns,
    libc::SYS_umount2,
    libc::SYS_unshare,
    // The kernel's larger surfaces.
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_perf_event_open,
    libc::SYS_request_key,
    libc::SYS_userfaultfd,
    // The machine.
    libc::SYS_acct,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_kexec_load,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_vhangup,
];
