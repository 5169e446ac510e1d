//! What there is to know of a secret before anyone asks to use it: for those who ask about everybody.

use crate::keys::{DECRYPT, GENERATE, MANAGED};
use crate::lookup::{by_name, named};
use crate::policies::StoredPolicy;
use crate::secret::{Place, Secret, policies};
use crate::stages::Label;
use crate::version::values;
use base::Partition;
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
    /// What else the secret must be open to, of an action that is itself about no secret.
    pub each: Option<&'static str>,
    /// What else the action needs: a key to be used.
    pub lock: Option<Lock>,
    arn: String,
    /// `None` for one that is yet to be made.
    secret: Option<Arc<Secret>>,
    policy: Option<Arc<StoredPolicy>>,
}

/// A key that must be usable, too.
#[derive(Clone, Debug)]
pub struct Lock {
    /// `kms:Decrypt`.
    pub action: &'static str,
    /// The key, as KMS resolves it.
    pub key: String,
    /// When it must be usable, if that isn't always.
    pub only_if: Option<&'static str>,
    /// How this service uses it.
    pub through: Through,
}

/// The secret that `given` names for somebody at `own`, as `action` meets it; `None` if there is none. What is to
/// be made need not be there, and if it is, its policy has no say.
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
    let action = action.split_once(':').map_or("", |it| it.1).to_ascii_lowercase();
    if action == "createsecret" {
        return Ok(Some(future(place, name)));
    }
    let secret = by_name(txn, &place, name).await?;
    let Some(secret) = secret.filter(|it| complete.is_none_or(|arn| it.arn == arn)) else {
        return Ok(None);
    };
    let policy = if secret.has_policy {
        txn.find_shared(&policies(), &(&place, &secret.id)).await?
    } else {
        None
    };
    let lock = lock(txn, &place, &secret, &action).await?;
    let each = (action == "batchgetsecretvalue").then_some("secretsmanager:GetSecretValue");
    let arn = secret.arn.clone();
    Ok(Some(Exposed { place, each, lock, arn, secret: Some(secret), policy }))
}

/// A secret that is to be made under `name`. Nobody knows the end of its ARN, so only wildcards match it; with no
/// key named, it is sealed under the one that AWS manages.
fn future(place: Place, name: &str) -> Exposed {
    let Place { account, region } = &place;
    let partition = Partition::of(region);
    let arn = format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-??????");
    let key = format!("alias/{MANAGED}");
    let through = through(&place, &arn);
    let lock = Lock { action: GENERATE.0, key, only_if: Some(WITH_VALUE), through };
    Exposed { place, each: None, lock: Some(lock), arn, secret: None, policy: None }
}

/// A secret can be made without a value, and its description changed.
const WITH_VALUE: &str = "SecretString or SecretBinary is given";

/// The key that reading the current value, or writing a new one, needs.
///
/// Source: Secrets Manager User Guide, "Secret encryption and decryption", on permissions for the KMS key.
async fn lock(
    txn: &mut Txn<'_>,
    place: &Place,
    secret: &Secret,
    action: &str,
) -> Result<Option<Lock>, store::Error> {
    let new = secret.kms_key_id.clone().unwrap_or_else(|| format!("alias/{MANAGED}"));
    let (action, key, only_if) = match action {
        "batchgetsecretvalue" | "getsecretvalue" => {
            let Some(current) = secret.stages.holder(&Label::CURRENT) else { return Ok(None) };
            let version = txn.find_shared(&values(), &(place, &secret.id, current)).await?;
            let Some(version) = version else { return Ok(None) };
            let key = version.sealed.key_arns().next().map(str::to_owned);
            (DECRYPT, key.unwrap_or(new), None)
        }
        "putsecretvalue" => (GENERATE, new, None),
        "updatesecret" => (GENERATE, new, Some(WITH_VALUE)),
        _ => return Ok(None),
    };
    let through = through(place, &secret.arn);
    Ok(Some(Lock { action: action.0, key, only_if, through }))
}

fn through(place: &Place, arn: &str) -> Through {
    Through {
        service: format!("secretsmanager.{}.amazonaws.com", place.region),
        context: vec![("SecretARN", Some(arn.to_owned())), ("SecretVersionId", None)],
    }
}

impl Exposed {
    /// Its ARN.
    pub fn arn(&self) -> &str {
        &self.arn
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
            _ => self.secret.as_ref()?.condition(key),
        }
    }

    fn is_open(&self, key: &str) -> bool {
        // The tags and the type of one that is to be made are its maker's to choose.
        let is_kept = key == "secretsmanager:resource/type" || key.contains("resourcetag/");
        self.secret.is_none() || !is_kept
    }
}
