//! What a session token says.

use base::{AccountId, Arn, Timestamp};
use serde::{Deserialize, Serialize};
use service::{Caller, Kind, Session};
use std::collections::BTreeMap;

/// All that is known of a session, as its token carries it.
///
/// Names are short because a token has to be. A claim that this program doesn't know makes the token
/// invalid: it might take something away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The account that the principal belongs to.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// Who it is.
    #[serde(rename = "w")]
    pub principal: Principal,
    /// When the credentials were issued.
    #[serde(rename = "i")]
    pub issued: Timestamp,
    /// When they end: from this instant on they are no longer good.
    #[serde(rename = "e")]
    pub expires: Timestamp,
    /// The long-term access key that began the session, for those that end with it.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// When a second factor was shown, if one was.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<Timestamp>,
    /// Who is behind it.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// The provider of a web identity: its ARN, or a well-known name.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Tags that were handed over, by name.
    #[serde(rename = "t", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Names of those that a further session gets, too.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub transitive: Vec<String>,
    /// Whether another role's session began it.
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    pub chained: bool,
    /// The text of the policy that was handed over. It is JSON, and stands as such in the token.
    #[serde(rename = "d", default, with = "document", skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// ARNs of the managed policies that were handed over.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub policy_arns: Vec<String>,
}

/// Who a session is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Principal {
    /// A federated user, from `GetFederationToken`.
    #[serde(rename = "f")]
    Federated {
        /// The name it was given.
        #[serde(rename = "n")]
        name: String,
        /// ARN and unique id of the user that began it; `None` for the root user.
        #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
        user: Option<(String, String)>,
    },
    /// A role, from `AssumeRole`.
    #[serde(rename = "a")]
    Role {
        /// The role's ARN, with its path.
        #[serde(rename = "r")]
        arn: String,
        /// The role's unique id, `AROA…`.
        #[serde(rename = "i")]
        id: String,
        /// The name of the session.
        #[serde(rename = "s")]
        session: String,
    },
    /// The root user, from `GetSessionToken`.
    #[serde(rename = "o")]
    Root,
    /// A user, from `GetSessionToken`.
    #[serde(rename = "u")]
    User {
        /// The user's ARN.
        #[serde(rename = "r")]
        arn: String,
        /// The user's unique id, `AIDA…`.
        #[serde(rename = "i")]
        id: String,
    },
}

impl Claims {
    /// Claims of `principal` of `account` from `issued` to `expires`, and of nothing else.
    pub fn new(
        account: &AccountId,
        principal: Principal,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Self {
        Self {
            account: account.clone(),
            principal,
            issued,
            expires,
            parent: None,
            mfa: None,
            source_identity: None,
            provider: None,
            tags: BTreeMap::new(),
            transitive: Vec::new(),
            chained: false,
            policy: None,
            policy_arns: Vec::new(),
        }
    }

    /// The form in which tokens hold them.
    ///
    /// # Errors
    ///
    /// What is wrong: [`Claims::policy`] is no JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }

    /// Reads [`Claims::to_bytes`]'s form; `None` if the bytes are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The ARN by which policies and records know the session.
    pub fn arn(&self) -> String {
        let account = &self.account;
        match &self.principal {
            Principal::Federated { name, user } => {
                let partition = user.as_ref().map_or("aws", |(arn, _)| partition(arn));
                format!("arn:{partition}:sts::{account}:federated-user/{name}")
            }
            Principal::Role { arn, session, .. } => {
                let (partition, name) = (partition(arn), last(arn));
                format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}")
            }
            Principal::Root => format!("arn:aws:iam::{account}:root"),
            Principal::User { arn, .. } => arn.clone(),
        }
    }

    /// The unique id: `AIDA…`, `AROA…:session`, `111122223333:name`; the root user has the account's.
    pub fn principal_id(&self) -> String {
        match &self.principal {
            Principal::Federated { name, .. } => format!("{}:{name}", self.account),
            Principal::Role { id, session, .. } => format!("{id}:{session}"),
            Principal::Root => self.account.to_string(),
            Principal::User { id, .. } => id.clone(),
        }
    }

    /// The principal that signs with `access_key_id`.
    pub fn caller(&self, access_key_id: &str) -> Caller {
        Caller {
            account: self.account.clone(),
            arn: self.arn(),
            principal_id: self.principal_id(),
            user_name: self.user_name().to_owned(),
            access_key_id: access_key_id.to_owned(),
            kind: self.kind(),
            session: Some(self.session()),
        }
    }

    fn user_name(&self) -> &str {
        match &self.principal {
            Principal::Federated { name, .. } => name,
            Principal::Role { arn, .. } | Principal::User { arn, .. } => last(arn),
            Principal::Root => "root",
        }
    }

    fn kind(&self) -> Kind {
        match &self.principal {
            Principal::Federated { user, .. } => Kind::FederatedUser { user: user.clone() },
            Principal::Role { arn, id, .. } => {
                Kind::RoleSession { role_arn: arn.clone(), role_id: id.clone() }
            }
            Principal::Root => Kind::Root,
            Principal::User { .. } => Kind::User,
        }
    }

    fn session(&self) -> Session {
        Session {
            issued: self.issued,
            expires: self.expires,
            mfa: self.mfa,
            source_identity: self.source_identity.clone(),
            provider: self.provider.clone(),
            tags: self.tags.clone(),
            transitive: self.transitive.clone(),
            chained: self.chained,
        }
    }
}

/// The name at the end of a user's or a role's ARN, without its path.
pub(crate) fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

fn partition(arn: &str) -> &str {
    Arn::parse(arn).map_or("aws", |it| it.partition)
}

/// A text that is JSON, as what it is: a text in JSON would be escaped, and longer.
mod document {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, ser};
    use serde_json::value::RawValue;

    #[expect(clippy::ref_option, reason = "serde hands members over like this")]
    pub(super) fn serialize<S: Serializer>(
        text: &Option<String>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        let raw = text.as_deref().map(serde_json::from_str::<&RawValue>).transpose();
        raw.map_err(|_| ser::Error::custom("not JSON"))?.serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<String>, D::Error> {
        let raw = Option::<Box<RawValue>>::deserialize(input)?;
        Ok(raw.map(|it| it.get().to_owned()))
    }
}
