//! CreateSession: temporary credentials of a role, for who holds the key of a certificate.
//!
//! The door has checked the signature with the certificate's key; everything else about the certificate is
//! asked here. The order is the one in which a stranger learns least: what the certificate itself is, whether
//! the account believes it, and only then the profile and the role.
//!
//! Source: IAM Roles Anywhere User Guide, "CreateSession API" and "The trust model".

use super::SOURCE;
use crate::attributes::is_of_identity;
use crate::chain::Path;
use crate::issued::Output;
use crate::kept::{self, Kept};
use crate::rows::{Profile, TrustAnchor};
use crate::{Certificate, Error, HOST, Unfit, certificate, limits, subject, trust};
use identity::sts::vouched::{self, Begun, Wanted};
use policy::engine::{Context, Values};
use service::context::{request_tags, tag};
use service::{Action, Answer, Call, Kind, Operation, rest_input};
use std::collections::BTreeMap;
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

rest_input! {
    /// Which role, by which profile and trust anchor, and the certificate that its header carries.
    pub struct CreateSession {
        cert: Text,
        #[serde(skip_serializing)]
        certificate_chain: Text,
        duration_seconds: Integer,
        profile_arn: Text,
        role_arn: Text,
        role_session_name: Text,
        trust_anchor_arn: Text,
    }
}

impl Operation for CreateSession {
    const NAME: &'static str = "CreateSession";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:CreateSession");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("profileArn", self.profile_arn.as_ref());
        found.length("profileArn", self.profile_arn.as_ref(), 1..=1011);
        found.required("roleArn", self.role_arn.as_ref());
        found.length("roleArn", self.role_arn.as_ref(), 1..=1011);
        limits::anchor_arn(found, "trustAnchorArn", self.trust_anchor_arn.as_ref());
        found.range("durationSeconds", self.duration_seconds, limits::DURATION);
        let name = self.role_session_name.as_ref();
        found.length("roleSessionName", name, 2..=64);
        let holds = |it: &str| it.bytes().all(is_of_identity);
        found.pattern("roleSessionName", name, r"[\w+=,.@-]*", holds);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let leaf = self.holder(call)?;
        let chain = certificate::chain(self.certificate_chain.as_ref().map(Text::as_str))?;
        let path = Path { leaf: &leaf, intermediates: &chain, now: call.now };
        let anchor = self.trust_anchor_arn.as_ref().map_or("", Text::as_str);
        let id = kept::id_in::<TrustAnchor>(call, anchor);
        let anchor = trust::believed(call, txn, id, path).await?;
        call.validate(self)?;
        let profile = self.profile(call, txn).await?;
        let begun = self.begin(call, txn, (&leaf, &anchor, &profile)).await?;
        let subject = subject::seen(call, txn, &leaf).await?;
        let (permit, output) = Output::new(begun, self.role(), subject);
        Ok(Answer::new(permit, output))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(output.elements())
    }
}

impl CreateSession {
    /// The certificate whose key the door has checked the signature with.
    fn holder(&self, call: &Call<'_>) -> Result<Certificate, Error> {
        let leaf = Certificate::parse(self.cert.as_ref().map_or("", Text::as_str))?;
        let by_service = call.caller.kind == Kind::Service { name: HOST };
        if by_service && call.caller.access_key_id == leaf.serial() {
            return Ok(leaf);
        }
        Err(Unfit::Malformed.into())
    }

    fn role(&self) -> &str {
        self.role_arn.as_ref().map_or("", Text::as_str)
    }

    /// The profile, if it is enabled and lists the role.
    async fn profile(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Kept<Profile>, Error> {
        let denied = |text: &str| Error::Denied(text.to_owned());
        let given = self.profile_arn.as_ref().map_or("", Text::as_str);
        let id = kept::id_in::<Profile>(call, given).unwrap_or_default();
        let found = kept::find::<Profile>(call, txn, id).await?;
        let profile = found.ok_or_else(|| denied("Profile not found"))?;
        if !profile.enabled {
            return Err(denied("Profile is disabled"));
        }
        if !profile.what.role_arns.iter().any(|it| it == self.role()) {
            return Err(denied("Role is not in the profile"));
        }
        if self.role_session_name.is_some() && !profile.what.accept_session_name {
            return Err(denied("Profile does not accept a role session name"));
        }
        Ok(profile)
    }

    async fn begin(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
        (leaf, anchor, profile): (&Certificate, &Kept<TrustAnchor>, &Kept<Profile>),
    ) -> Result<Begun, Error> {
        let asked = self.duration_seconds.and_then(|it| u64::try_from(it.get()).ok());
        let profile = &profile.what;
        let session_name = self.role_session_name.as_ref().map_or(&*leaf.serial_hex, Text::as_str);
        let source_identity = leaf.common_name.as_deref();
        let account = call.caller.account.as_str();
        let keys =
            Keys { anchor: &anchor.arn, account, tags: &leaf.tags, session_name, source_identity };
        let wanted = Wanted {
            role_arn: self.role(),
            session_name,
            source_identity,
            tags: &leaf.tags,
            lifetime: asked.unwrap_or(profile.duration).min(profile.duration),
            policy: profile.session_policy.as_deref(),
            policy_arns: &profile.managed_policy_arns,
            keys: &keys,
        };
        let begun = vouched::begin(call, txn, self, wanted).await;
        begun.map_err(|error| Error::of_role(error, self.role()))
    }
}

/// What a role's trust policy may ask for.
struct Keys<'a> {
    anchor: &'a str,
    account: &'a str,
    tags: &'a BTreeMap<String, String>,
    session_name: &'a str,
    source_identity: Option<&'a str>,
}

impl Context for Keys<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        match key {
            "aws:sourceaccount" => Some(Values::one(self.account)),
            "aws:sourcearn" => Some(Values::one(self.anchor)),
            "sts:rolesessionname" => Some(Values::one(self.session_name)),
            "sts:sourceidentity" => self.source_identity.map(Values::one),
            _ if key.starts_with("aws:principaltag/") => tag(self.tags, key),
            _ => {
                let tags = self.tags.iter().map(|it| (it.0.as_str(), it.1.as_str()));
                request_tags(Some(tags), key)
            }
        }
    }
}
