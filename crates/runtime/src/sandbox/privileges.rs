//! What a function's process may still do: nothing that needs a privilege, and not too much of the rest.

use super::plan::{Level, Plan};
use rustix::io::Result;
use rustix::process::{Pid, Resource, Rlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};

/// What building the walls needs of a user namespace's first process.
const FOR_THE_WALLS: CapabilitySet = CapabilitySet::SYS_ADMIN.union(CapabilitySet::SETPCAP);

/// Lets the capabilities that build the walls survive the start of the inner process.
pub(super) fn keep_for_the_walls() -> Result<()> {
    let mut sets = rustix::thread::capabilities(None)?;
    sets.inheritable = FOR_THE_WALLS;
    rustix::thread::set_capabilities(None, sets)?;
    for capability in FOR_THE_WALLS.iter() {
        rustix::thread::configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

/// Becomes `uid`, without a group, a capability, or a way to any.
pub(super) fn drop_all(uid: Option<u32>) -> Result<()> {
    let held = rustix::thread::capabilities(None)?.effective;
    if held.contains(CapabilitySet::SETPCAP) {
        // The kernel knows fewer than 64, and says so.
        for capability in (0..64).map(|it| CapabilitySet::from_bits_retain(1 << it)) {
            match rustix::thread::remove_capability_from_bounding_set(capability) {
                Ok(()) | Err(rustix::io::Errno::INVAL) => (),
                Err(error) => return Err(error),
            }
        }
    }
    if let Some(uid) = uid {
        let gid = rustix::process::Gid::from_raw(uid);
        let uid = rustix::process::Uid::from_raw(uid);
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    }
    rustix::thread::clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets)?;
    rustix::thread::set_no_new_privs(true)
}

/// Sets the limits of `plan`. A limit that is lower already stays.
pub(super) fn limit(plan: &Plan) -> Result<()> {
    let limits = plan.limits;
    // Without a user namespace the kernel counts all of this user's processes, the server's too.
    let shared = plan.level != Level::Full && plan.uid.is_none();
    let processes = if shared { limits.processes.max(SHARED_PROCESSES) } else { limits.processes };
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Fsize, limits.scratch),
        (Resource::Nofile, limits.files),
        (Resource::Nproc, processes),
    ] {
        rustix::process::setrlimit(resource, at_most(resource, most))?;
    }
    Ok(())
}

/// Sets the limit of writable memory: at last, and for the program alone. Our own allocator may have
/// reserved more than that, and could start nothing any more.
pub(super) fn limit_memory(plan: &Plan, program: Option<Pid>) -> Result<()> {
    let limit = at_most(Resource::Data, plan.limits.memory);
    match rustix::process::prlimit(program, Resource::Data, limit) {
        // It has ended already.
        Ok(_) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error),
    }
}

fn at_most(resource: Resource, most: u64) -> Rlimit {
    let held = rustix::process::getrlimit(resource).maximum;
    let most = Some(held.map_or(most, |it| it.min(most)));
    Rlimit { current: most, maximum: most }
}

/// More than an ordinary user's session has.
const SHARED_PROCESSES: u64 = 4096;
