//! Private endpoints: listeners that stand for a door of a private network.

use crate::Held;
use base::AccountId;
use policy::engine::{Grammar, Policy};
use std::sync::Arc;

/// A private endpoint, through which requests come that count as from inside a network.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `vpce-0a1b2c3d`.
    pub id: String,
    /// `vpc-0a1b2c3d`, the network.
    pub vpc: Option<String>,
    /// The account that owns both.
    pub account: Option<AccountId>,
    /// What may be asked for through it; `None`: everything.
    pub policy: Option<Held>,
}

impl Endpoint {
    /// The policy `text` of an endpoint.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in one line.
    pub fn policy(text: &str) -> Result<Held, String> {
        let compiled = Policy::compile(text, Grammar::Endpoint);
        let policy = compiled.map_err(|it| format!("{it} ({})", it.detail()))?;
        Ok(Held::new("endpoint-policy", Arc::new(policy)))
    }
}

/// An endpoint is known by its id.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Endpoint {}
