//! All places a server is reached at: taken before anything is made, and put together at the end.

use crate::config::{Config, Mode};
use crate::dev_certificate;
use crate::listen::{ListenError, Secured, Socket};
use crate::start::{Endpoints, StartError};
use crate::tls::{Certificates, TlsError};
use base::Clock;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// What can be had without the data folder. A start that fails for want of it has made nothing.
pub(crate) struct Reserved {
    /// In the order of the configuration; `None` for unix sockets.
    api: Vec<Option<TcpListener>>,
    metrics: Option<TcpListener>,
    /// Nothing in `dev`, whose certificate is in the data folder.
    secured: Option<Secured>,
}

/// Bound sockets, not accepted from yet.
pub(crate) struct Sockets {
    pub(crate) api: Vec<Socket>,
    pub(crate) admin: Socket,
    pub(crate) metrics: Option<Socket>,
    pub(crate) endpoints: Endpoints,
}

impl Reserved {
    /// Takes the addresses of `config`, and reads its certificate.
    pub(crate) async fn take(config: &Config) -> Result<Self, StartError> {
        let secured = match &config.tls {
            Some(tls) if config.mode == Mode::Server => Some(secure(tls)?),
            _ => None,
        };
        let mut api = Vec::new();
        for place in &config.server.listen {
            api.push(match place.address() {
                Some(address) => Some(listen(address, &place.to_string()).await?),
                None => None,
            });
        }
        let metrics = match config.admin.listen {
            Some(address) => Some(listen(address, &address.to_string()).await?),
            None => None,
        };
        Ok(Self { api, metrics, secured })
    }
}

impl Sockets {
    /// Adds to `reserved` what is in the data folder, and the unix sockets.
    pub(crate) fn bind(
        config: &Config,
        reserved: Reserved,
        clock: &dyn Clock,
    ) -> Result<Self, StartError> {
        let mut endpoints = Endpoints { admin: config.admin_socket(), ..Endpoints::default() };
        let mut secured = reserved.secured;
        if let Some(tls) = &config.tls
            && config.mode == Mode::Dev
        {
            let made = dev_certificate::ensure(tls, clock.now());
            endpoints.authority = Some(made.map_err(StartError::DevCertificate)?);
            secured = Some(secure(tls)?);
        }
        // First of all: who has the admin socket is the server of this folder.
        let admin = Socket::bind_unix(&endpoints.admin, 0o600)?;
        let mut api = Vec::new();
        for (place, listener) in config.server.listen.iter().zip(reserved.api) {
            let socket = Socket::bind(place, listener, secured.as_ref())?;
            match (&socket, socket.address()) {
                (Socket::Tcp(_), Some(address)) => endpoints.plain.push(address),
                (Socket::Tls(..), Some(address)) => endpoints.tls.push(address),
                _ => endpoints.unix.extend(socket.path().map(Into::into)),
            }
            api.push(socket);
        }
        let metrics = reserved.metrics.map(Socket::Tcp);
        endpoints.metrics = metrics.as_ref().and_then(Socket::address);
        Ok(Self { api, admin, metrics, endpoints })
    }
}

fn secure(tls: &crate::config::TlsConfig) -> Result<Secured, TlsError> {
    Secured::new(Certificates::load(tls.clone())?)
}

async fn listen(address: SocketAddr, place: &str) -> Result<TcpListener, ListenError> {
    let refused = |source| ListenError::Refused { place: place.to_owned(), source };
    TcpListener::bind(address).await.map_err(refused)
}
