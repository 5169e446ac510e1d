//! OpenID Connect providers: whose tokens the roles of an account may trust.

use crate::{Error, entities};
use base::{AccountId, Entropy, Timestamp};
use oidc::{Issuer, Keys};
use serde::{Deserialize, Serialize};
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// An issuer that an account knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OidcProvider {
    /// The issuer's address, as its tokens name it.
    pub issuer: String,
    /// `arn:aws:iam::111122223333:oidc-provider/host/path`.
    pub arn: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whom its tokens may be for, in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    /// SHA-1 of certificates that vouch for the issuer's where no authority known here does: 40 hex digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thumbprints: Vec<String>,
    /// Tags in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// The issuer's keys as an operator uploaded them, for an issuer that can't be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<String>,
}

store::json_record!(OidcProvider, 1);

/// The most providers of one account.
pub(crate) const MOST: usize = 100;

/// By account and the issuer's address without its scheme. Case matters.
const fn providers<'a>() -> Table<(&'a AccountId, &'a str), OidcProvider> {
    Table::new(|(account, name)| {
        Path::new("a").with(account).with("oidc-provider").with(name).key()
    })
}

/// The provider of `account` whose issuer's address is `name`, without its scheme.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    account: &AccountId,
    name: &str,
) -> Result<Option<OidcProvider>, store::Error> {
    txn.find(&providers(), &(account, name)).await
}

/// All providers of `account`, by name.
pub(crate) async fn all(
    txn: &mut Txn<'_>,
    account: &AccountId,
) -> Result<Vec<OidcProvider>, store::Error> {
    let range = KeyRange::prefix(&entities::prefix(account, "oidc-provider"));
    let page = txn.page::<OidcProvider>(range, MOST, false).await?;
    Ok(page.rows.into_iter().map(|it| it.1).collect())
}

/// Writes `provider`, and that something changed.
pub(crate) fn save(
    txn: &mut Txn<'_>,
    account: &AccountId,
    provider: &OidcProvider,
    entropy: &dyn Entropy,
) -> Result<(), store::Error> {
    entities::changed(txn, account, entropy)?;
    txn.save(&providers(), &(account, provider.name()), provider)
}

/// Removes `provider`: its tokens open nothing from the next request on.
pub(crate) fn remove(
    txn: &mut Txn<'_>,
    account: &AccountId,
    provider: &OidcProvider,
    entropy: &dyn Entropy,
) -> Result<(), store::Error> {
    entities::changed(txn, account, entropy)?;
    txn.remove(&providers(), &(account, provider.name()));
    Ok(())
}

/// Takes `keys`, a JSON Web Key Set, for those of the provider `arn` and asks its issuer no more; with `None` it
/// is asked again. Gives the provider's account, and how many keys there are.
///
/// # Errors
///
/// [`Error::NoKeys`], [`Error::ProviderUnknown`].
pub async fn set_provider_keys(
    txn: &mut Txn<'_>,
    arn: &str,
    keys: Option<&str>,
    entropy: &dyn Entropy,
) -> Result<(AccountId, usize), Error> {
    let unknown = || Error::ProviderUnknown(arn.chars().take(300).collect());
    let (account, name) = parse(arn).ok_or_else(unknown)?;
    let provider = find(txn, &account, name).await?.ok_or_else(unknown)?;
    let count = match keys.map(|it| Keys::parse(it.as_bytes())) {
        None => 0,
        Some(Ok(keys)) if !keys.is_empty() => keys.len(),
        Some(_) => return Err(Error::NoKeys),
    };
    let keys = keys.map(str::to_owned);
    save(txn, &account, &OidcProvider { keys, ..provider }, entropy)?;
    Ok((account, count))
}

/// The account and the issuer's address without its scheme, in the ARN of a provider.
pub(crate) fn parse(arn: &str) -> Option<(AccountId, &str)> {
    let (account, name) = arn.strip_prefix("arn:aws:iam::")?.split_once(":oidc-provider/")?;
    Some((account.parse().ok()?, name)).filter(|_| !name.is_empty())
}

/// The ARN of the provider of `account` for the issuer called `name`.
pub(crate) fn arn(account: &AccountId, name: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{name}")
}

impl OidcProvider {
    /// A provider for `issuer` that nothing else is known of.
    pub(crate) fn new(account: &AccountId, issuer: &Issuer, created: Timestamp) -> Self {
        Self {
            issuer: issuer.as_str().to_owned(),
            arn: arn(account, issuer.name()),
            created,
            audiences: Vec::new(),
            thumbprints: Vec::new(),
            tags: Vec::new(),
            keys: None,
        }
    }

    /// The issuer's address without its scheme.
    pub(crate) fn name(&self) -> &str {
        self.issuer.split_once("://").map_or(&*self.issuer, |it| it.1)
    }
}
