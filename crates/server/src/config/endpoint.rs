//! `[[endpoint]]`: listeners that stand for private endpoints.

use super::organization::resolve;
use super::{Config, ConfigError, Listen};
use base::AccountId;
use serde::Deserialize;
use service::Endpoint;
use std::path::PathBuf;
use std::sync::Arc;

/// `[[endpoint]]`: a listener that stands for a private endpoint, as a network of your own has them. What comes
/// through it has `aws:SourceVpce` and no `aws:SourceIp`, and its policy decides what may be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// One of `server.listen`, written as it is there.
    pub listen: Listen,
    /// `vpce-` and lower-case letters and digits.
    pub vpc_endpoint: String,
    /// `vpc-` and lower-case letters and digits: the network.
    pub vpc: Option<String>,
    /// The account that owns both.
    pub account: Option<AccountId>,
    /// The file with the endpoint's policy. Without one, everything may be asked for.
    pub policy: Option<PathBuf>,
    /// The policy itself.
    pub document: Option<String>,
}

impl EndpointConfig {
    /// Reads the file of the policy.
    pub(super) fn resolve(&mut self) -> Result<(), ConfigError> {
        let key = format!("endpoint.{}", self.vpc_endpoint);
        resolve(&key, "policy", (&mut self.policy, &mut self.document))
    }

    fn made(&self) -> Result<Endpoint, String> {
        check_id(&self.vpc_endpoint, "vpce-")?;
        self.vpc.as_ref().map_or(Ok(()), |it| check_id(it, "vpc-"))?;
        Ok(Endpoint {
            id: self.vpc_endpoint.clone(),
            vpc: self.vpc.clone(),
            account: self.account.clone(),
            policy: self.document.as_deref().map(Endpoint::policy).transpose()?,
        })
    }
}

impl Config {
    /// The endpoint that `place` stands for, if it stands for one.
    pub(crate) fn endpoint_at(&self, place: &Listen) -> Result<Option<Arc<Endpoint>>, ConfigError> {
        let found = self.endpoint.iter().find(|it| it.listen == *place);
        let made = found.map(|it| it.made().map_err(|reason| refused(it, reason)));
        Ok(made.transpose()?.map(Arc::new))
    }

    pub(super) fn check_endpoints(&self) -> Result<(), ConfigError> {
        for (place, endpoint) in self.endpoint.iter().enumerate() {
            endpoint.made().map_err(|reason| refused(endpoint, reason))?;
            let listeners = self.server.listen.iter().filter(|it| **it == endpoint.listen);
            let listen = &endpoint.listen;
            let taken = self.endpoint.iter().take(place).any(|it| it.listen == *listen);
            let reason = match listeners.count() {
                0 => format!("`{listen}` is not in `server.listen`"),
                1 if taken => format!("`{listen}` stands for another endpoint already"),
                1 => continue,
                _ => format!("`{listen}` stands more than once in `server.listen`"),
            };
            return Err(refused(endpoint, reason));
        }
        Ok(())
    }
}

fn refused(endpoint: &EndpointConfig, reason: String) -> ConfigError {
    ConfigError::Policy { key: format!("endpoint.{}", endpoint.vpc_endpoint), reason }
}

fn check_id(text: &str, prefix: &str) -> Result<(), String> {
    let of_id = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    match text.strip_prefix(prefix) {
        Some(own) if !own.is_empty() && own.bytes().all(of_id) => Ok(()),
        _ => Err(format!("`{text}` is not `{prefix}` with lower-case letters and digits")),
    }
}
