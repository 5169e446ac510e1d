//! What an account has set for itself.

use base::{AccountId, Entropy, Uuid};
use serde::{Deserialize, Serialize};
use store::path::Path;
use store::{Table, Txn};

/// Settings of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Of the global endpoint's session tokens: 1 or 2. Those of this server are of one form, whatever it is.
    token_version: Option<u8>,
    /// Whether principals of the account may get tokens for elsewhere.
    federation: Option<Federation>,
}

/// Tokens for elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Federation {
    /// Who issues them. It stays the same, however often they are forbidden and allowed again.
    issuer: String,
    enabled: bool,
}

store::json_record!(Settings, 1);

const SETTINGS: Table<AccountId, Settings> =
    Table::new(|account| Path::new("a").with(account).with("settings").key());

/// The settings of `account`.
pub(crate) async fn find(txn: &mut Txn<'_>, account: &AccountId) -> Result<Settings, store::Error> {
    Ok(txn.find(&SETTINGS, account).await?.unwrap_or_default())
}

/// Writes the settings of `account`.
pub(crate) fn save(
    txn: &mut Txn<'_>,
    account: &AccountId,
    settings: &Settings,
) -> Result<(), store::Error> {
    txn.save(&SETTINGS, account, settings)
}

impl Settings {
    /// The version of the global endpoint's tokens.
    pub(crate) fn token_version(&self) -> u8 {
        self.token_version.unwrap_or(1)
    }

    /// Sets the version of the global endpoint's tokens.
    pub(crate) fn set_token_version(&mut self, version: u8) {
        self.token_version = Some(version);
    }

    /// Who issues tokens for elsewhere, if that is allowed.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.federation.as_ref().filter(|it| it.enabled).map(|it| it.issuer.as_str())
    }

    /// Allows tokens for elsewhere; gives their issuer.
    pub(crate) fn enable(&mut self, entropy: &dyn Entropy) -> String {
        let new = || Federation { issuer: issuer(entropy), enabled: true };
        let federation = self.federation.get_or_insert_with(new);
        federation.enabled = true;
        federation.issuer.clone()
    }

    /// Forbids tokens for elsewhere.
    pub(crate) fn disable(&mut self) {
        if let Some(federation) = &mut self.federation {
            federation.enabled = false;
        }
    }
}

/// An issuer as AWS's are called, but of a domain that nobody can have: no token is issued here, and nobody
/// should trust another's.
fn issuer(entropy: &dyn Entropy) -> String {
    format!("https://{}.tokens.sts.global.api.invalid", Uuid::random(entropy))
}
