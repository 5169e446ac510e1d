//! An audit record as far as people ask for it.

use serde::Deserialize;
use serde_json::Value;

/// The members of an audit record that filters and the one-line form look at.
///
/// Source: CloudTrail User Guide, "CloudTrail record contents".
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Record {
    /// Who asked.
    pub user_identity: Identity,
    /// When, to the second: `2026-01-31T10:00:00Z`.
    pub event_time: String,
    /// The operation, or what the service did by itself.
    pub event_name: String,
    /// The Region that served it.
    pub aws_region: String,
    /// The peer's address, or the service that called.
    #[serde(rename = "sourceIPAddress")]
    pub source_ip_address: String,
    /// The error's name, if it failed.
    pub error_code: Option<String>,
    /// What the caller was told, if it failed.
    pub error_message: Option<String>,
    /// What was asked for, without secrets.
    pub request_parameters: Value,
    /// What a change answered.
    pub response_elements: Value,
    /// What a service event tells.
    pub additional_event_data: Value,
    /// The record's own id.
    #[serde(rename = "eventID")]
    pub event_id: String,
}

/// Who asked.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Identity {
    /// The principal's ARN.
    pub arn: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
    /// The access key that signed.
    pub access_key_id: Option<String>,
    /// The account.
    pub account_id: Option<String>,
    /// The service that called on the principal's behalf, or by itself.
    pub invoked_by: Option<String>,
}

impl Record {
    /// The record in `json`, if it is one.
    pub fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// Whether it failed.
    pub fn failed(&self) -> bool {
        self.error_code.is_some() || self.error_message.is_some()
    }

    /// The shortest name there is for who asked: user, ARN, service, account.
    pub fn principal(&self) -> Option<&str> {
        let Identity { arn, user_name, account_id, invoked_by, .. } = &self.user_identity;
        let names = [user_name, arn, invoked_by, account_id];
        names.into_iter().find_map(|it| it.as_deref())
    }

    /// The names and ARNs of secrets it tells of, as they were given.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let asked = ["secretId", "name"].map(|it| self.request_parameters.get(it));
        let list = self.request_parameters.get("secretIdList").and_then(Value::as_array);
        let answered = [self.response_elements.get("arn")];
        let told = ["ARN", "Name", "SecretId"].map(|it| self.additional_event_data.get(it));
        let single = asked.into_iter().chain(answered).chain(told).flatten();
        single.chain(list.into_iter().flatten()).filter_map(Value::as_str)
    }
}

/// Which records to show: all that meet every given condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The event's name, such as `GetSecretValue`.
    pub event: Option<String>,
    /// Who asked, by ARN, user name or access key id.
    pub principal: Option<String>,
    /// A secret, by name or ARN, whichever of them the record holds.
    pub secret: Option<String>,
    /// Only what failed.
    pub errors_only: bool,
}

impl Filter {
    /// Whether `record` meets every condition.
    pub fn accepts(&self, record: &Record) -> bool {
        let Identity { arn, user_name, access_key_id, invoked_by, .. } = &record.user_identity;
        let names = [arn, user_name, access_key_id, invoked_by];
        let by = |wanted: &String| names.iter().any(|it| it.as_ref() == Some(wanted));
        let of = |wanted: &String| record.secrets().any(|it| same_secret(wanted, it));
        self.event.as_ref().is_none_or(|it| *it == record.event_name)
            && self.principal.as_ref().is_none_or(by)
            && self.secret.as_ref().is_none_or(of)
            && (!self.errors_only || record.failed())
    }
}

/// Whether two names, ARNs, or one of each may mean the same secret.
pub(crate) fn same_secret(one: &str, other: &str) -> bool {
    one == other || names(one, other) || names(other, one)
}

/// Whether `arn` is the ARN of a secret called `name`: the name, a hyphen and six characters, or
/// without these two, as callers may write it.
fn names(arn: &str, name: &str) -> bool {
    let Some(resource) =
        base::Arn::parse(arn).ok().and_then(|it| it.resource.strip_prefix("secret:"))
    else {
        return false;
    };
    let suffix = resource.strip_prefix(name);
    suffix.is_some_and(|it| it.is_empty() || (it.len() == 7 && it.starts_with('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = r#"{"eventVersion":"1.09","userIdentity":{"type":"IAMUser",
        "principalId":"AIDA1","arn":"arn:aws:iam::111122223333:user/ops/ada",
        "accountId":"111122223333","accessKeyId":"AKIA1","userName":"ada"},
        "eventTime":"2026-01-31T10:00:00Z","eventName":"GetSecretValue",
        "sourceIPAddress":"192.0.2.10","requestParameters":{"secretId":"shop/db"},
        "responseElements":null,"eventID":"e-1"}"#;
    const CREATED: &str = r#"{"userIdentity":{"arn":"arn:aws:iam::1:user/bob","userName":"bob"},
        "eventName":"CreateSecret","requestParameters":{"name":"shop/db"},"errorCode":"X",
        "responseElements":{"arn":"arn:aws:secretsmanager:r:1:secret:shop/db-Ab1Cd2"}}"#;
    const BATCH: &str = r#"{"userIdentity":{"invokedBy":"s"},"eventName":"BatchGetSecretValue",
        "requestParameters":{"secretIdList":["a","shop/db"]}}"#;

    #[test]
    fn filters_pick_by_every_condition() {
        let arn = "arn:aws:secretsmanager:r:1:secret:shop/db-Ab1Cd2";
        let ada = "arn:aws:iam::111122223333:user/ops/ada";
        #[rustfmt::skip]
        let cases: [(&str, &str, &str, bool, [bool; 3]); 12] = [
            // event            principal  secret            errors  read   created batch
            ("",                "",        "",               false, [true,  true,  true]),
            ("GetSecretValue",  "",        "",               false, [true,  false, false]),
            ("",                "ada",     "",               false, [true,  false, false]),
            ("",                ada,       "",               false, [true,  false, false]),
            ("",                "AKIA1",   "",               false, [true,  false, false]),
            ("",                "AKIA",    "",               false, [false, false, false]),
            ("",                "",        "shop/db",        false, [true,  true,  true]),
            ("",                "",        arn,              false, [true,  true,  true]),
            ("",                "",        "shop",           false, [false, false, false]),
            ("",                "",        "shop/db-Ab1Cd3", false, [false, false, false]),
            ("",                "",        "",               true,  [false, true,  false]),
            ("CreateSecret",    "ada",     "",               false, [false, false, false]),
        ];
        let records = [READ, CREATED, BATCH].map(|it| Record::parse(it).expect("a record"));
        for (event, principal, secret, errors_only, expected) in cases {
            let given = |it: &str| (!it.is_empty()).then(|| it.to_owned());
            let (event, principal, secret) = (given(event), given(principal), given(secret));
            let filter = Filter { event, principal, secret, errors_only };
            let found: Vec<_> = records.iter().map(|it| filter.accepts(it)).collect();
            assert_eq!(found, expected, "{filter:?}");
        }
    }

    #[test]
    fn what_is_no_record_is_none() {
        for json in ["", "7", "{\"userIdentity\":7}", "{", "nonsense"] {
            assert_eq!(Record::parse(json), None, "{json}");
        }
        assert_eq!(Record::parse("{}"), Some(Record::default()));
    }
}
