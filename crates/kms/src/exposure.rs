//! What there is to know of a key before anyone asks to use it: for those who ask about everybody.

use crate::access::{ENCRYPT_DECRYPT, SYMMETRIC};
use crate::exception::Exception;
use crate::grant::{self, Terms};
use crate::{KmsKey, Place, policies, resolve};
use policy::engine::{Attached, Context, Values};
use policy::{Document, Principal};
use std::borrow::Cow;
use std::sync::Arc;
use store::Txn;

/// A key as policies see it, for an action that nobody has asked for yet.
#[derive(Debug)]
pub struct Exposed {
    /// The key.
    pub key: Arc<KmsKey>,
    /// The grants that are for the action.
    pub grants: Vec<Granted>,
    /// Whether there are more grants than were looked at.
    pub more_grants: bool,
    through: Option<Through>,
}

/// A grant, as far as it concerns who may.
#[derive(Clone, Debug)]
pub struct Granted {
    /// Its id.
    pub id: String,
    /// Unique id or ARN of the one that it is for.
    pub grantee: String,
    /// What the encryption context must be or hold, as far as that isn't known.
    pub constraints: Vec<String>,
}

/// The service that uses the key for its caller, and the encryption context that it gives.
#[derive(Clone, Debug)]
pub struct Through {
    /// `secretsmanager.us-east-1.amazonaws.com`.
    pub service: String,
    /// Name and value; a value that isn't known yet is `None`.
    pub context: Vec<(&'static str, Option<String>)>,
}

/// So many grants of a key are looked at.
const GRANTS: usize = 1000;

/// The key that `given` names for somebody at `place`, as `action`, such as `kms:Decrypt`, meets it.
///
/// # Errors
///
/// As of [`resolve`].
pub async fn exposed(
    txn: &mut Txn<'_>,
    (place, given): (Place<'_>, &str),
    action: &str,
    through: Option<Through>,
) -> Result<Exposed, Exception> {
    let (key, _) = resolve(txn, place, given).await?;
    let (found, more_grants) = grant::page_of_key(txn, &key, None, GRANTS).await?;
    let operation = action.split_once(':').map_or("", |it| it.1);
    let named = |it: &grant::Grant| {
        let of = it.terms.operations.iter().any(|it| it.eq_ignore_ascii_case(operation));
        of && fits(&it.terms, through.as_ref())
    };
    let grants = found.into_iter().filter(named).map(|it| Granted {
        grantee: it.terms.grantee.key().to_owned(),
        constraints: constraints(&it.terms, through.as_ref()),
        id: it.id,
    });
    let grants = grants.collect();
    Ok(Exposed { key, grants, more_grants, through })
}

/// Whether the constraints of a grant leave room for the context that is known.
fn fits(terms: &Terms, through: Option<&Through>) -> bool {
    let Some(Through { context, .. }) = through else { return true };
    let leaves = |(name, wanted): (&String, &String)| {
        let known = context.iter().find(|it| it.0 == name);
        known.is_some_and(|it| it.1.as_ref().is_none_or(|it| it == wanted))
    };
    let whole = terms.equals.as_ref().is_none_or(|it| it.len() == context.len());
    whole && terms.equals.iter().chain(&terms.subset).flatten().all(leaves)
}

fn constraints(terms: &Terms, through: Option<&Through>) -> Vec<String> {
    let known = |name: &str| {
        through.is_some_and(|it| it.context.iter().any(|it| it.0 == name && it.1.is_some()))
    };
    let pairs = terms.equals.iter().chain(&terms.subset).flatten().filter(|it| !known(it.0));
    pairs.map(|(name, value)| format!("kms:EncryptionContext:{name} = {value}")).collect()
}

impl Exposed {
    /// The key policy, as the policy engine takes it.
    ///
    /// # Errors
    ///
    /// It can't be understood.
    pub fn attached(&self) -> Result<Attached<'_>, crate::Error> {
        Ok(Attached { id: policies::DEFAULT, policy: self.key.compiled_policy()? })
    }

    /// Whom the key policy names.
    pub fn named(&self) -> Vec<Principal> {
        let text = self.key.written_policy().map(|it| it.text().to_owned()).unwrap_or_default();
        let document = Document::parse(&text).ok();
        document.iter().flat_map(Document::principals).cloned().collect()
    }

    fn context(&self, name: &str) -> Option<&Option<String>> {
        let context = &self.through.as_ref()?.context;
        context.iter().find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| &it.1)
    }
}

impl Context for Exposed {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        if let Some(name) = key.strip_prefix("aws:").filter(|it| it.starts_with("resourcetag/")) {
            return service::context::tag(&self.key.tags, name);
        }
        let name = key.strip_prefix("kms:")?;
        let through = self.through.as_ref();
        match name {
            "encryptioncontextkeys" => Some(Values::many(through?.context.iter().map(|it| it.0))),
            "keyorigin" => Some(Values::one(self.key.origin.as_str())),
            "keyspec" => Some(Values::one(SYMMETRIC)),
            "keyusage" => Some(Values::one(ENCRYPT_DECRYPT)),
            "multiregion" => Some(Values::bool(false)),
            "resourcealiases" => {
                Some(Values::Many(self.key.alias_names().map(Cow::Owned).collect()))
            }
            "viaservice" => through.map(|it| Values::one(&it.service)),
            _ => {
                let name = name.strip_prefix("encryptioncontext:")?;
                self.context(name)?.as_deref().map(Values::one)
            }
        }
    }

    fn is_open(&self, key: &str) -> bool {
        let Some(name) = key.strip_prefix("kms:") else { return !key.contains("resourcetag/") };
        match name.strip_prefix("encryptioncontext:") {
            Some(name) if self.through.is_some() => self.context(name).is_some_and(Option::is_none),
            _ => true,
        }
    }
}
