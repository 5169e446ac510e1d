//! The agent of a host: hands its workloads sessions of their roles, so that none of them stores a
//! secret to fetch a secret.
//!
//! Workloads ask by what every AWS SDK already speaks: the container credentials endpoint, EKS Pod
//! Identity, EC2's metadata service in its second version. Who asks is found out, not believed:
//! [`processes`] asks the kernel, [`rules`] says which role that is. [`refresh`] decides when a session is
//! fetched anew, [`session`] holds it, [`upstream`] fetches it. [`door`] is what callers see.
//!
//! Read [`rules`] first, then [`refresh`], then [`door`].
//!
//! Invariants:
//!
//! - Who fits no rule gets nothing, and a token that fits no rule is never overlooked.
//! - One fetch at a time for each session; the old one serves until the new one is there or it ends.
//! - Credentials are in memory only, wiped when they end, and in no log and no `Debug`.
//! - A request is for this host by its address: no proxy, no name that an attacker's DNS could point here.
//!
//! This is a client: it knows the words and the signatures (floors 0 and 1) and nothing of the server.

mod config;
mod door;
mod files;
mod glob;
mod keys;
mod pod_token;
mod processes;
mod refresh;
mod rules;
mod run;
mod session;
mod upstream;

pub use config::{
    At, Config, ConfigError, IdentityConfig, Kind, Listen, Reach, ServerConfig, WorkloadConfig,
    X509Config,
};
pub use keys::{IssueError, Issuer, Keys, Wanted};
pub use pod_token::Claims;
pub use run::{Agent, AgentError, Offered, World, check};
pub use upstream::{Upstream, read_anywhere_answer, read_sts_answer};
