//! What a function's first process is told: where it lives, what it sees, how much it may use.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How far a function is kept apart, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Own namespaces, an own root folder, no capability, a list of refused system calls, limits.
    Full,
    /// The host's folders as far as Landlock lets them be seen, refused system calls, limits.
    Fenced,
    /// Limits only. Never chosen unless the operator says so.
    Open,
}

/// An order to a function's first process; it comes on its standard input, as one line of JSON.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) stage: Stage,
    pub(crate) plan: Plan,
}

/// Who carries out the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Makes the namespaces, starts the inner one, waits for it, and ends everything it left.
    Outer,
    /// Builds the walls from inside and becomes, or starts, the program.
    Inner,
}

/// No `Debug`: the environment holds credentials.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) level: Level,
    /// The user to become; none keeps the server's, which isn't root then.
    pub(crate) uid: Option<u32>,
    pub(crate) program: Vec<String>,
    /// As the program sees it.
    pub(crate) directory: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    /// An empty folder of this process alone, over which the new root is mounted.
    pub(crate) root: PathBuf,
    /// What is seen of the host, in the order in which it is mounted.
    pub(crate) shown: Vec<Shown>,
    /// Small files of the new root.
    pub(crate) texts: BTreeMap<PathBuf, String>,
    pub(crate) limits: Limits,
}

/// A file or folder of the host, and where the program sees it. Below [`Level::Full`] that is where
/// it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) from: PathBuf,
    pub(crate) to: PathBuf,
    pub(crate) writable: bool,
}

/// What one function may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// Bytes of writable memory of one process.
    pub(crate) memory: u64,
    /// Bytes of the temporary folder, and of one file.
    pub(crate) scratch: u64,
    /// Processes and threads of its user.
    pub(crate) processes: u64,
    /// Open files of one process.
    pub(crate) files: u64,
}

impl Shown {
    /// Seen where it is.
    pub(crate) fn in_place(path: impl Into<PathBuf>) -> Self {
        let from = path.into();
        Self { to: from.clone(), from, writable: false }
    }

    /// Seen elsewhere.
    pub(crate) fn at(from: impl Into<PathBuf>, to: impl Into<PathBuf>) -> Self {
        Self { from: from.into(), to: to.into(), writable: false }
    }
}

/// The status with which a first process ends that couldn't build the walls; why is on its standard
/// error.
pub(crate) const NOT_STARTED: i32 = 213;
