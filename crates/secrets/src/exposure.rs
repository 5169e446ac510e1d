//! What there is to know of a secret before anyone asks to use it: for those who ask about everybody.

use crate::keys::{DECRYPT, GENERATE, MANAGED};
use crate::lookup::{by_name, named};
use crate::policies::StoredPolicy;
use crate::secret::{Place, Secret, policies};
use crate::stages::Label;
use crate::version::values;
use kms::exposure::Through;
use policy::Principal;
use policy::engine::{Attached, Context, Values};
use std::sync::Arc;
use store::Txn;

/// A secret as policies see it, for an action that nobody has asked for yet.
#[derive(Debug)]
pub struct Exposed {
    /// Who owns it, and where it is.
    pub place: Place,
    /// What else the action needs: a key to be used.
    pub lock: Option<Lock>,
    secret: Arc<Secret>,
    policy: Option<Arc<StoredPolicy>>,
}

/// A key that must be usable, too.
#[derive(Clone, Debug)]
pub struct Lock {
    /// `kms:Decrypt`.
    pub action: &'static str,
    /// The key, as KMS resolves it.
    pub key: String,
    /// How this service uses it.
    pub through: Through,
}

/// The secret that `given` names for somebody at `own`, as `action` meets it; `None` if there is none.
///
/// # Errors
///
/// The store's.
pub async fn exposed(
    txn: &mut Txn<'_>,
    own: &Place,
    given: &str,
    action: &str,
) -> Result<Option<Exposed>, store::Error> {
    let Some((place, name, complete)) = named(given, own) else { return Ok(None) };
    let secret = by_name(txn, &place, name).await?;
    let Some(secret) = secret.filter(|it| complete.is_none_or(|arn| it.arn == arn)) else {
        return Ok(None);
    };
    let policy = if secret.has_policy {
        txn.find_shared(&policies(), &(&place, &secret.id)).await?
    } else {
        None
    };
    let lock = lock(txn, &place, &secret, action).await?;
    Ok(Some(Exposed { place, lock, secret, policy }))
}

/// The key that reading the current value, or writing a new one, needs.
async fn lock(
    txn: &mut Txn<'_>,
    place: &Place,
    secret: &Secret,
    action: &str,
) -> Result<Option<Lock>, store::Error> {
    let new = secret.kms_key_id.clone().unwrap_or_else(|| format!("alias/{MANAGED}"));
    let name = action.split_once(':').map_or("", |it| it.1).to_ascii_lowercase();
    let (action, key) = match name.as_str() {
        "getsecretvalue" => {
            let Some(current) = secret.stages.holder(&Label::CURRENT) else { return Ok(None) };
            let version = txn.find_shared(&values(), &(place, &secret.id, current)).await?;
            let Some(version) = version else { return Ok(None) };
            let key = version.sealed.key_arns().next().map(str::to_owned);
            (DECRYPT, key.unwrap_or(new))
        }
        "putsecretvalue" => (GENERATE, new),
        _ => return Ok(None),
    };
    let through = Through {
        service: format!("secretsmanager.{}.amazonaws.com", place.region),
        context: vec![("SecretARN", Some(secret.arn.clone())), ("SecretVersionId", None)],
    };
    Ok(Some(Lock { action: action.0, key, through }))
}

impl Exposed {
    /// Its ARN.
    pub fn arn(&self) -> &str {
        &self.secret.arn
    }

    /// Its own policy, if it has one.
    pub fn attached(&self) -> Option<Attached<'_>> {
        self.policy.as_ref().map(|it| it.attached())
    }

    /// Whom its policy names.
    pub fn named(&self) -> Vec<Principal> {
        self.policy.as_ref().map(|it| it.named()).unwrap_or_default()
    }
}

impl Context for Exposed {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        match key {
            "secretsmanager:secretprimaryregion" => Some(Values::one(self.place.region.as_str())),
            _ => self.secret.condition(key),
        }
    }

    fn is_open(&self, key: &str) -> bool {
        key != "secretsmanager:resource/type" && !key.contains("resourcetag/")
    }
}
