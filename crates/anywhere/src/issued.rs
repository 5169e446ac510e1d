//! What CreateSession answers.

use identity::sts::vouched::Begun;
use serde::Serialize;
use serde_json::{Value, json};
use service::Permit;

/// The session's credentials, and for whom they are.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    credential_set: [Session; 1],
    subject_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    assumed_role_user: AssumedRoleUser,
    credentials: Credentials,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<usize>,
    role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AssumedRoleUser {
    arn: String,
    assumed_role_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    access_key_id: String,
    expiration: String,
    #[serde(serialize_with = "wire::json::secret_text")]
    secret_access_key: base::Sensitive,
    #[serde(serialize_with = "wire::json::secret_text")]
    session_token: base::Sensitive,
}

impl Output {
    /// The answer for `begun`, a session of the role `role_arn`, and what permits it.
    pub(crate) fn new(begun: Begun, role_arn: &str, subject_arn: String) -> (Permit, Self) {
        let Begun { permit, claims, credentials } = begun;
        let session = Session {
            assumed_role_user: AssumedRoleUser {
                arn: claims.arn(),
                assumed_role_id: claims.principal_id(),
            },
            packed_policy_size: credentials.packed,
            credentials: Credentials {
                access_key_id: credentials.access_key_id,
                expiration: credentials.expiration.to_string(),
                secret_access_key: credentials.secret,
                session_token: credentials.token,
            },
            role_arn: role_arn.to_owned(),
            source_identity: claims.source_identity,
        };
        (permit, Self { credential_set: [session], subject_arn })
    }

    /// What an audit record tells of it: everything but the secrets.
    pub(crate) fn elements(&self) -> Value {
        let [session] = &self.credential_set;
        json!({
            "credentialSet": [{
                "assumedRoleUser": session.assumed_role_user,
                "credentials": {
                    "accessKeyId": session.credentials.access_key_id,
                    "expiration": session.credentials.expiration,
                },
                "roleArn": session.role_arn,
                "sourceIdentity": session.source_identity,
            }],
            "subjectArn": self.subject_arn,
        })
    }
}
