//! Landlock: which of the host's folders a process may still open.

use super::init::{Refused, Step};
use super::plan::Shown;
use landlock::{
    ABI, Access, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope,
};
use std::io;

/// From here on only what is `shown` can be opened, and no process outside can be sent a signal.
pub(super) fn around(shown: &[Shown]) -> Result<(), Refused> {
    let status = built(shown).map_err(io::Error::other).step("fence off folders with Landlock")?;
    if status == RulesetStatus::NotEnforced {
        let missing = io::Error::from(io::ErrorKind::Unsupported);
        return Err(missing).step("fence off folders with Landlock");
    }
    Ok(())
}

fn built(shown: &[Shown]) -> Result<RulesetStatus, landlock::RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for one in shown {
        // What isn't there can't be shown.
        let Ok(fd) = PathFd::new(&one.from) else { continue };
        let folder = one.from.is_dir();
        let wanted = match (one.writable, folder) {
            (true, true) => AccessFs::from_all(NEWEST),
            (true, false) => AccessFs::from_file(NEWEST),
            (false, true) => AccessFs::from_read(NEWEST),
            (false, false) => AccessFs::from_read(NEWEST) & AccessFs::from_file(NEWEST),
        };
        ruleset = ruleset.add_rule(PathBeneath::new(fd, wanted))?;
    }
    Ok(ruleset.restrict_self()?.ruleset)
}

/// Sockets without a file belong to the network namespace, which is the host's. Where the kernel is
/// too old for this they stay in reach: a wall less, not a reason to stop.
pub(super) fn keep_from_abstract_sockets() {
    let ruleset = Ruleset::default().scope(Scope::AbstractUnixSocket).and_then(Ruleset::create);
    let _ = ruleset.and_then(landlock::RulesetCreated::restrict_self);
}

/// What is newer than the kernel is left out by the library.
const NEWEST: ABI = ABI::V6;
