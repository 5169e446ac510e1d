//! The admin API: HTTP and JSON over a unix socket in the data folder, mode 0600.
//!
//! Who can open the socket is the operator: no signatures, no policies. Over TCP, and on loopback
//! only, the same server answers measurements and nothing else. Every change leaves an audit record,
//! and so does all that hands out what is kept: a backup, and the credentials of `dev`.
//!
//! Errors are `{"Error": "<fact>", "Hint": "<remedy>"}` with a fitting status.

mod answer;
mod change;
mod explain;
mod leases;
mod measurements;
mod organization;
mod provider_keys;
mod record;
mod recovery;
mod replay;
mod rotation;
mod sessions;
mod simulate;
mod stream;
mod who_can;

use crate::config::{Config, Mode};
use crate::connection::Answer;
use crate::front::Front;
use crate::functions::Remotes;
use crate::root_key::RootKey;
use crate::start::{DEFAULT_REGION, Endpoints};
use crate::workers::Grounds;
use answer::{AdminBody, Fault, Replied, ok};
use base::Timestamp;
use change::Change;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;
use store::backends::embedded::Embedded;
use tokio::sync::Mutex;
use trail::Journal;

/// What the admin API answers with.
pub(crate) struct Admin {
    pub(crate) front: Arc<Front>,
    pub(crate) root_key: RootKey,
    /// Held while the root key is being changed.
    pub(crate) rotating: Mutex<()>,
    pub(crate) status: Status,
    pub(crate) journal: Journal,
    pub(crate) embedded: Option<Arc<Embedded>>,
    pub(crate) grounds: Arc<Grounds>,
    pub(crate) remotes: Arc<Remotes>,
    pub(crate) mode: Mode,
}

/// Facts about this process that don't change.
pub(crate) struct Status {
    started: Timestamp,
    data: String,
    endpoints: Endpoints,
}

/// What a connection may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Everything,
    Measurements,
}

/// The admin API as one connection sees it.
pub(crate) struct Door {
    pub(crate) admin: Arc<Admin>,
    pub(crate) reach: Reach,
}

/// Bytes of a request's body; the longest sensible one is a set of keys, or a control policy.
const BODY: usize = oidc::Keys::MAX_LEN + 1024;

impl Answer for Door {
    type Body = AdminBody;

    async fn answer(&self, request: Request<Incoming>) -> Response<AdminBody> {
        let admin = &self.admin;
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().trim_matches('/').to_owned();
        let segments: Vec<_> = path.split('/').collect();
        let query = parts.uri.query().unwrap_or_default();
        let replied = match (self.reach, &parts.method, &segments[..]) {
            (_, &Method::GET, ["metrics"]) => Ok(admin.metrics().await),
            (_, &Method::GET, ["health"]) => Ok(ok(&json!({ "Status": "alive" }))),
            (_, &Method::GET, ["ready"]) => admin.ready(),
            (Reach::Measurements, ..) => Err(Fault::unknown()),
            (_, &Method::GET, ["v1", "status"]) => admin.status().await,
            (_, &Method::GET, ["v1", "dev-credentials"]) => admin.dev_credentials().await,
            (_, &Method::GET, ["v1", "accounts"]) => admin.list_accounts().await,
            (_, &Method::GET, ["v1", "access-keys"]) => admin.list_access_keys(query).await,
            (_, &Method::GET, ["v1", "who-can"]) => admin.who_can(query).await,
            (_, how, ["v1", "leases", it @ ..]) => admin.leases((how, it, query), body).await,
            (_, &Method::GET, ["v1", "rotation", what]) => admin.rotation(what, query).await,
            (_, &Method::POST, ["v1", "rotation", "verify"]) => match read(body).await {
                Ok(wanted) => Arc::clone(admin).verify_rotations(wanted).await,
                Err(fault) => Err(fault),
            },
            (_, &Method::GET, ["v1", "organization", what @ ..]) => {
                admin.organization(what, query).await
            }
            (_, &Method::POST, ["v1", "organization"]) => match read(body).await {
                Ok(act) => admin.change_organization(&act).await,
                Err(fault) => Err(fault),
            },
            (_, &Method::POST, ["v1", "backup"]) => Arc::clone(admin).backup().await,
            (_, &Method::POST, ["v1", "root-key", "rotate"]) => Arc::clone(admin).rotate().await,
            (_, &Method::POST, ["v1", "root-key", "recovery"]) => match read(body).await {
                Ok(wanted) => admin.create_recovery(wanted).await,
                Err(fault) => Err(fault),
            },
            (_, &Method::POST, ["v1", "sessions", "revoke"]) => match read(body).await {
                Ok(revoke) => admin.revoke_sessions(&revoke).await,
                Err(fault) => Err(fault),
            },
            (_, &Method::POST, ["v1", "explain", id]) => {
                let days = wire::query::Parameters::parse(query.as_bytes());
                let days = days.get("Days").and_then(|it| it.parse().ok());
                Arc::clone(admin).explain(id, days).await
            }
            (_, &Method::POST, ["v1", "simulate"]) => match read(body).await {
                Ok(wanted) => Arc::clone(admin).simulate(wanted).await,
                Err(fault) => Err(fault),
            },
            (_, &Method::POST, ["v1", "oidc-provider-keys"]) => match read(body).await {
                Ok(wanted) => admin.set_provider_keys(&wanted).await,
                Err(fault) => Err(fault),
            },
            (_, &Method::POST, ["v1", rest @ ..]) => match read_change(rest, body).await {
                Ok(change) => admin.change(&change).await,
                Err(fault) => Err(fault),
            },
            _ => Err(Fault::unknown()),
        };
        replied.unwrap_or_else(Fault::into_response)
    }

    /// Who can open the socket is the operator; who measures comes again and again.
    fn is_known(&self) -> bool {
        true
    }
}

/// What a POST wants to change.
async fn read_change(segments: &[&str], body: Incoming) -> Result<Change, Fault> {
    match segments {
        ["accounts"] => Ok(Change::CreateAccount(read(body).await?)),
        ["access-keys"] => Ok(Change::CreateAccessKey(read(body).await?)),
        ["access-keys", id, "activate"] => {
            Ok(Change::SetStatus((*id).to_owned(), identity::Status::Active))
        }
        ["access-keys", id, "deactivate"] => {
            Ok(Change::SetStatus((*id).to_owned(), identity::Status::Inactive))
        }
        ["access-keys", id, "delete"] => Ok(Change::DeleteAccessKey((*id).to_owned())),
        _ => Err(Fault::unknown()),
    }
}

/// A JSON body; nothing is an empty object.
async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, Fault> {
    let malformed =
        |what: String| Fault::new(StatusCode::BAD_REQUEST, what, "see `strongroom help`");
    let body = Limited::new(body, BODY).collect().await;
    let body = body.map_err(|error| malformed(format!("the body can't be read: {error}")))?;
    let body = body.to_bytes();
    let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
    serde_json::from_slice(text)
        .map_err(|error| malformed(format!("the body is malformed: {error}")))
}

impl Status {
    pub(crate) fn new(config: &Config, started: Timestamp, endpoints: Endpoints) -> Self {
        Self { started, data: config.server.data.display().to_string(), endpoints }
    }

    /// The folder that everything is in.
    fn data_folder(&self) -> &str {
        &self.data
    }

    /// `http://127.0.0.1:4747`; without plain HTTP, the first over TLS.
    fn endpoint(&self) -> Option<String> {
        let plain = self.endpoints.plain.first().map(|it| format!("http://{it}"));
        plain.or_else(|| self.tls_endpoint())
    }

    fn tls_endpoint(&self) -> Option<String> {
        // The certificate is made for the name; a literal address fits too, but not every client.
        let shown = |it: &std::net::SocketAddr| {
            if it.ip().is_loopback() {
                format!("https://localhost:{}", it.port())
            } else {
                format!("https://{it}")
            }
        };
        self.endpoints.tls.first().map(shown)
    }
}

impl Admin {
    async fn status(&self) -> Replied {
        let snapshot = self.front.backend.snapshot().await?;
        let roots = self.front.keyring.roots();
        let Status { started, data, endpoints } = &self.status;
        Ok(ok(&json!({
            "Version": env!("CARGO_PKG_VERSION"),
            "Pid": std::process::id(),
            "StartedAt": started.to_string(),
            "Mode": match self.mode { Mode::Dev => "dev", Mode::Server => "server" },
            "Endpoint": self.status.endpoint(),
            "TlsEndpoint": self.status.tls_endpoint(),
            "CaFile": endpoints.authority,
            "DataFolder": data,
            "StoreRevision": snapshot.revision().0,
            "JournalSequence": self.journal.sequence(),
            "JournalPublicKey": self.journal.public_key().to_string(),
            "RootKey": { "Id": roots.active.id(), "Provider": self.root_key.provider() },
            "RootKeyChanging": roots.other.is_some(),
        })))
    }

    async fn list_accounts(&self) -> Replied {
        let mut txn = store::begin(&*self.front.backend);
        let accounts = identity::list_accounts(&mut txn).await?;
        let accounts: Vec<_> = accounts
            .iter()
            .map(|it| json!({ "AccountId": it.id, "CreatedAt": it.created.to_string() }))
            .collect();
        Ok(ok(&json!({ "Accounts": accounts })))
    }

    async fn list_access_keys(&self, query: &str) -> Replied {
        let parameters = wire::query::Parameters::parse(query.as_bytes());
        let account = parameters.get("AccountId").unwrap_or_default().parse();
        let account = account.map_err(|error: base::Malformed| {
            Fault::new(StatusCode::BAD_REQUEST, error.to_string(), "give `?AccountId=` 12 digits")
        })?;
        let mut txn = store::begin(&*self.front.backend);
        let keys = identity::list_access_keys(&mut txn, &account).await?;
        let keys: Vec<_> = keys.iter().map(change::shown).collect();
        Ok(ok(&json!({ "AccessKeys": keys })))
    }

    async fn dev_credentials(&self) -> Replied {
        if self.mode != Mode::Dev {
            let hint = "make a key of your own with `strongroom access-key create`";
            let fact = "this is no dev server, so it has no credentials to give away";
            return Err(Fault::new(StatusCode::NOT_FOUND, fact, hint));
        }
        let (key, secret) = self.dev_key().await?;
        let details = json!({ "accessKeyId": key.id, "userName": key.user_name });
        self.record_act(&key.account, "GetDevCredentials", &details).await?;
        let secret = String::from_utf8_lossy(secret.expose());
        Ok(ok(&json!({
            "Endpoint": self.status.endpoint(),
            "TlsEndpoint": self.status.tls_endpoint(),
            "CaFile": self.status.endpoints.authority,
            "AccountId": key.account,
            "AccessKeyId": key.id,
            "SecretAccessKey": secret,
            "Region": DEFAULT_REGION,
        })))
    }
}
