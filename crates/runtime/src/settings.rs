//! How functions are run on this host.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the operator says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program, with its first arguments, that calls [`function_init`](crate::function_init).
    pub init: Vec<OsString>,
    /// `AWS_ENDPOINT_URL` of functions: this server.
    pub endpoint: String,
    /// Their Region.
    pub region: String,
    /// Certificates to trust besides the host's: where the endpoint's is private.
    pub ca_bundle: Option<PathBuf>,
    /// Whether they need walls.
    pub sandbox: Demand,
    /// The user of functions where the server is root.
    pub user: u32,
    /// A folder for clients and temporary files. Emptied at the start.
    pub scratch: PathBuf,
    /// A folder for installed modules. Kept.
    pub environments: PathBuf,
    /// What every Python function finds installed, as pip understands it.
    pub python_modules: Vec<String>,
    /// What pip is told of indices and proxies: `PIP_…` and `…_PROXY` variables.
    pub pip: BTreeMap<String, String>,
    /// What one installation may take.
    pub install_limit: Duration,
    /// Folders with interpreters: the server's `PATH`.
    pub path: Vec<PathBuf>,
    /// How long an idle process is kept.
    pub warm: Duration,
    /// Processes of one function at the same time; further invocations wait.
    pub concurrency: usize,
    /// Invocations of all functions at the same time.
    pub total: usize,
    /// MB that the processes of all functions may have, memory and temporary folders together.
    pub memory_mb: u32,
    /// How long an invocation waits for its turn and for room, each.
    pub patience: Duration,
    /// What the first try of a start may take.
    pub init_limit: Duration,
}

/// Whether functions need walls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// None are built. For hosts that are walls themselves.
    None,
    /// The strongest this host can build; where it can build none, functions are refused.
    Prefer,
    /// All of them, or functions are refused.
    Require,
}

impl Settings {
    /// Defaults for a server at `endpoint` in `region` that keeps its things below `folder`.
    pub fn new(endpoint: &str, region: &str, folder: &Path) -> Self {
        Self {
            init: Vec::new(),
            endpoint: endpoint.to_owned(),
            region: region.to_owned(),
            ca_bundle: None,
            sandbox: Demand::Prefer,
            user: NOBODY,
            scratch: folder.join("scratch"),
            environments: folder.join("environments"),
            python_modules: vec![BOTO3.to_owned()],
            pip: BTreeMap::new(),
            install_limit: Duration::from_mins(5),
            path: ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from).into(),
            warm: Duration::from_mins(10),
            concurrency: 4,
            total: 64,
            memory_mb: most_of_the_host(),
            patience: Duration::from_secs(30),
            init_limit: Duration::from_secs(10),
        }
    }

    /// The user to become; none where the server can't become another.
    pub(crate) fn uid(&self) -> Option<u32> {
        rustix::process::geteuid().is_root().then_some(self.user)
    }
}

/// Three quarters of this host's memory, in MB.
fn most_of_the_host() -> u32 {
    let found = rustix::system::sysinfo();
    let bytes = found.totalram.saturating_mul(found.mem_unit.into());
    u32::try_from((bytes >> 20) / 4 * 3).unwrap_or(u32::MAX)
}

/// The user that owns nothing.
const NOBODY: u32 = 65534;
/// What Lambda's own Python images have.
const BOTO3: &str = "boto3==1.44.5";
