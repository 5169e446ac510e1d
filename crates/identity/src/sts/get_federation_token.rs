//! GetFederationToken: temporary credentials for somebody who has no user, within what the caller may do.

use super::answer::{FederatedUser, TemporaryCredentials};
use super::tags::{self, Tag};
use super::{Error, PolicyDescriptor, bars, begin, limits, session_policy};
use crate::session::{Claims, Principal};
use policy::engine::Values;
use serde::{Deserialize, Serialize};
use service::{Action, Answer, Call, Caller, Kind, Operation, Target};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, List, Text};

/// For whom, for how long, and with which policies.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct GetFederationToken {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_arns: Option<List<PolicyDescriptor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<Integer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<List<Tag>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_session_token_size: Option<Integer>,
}

/// The credentials, and whose they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FederationToken {
    credentials: TemporaryCredentials,
    federated_user: FederatedUser,
    packed_policy_size: Option<usize>,
    session_token_utilization: usize,
    session_token_size: usize,
}

impl Operation for GetFederationToken {
    const NAME: &'static str = "GetFederationToken";
    const SOURCE: &'static str = super::SOURCE;
    const ACTION: Action = Action("sts:GetFederationToken");
    const READ_ONLY: bool = true;
    type Output = FederationToken;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("name", self.name.as_ref());
        limits::name(found, "name", self.name.as_ref(), 32);
        let policy = (self.policy.as_ref(), 2048);
        session_policy::constraints(found, policy, self.policy_arns.as_ref());
        found.range("durationSeconds", self.duration_seconds, limits::OF_USER);
        tags::constraints(found, self.tags.as_ref());
        limits::token_size(found, self.minimum_session_token_size);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<Answer<FederationToken>, Error> {
        bars::long_term_only(call.caller, Self::NAME)?;
        let name = self.name.as_ref().map_or("", Text::as_str);
        let principal = Principal::Federated { name: name.to_owned(), user: user(call.caller) };
        let lifetime = limits::lifetime_of_user(call.caller, self.duration_seconds);
        let claims = begin::claims(call, &call.caller.account, principal, lifetime);
        let arn = claims.arn();
        let target = Target::of(&claims.account, Some(&arn));
        let permit = call.admit(self, target)?;
        if tags::has_any(call.caller, self.tags.as_ref()) {
            call.permit(self, tags::ACTION, target)?;
        }
        let claims = self.completed(call.caller, txn, claims.clone()).await?;
        let least = self.minimum_session_token_size;
        let (credentials, packed) = begin::issue(call, txn, &claims, least).await?;
        let size = credentials.size();
        let token = FederationToken {
            credentials,
            federated_user: FederatedUser { federated_user_id: claims.principal_id(), arn },
            packed_policy_size: packed,
            session_token_utilization: size.utilization,
            session_token_size: size.characters,
        };
        Ok(Answer::new(permit, token))
    }

    fn elements(output: &FederationToken) -> Option<serde_json::Value> {
        Some(serde_json::json!({
            "credentials": output.credentials.elements(),
            "federatedUser": {
                "federatedUserId": output.federated_user.federated_user_id,
                "arn": output.federated_user.arn,
            },
            "packedPolicySize": output.packed_policy_size,
        }))
    }
}

impl GetFederationToken {
    /// `claims` with what the call hands over.
    async fn completed(
        &self,
        caller: &Caller,
        txn: &mut Txn<'_>,
        claims: Claims,
    ) -> Result<Claims, Error> {
        let tags = tags::of_session(caller, self.tags.as_ref(), None)?;
        let (text, arns) = (self.policy.as_ref(), self.policy_arns.as_ref());
        let policies = session_policy::checked(txn, &claims.account, text, arns);
        let (policy, policy_arns) = policies.await?;
        let parent = Some(caller.access_key_id.clone());
        Ok(Claims { parent, policy, policy_arns, tags: tags.tags, ..claims })
    }
}

/// ARN and unique id of the user that begins the session; `None` for the root user.
fn user(caller: &Caller) -> Option<(String, String)> {
    let is_user = caller.kind == Kind::User;
    is_user.then(|| (caller.arn.clone(), caller.principal_id.clone()))
}
