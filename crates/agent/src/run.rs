//! The agent's life: start, serve, drain.

use crate::config::{At, Config, ConfigError, Kind};
use crate::door::{Door, Front, Socket, accept};
use crate::keys::{IssueError, Issuer};
use crate::processes::Processes;
use crate::rules::Rules;
use crate::session::Means;
use crate::upstream::Upstream;
use base::{Clock, Entropy};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// What the agent is handed: time, chance, the server, the kernel's view of processes.
#[derive(Clone)]
pub struct World {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Spreads renewals, and makes the metadata service's tokens.
    pub entropy: Arc<dyn Entropy>,
    /// Where sessions come from.
    pub issuer: Arc<dyn Issuer>,
    /// `/proc`.
    pub processes: PathBuf,
}

/// Why the agent can't start.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The configuration is no good.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What proves the agent's identity can't be used.
    #[error("the agent's identity can't be used: {0}")]
    Identity(IssueError),
    /// It can't be listened there.
    #[error("can't listen at `{at}`: {error}")]
    Listen {
        /// Where.
        at: String,
        /// Why.
        error: std::io::Error,
    },
}

/// A running agent.
pub struct Agent {
    offered: Vec<Offered>,
    stop: watch::Sender<bool>,
    doors: JoinSet<()>,
    /// Held by the doors too; its tasks end with it.
    front: Arc<Front>,
}

/// One protocol at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The protocol.
    pub kind: Kind,
    /// The place, with the port that the kernel chose.
    pub at: At,
}

/// Checks all that can be checked without listening: the rules with their tokens, the authorities, and
/// that the agent's identity can be read.
pub fn check(config: &Config) -> Result<Upstream, AgentError> {
    config.validate()?;
    Rules::load(config)?;
    let upstream = Upstream::new(&config.server, config.identity.as_ref())?;
    upstream.check().map_err(AgentError::Identity)?;
    Ok(upstream)
}

impl Agent {
    /// Listens, and fetches sessions as soon as somebody asks.
    pub async fn start(config: &Config, world: World) -> Result<Self, AgentError> {
        config.validate()?;
        let rules = Rules::load(config)?;
        let processes = Processes::new(&world.processes, rules.ask_for_processes());
        let World { clock, entropy, issuer, .. } = world;
        let front = Arc::new(Front::new(rules, Means { issuer, clock, entropy }));
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let patience = config.server.timeout + SPARE;

        let (stop, stopped) = watch::channel(false);
        let mut bound = Vec::new();
        for listen in &config.listen {
            bound.push((Socket::bind(listen).await?, listen.offers.clone()));
        }
        let (mut offered, mut doors) = (Vec::new(), JoinSet::new());
        for (socket, offers) in bound {
            let at = socket.at();
            offered.extend(at.into_iter().flat_map(|at| {
                offers.iter().map(move |kind| Offered { kind: *kind, at: at.clone() })
            }));
            let (front, room) = (Arc::clone(&front), Arc::clone(&room));
            let door = Door { front, offers, processes: processes.clone(), room, patience };
            doors.spawn(accept(socket, Arc::new(door), stopped.clone()));
        }
        Ok(Self { offered, stop, doors, front })
    }

    /// What is offered, and where.
    pub fn offered(&self) -> &[Offered] {
        &self.offered
    }

    /// Accepts nobody any more, lets running requests finish, and forgets all sessions.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        while self.doors.join_next().await.is_some() {}
        drop(self.front);
    }
}

impl fmt::Display for Offered {
    /// A line for a shell, or a comment where no variable leads there.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match &self.at {
            At::Address(address) => address,
            At::Unix(_) => return write!(out, "# {} at {}", self.kind, self.at),
        };
        match self.kind {
            Kind::Container => write!(out, "export {CONTAINER}=http://{address}/credentials"),
            Kind::PodIdentity => write!(out, "export {CONTAINER}=http://{address}/v1/credentials"),
            Kind::Imds => write!(out, "export {IMDS}=http://{address}"),
        }
    }
}

/// Connections at the same time. Each carries one request.
const CONNECTIONS: usize = 256;
/// What a request may take besides the fetch of a session.
const SPARE: Duration = Duration::from_secs(10);
const CONTAINER: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const IMDS: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
