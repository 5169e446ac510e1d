//! An audit record as lookups see it: whose it is, and by what it is found.

use crate::record::same_secret;
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// What lookups need to know of a record.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event<'a> {
    #[serde(borrow)]
    user_identity: Who<'a>,
    /// The service: `secretsmanager.amazonaws.com`.
    #[serde(borrow)]
    pub event_source: Cow<'a, str>,
    /// The operation, or what the service did by itself.
    #[serde(borrow)]
    pub event_name: Cow<'a, str>,
    /// The Region that served it.
    #[serde(borrow)]
    pub aws_region: Cow<'a, str>,
    /// The record's own id.
    #[serde(borrow, rename = "eventID")]
    pub event_id: Cow<'a, str>,
    /// Whether the operation only reads.
    pub read_only: bool,
    #[serde(borrow, rename = "eventCategory")]
    category: Cow<'a, str>,
    /// The account whose record it is.
    #[serde(borrow)]
    pub recipient_account_id: Cow<'a, str>,
    request_parameters: Value,
    response_elements: Value,
    additional_event_data: Value,
    #[serde(borrow)]
    resources: Vec<Touched<'a>>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Who<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    arn: Cow<'a, str>,
    #[serde(borrow)]
    user_name: Cow<'a, str>,
    #[serde(borrow)]
    access_key_id: Cow<'a, str>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Touched<'a> {
    #[serde(borrow, rename = "ARN")]
    arn: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// What a record can be found by.
///
/// Source: CloudTrail API Reference, `LookupAttribute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "AWS's names")]
pub enum Attribute {
    AccessKeyId,
    EventId,
    EventName,
    EventSource,
    ReadOnly,
    ResourceName,
    ResourceType,
    Username,
}

impl Attribute {
    /// All, by their names on the wire.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("AccessKeyId", Self::AccessKeyId),
        ("EventId", Self::EventId),
        ("EventName", Self::EventName),
        ("EventSource", Self::EventSource),
        ("ReadOnly", Self::ReadOnly),
        ("ResourceName", Self::ResourceName),
        ("ResourceType", Self::ResourceType),
        ("Username", Self::Username),
    ];

    /// The attribute called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|it| it.0 == name).map(|it| it.1)
    }
}

const SECRET: &str = "AWS::SecretsManager::Secret";
const FUNCTION: &str = "AWS::Lambda::Function";

/// Which members name a resource, and of which type: of parameters, elements and additional data alike.
///
/// CloudTrail derives them; which it takes is not published. Each form that was given counts: name and ARN.
#[rustfmt::skip]
const NAMING: &[(&str, &str, &str)] = &[
    ("iam.amazonaws.com",            "accessKeyId",         "AWS::IAM::AccessKey"),
    ("iam.amazonaws.com",            "groupName",           "AWS::IAM::Group"),
    ("iam.amazonaws.com",            "instanceProfileName", "AWS::IAM::InstanceProfile"),
    ("iam.amazonaws.com",            "policyArn",           "AWS::IAM::Policy"),
    ("iam.amazonaws.com",            "roleName",            "AWS::IAM::Role"),
    ("iam.amazonaws.com",            "userName",            "AWS::IAM::User"),
    ("kms.amazonaws.com",            "aliasName",           "AWS::KMS::Alias"),
    ("lambda.amazonaws.com",         "functionName",        FUNCTION),
    ("secretsmanager.amazonaws.com", "ARN",                 SECRET),
    ("secretsmanager.amazonaws.com", "Name",                SECRET),
    ("secretsmanager.amazonaws.com", "SecretId",            SECRET),
    ("secretsmanager.amazonaws.com", "arn",                 SECRET),
    ("secretsmanager.amazonaws.com", "name",                SECRET),
    ("secretsmanager.amazonaws.com", "rotationLambdaARN",   FUNCTION),
    ("secretsmanager.amazonaws.com", "secretId",            SECRET),
    ("secretsmanager.amazonaws.com", "secretIdList",        SECRET),
    ("sts.amazonaws.com",            "roleArn",             "AWS::IAM::Role"),
];

impl<'a> Event<'a> {
    /// The event in the record `json`; `None` for what can't be looked up: events of data, and what is no record.
    pub fn parse(json: &'a str) -> Option<Self> {
        let found: Self = serde_json::from_str(json).ok()?;
        let is_record = !found.recipient_account_id.is_empty() && !found.event_id.is_empty();
        (is_record && found.category == "Management").then_some(found)
    }

    /// Who asked, by the shortest name; nothing for what a service did by itself.
    pub fn username(&self) -> Option<&str> {
        let Who { kind, arn, user_name, .. } = &self.user_identity;
        let name = match &**kind {
            "Root" => "root",
            // A session is called by its own name, and not by the role's.
            "AssumedRole" | "FederatedUser" => arn.rsplit('/').next().unwrap_or_default(),
            _ => user_name,
        };
        (!name.is_empty()).then_some(name)
    }

    /// The key that signed.
    pub fn access_key_id(&self) -> Option<&str> {
        let id = &*self.user_identity.access_key_id;
        (!id.is_empty()).then_some(id)
    }

    /// What it touched: types and names, each pair once, in a fixed order.
    pub fn resources(&self) -> Vec<(&str, &str)> {
        let mut found: Vec<_> = self.resources.iter().map(|it| (&*it.kind, &*it.arn)).collect();
        let told = [&self.request_parameters, &self.response_elements, &self.additional_event_data];
        for (_, member, kind) in NAMING.iter().filter(|it| it.0 == self.event_source) {
            for value in told.iter().filter_map(|it| it.get(member)) {
                let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
                let names = std::iter::once(value).chain(list).filter_map(Value::as_str);
                found.extend(names.map(|it| (*kind, it)));
            }
        }
        found.retain(|it| !it.1.is_empty());
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The names of the secrets it touched, however it names them: of an ARN all that the name may be.
    pub(super) fn secrets(&self) -> Vec<&str> {
        let resources = self.resources().into_iter().filter(|it| it.0 == SECRET);
        let mut names: Vec<_> = resources.flat_map(|it| names_of_secret(it.1)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether it can be found by this. A secret is the same by its name and by its ARN.
    pub(super) fn has(&self, attribute: Attribute, value: &str) -> bool {
        self.attributes().contains(&(attribute, value))
            || attribute == Attribute::ResourceName
                && self.resources().iter().any(|it| it.0 == SECRET && same_secret(value, it.1))
    }

    /// Everything that it can be found by, once each.
    pub(super) fn attributes(&self) -> Vec<(Attribute, &str)> {
        let mut all = vec![
            (Attribute::EventId, &*self.event_id),
            (Attribute::EventName, &*self.event_name),
            (Attribute::EventSource, &*self.event_source),
            (Attribute::ReadOnly, if self.read_only { "true" } else { "false" }),
        ];
        all.extend(self.access_key_id().map(|it| (Attribute::AccessKeyId, it)));
        all.extend(self.username().map(|it| (Attribute::Username, it)));
        for (kind, name) in self.resources() {
            all.push((Attribute::ResourceName, name));
            all.push((Attribute::ResourceType, kind));
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// What a secret may be called that somebody calls `text`: a name, an ARN, or an ARN without its last six characters.
pub(super) fn names_of_secret(text: &str) -> impl Iterator<Item = &str> {
    let tail = base::Arn::parse(text).ok().and_then(|it| it.resource.strip_prefix("secret:"));
    let whole = tail.unwrap_or(text);
    let cut = tail.and_then(|it| it.rsplit_once('-')).filter(|it| it.1.len() == 6);
    std::iter::once(whole).chain(cut.map(|it| it.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(identity: &str, rest: &str) -> String {
        format!(
            r#"{{"userIdentity":{identity},"eventSource":"secretsmanager.amazonaws.com","eventName":"X",
            "awsRegion":"r","eventID":"e","recipientAccountId":"1","eventCategory":"Management"{rest}}}"#
        )
    }

    #[test]
    fn callers_have_the_names_that_cloudtrail_gives_them() {
        #[rustfmt::skip]
        let cases = [
            (r#"{"type":"IAMUser","userName":"ada","arn":"arn:aws:iam::1:user/ops/ada"}"#,                Some("ada")),
            (r#"{"type":"Root","arn":"arn:aws:iam::1:root"}"#,                                            Some("root")),
            (r#"{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/Deploy/one","userName":"no"}"#,  Some("one")),
            (r#"{"type":"FederatedUser","arn":"arn:aws:sts::1:federated-user/bob"}"#,                     Some("bob")),
            (r#"{"type":"WebIdentityUser","userName":"system:serviceaccount:a:b"}"#,                      Some("system:serviceaccount:a:b")),
            (r#"{"accountId":"1","invokedBy":"secretsmanager.amazonaws.com"}"#,                           None),
        ];
        for (identity, expected) in cases {
            let json = record(identity, "");
            assert_eq!(Event::parse(&json).expect("an event").username(), expected, "{identity}");
        }
    }

    #[test]
    fn resources_are_every_form_that_was_given() {
        #[rustfmt::skip]
        let cases: [(&str, &[(&str, &str)]); 5] = [
            (r#","requestParameters":{"secretId":"a"},"responseElements":{"arn":"b","name":"a"}"#, &[(SECRET, "a"), (SECRET, "b")]),
            (r#","requestParameters":{"secretIdList":["x","y",7]}"#,                               &[(SECRET, "x"), (SECRET, "y")]),
            (r#","additionalEventData":{"SecretId":"s"}"#,                                         &[(SECRET, "s")]),
            (r#","resources":[{"ARN":"k","type":"AWS::KMS::Key","accountId":"1"}]"#,               &[("AWS::KMS::Key", "k")]),
            (r#","requestParameters":{"secretId":{"no":"text"}},"responseElements":null"#,         &[]),
        ];
        for (rest, expected) in cases {
            let json = record("{}", rest);
            assert_eq!(Event::parse(&json).expect("an event").resources(), expected, "{rest}");
        }
    }

    #[test]
    fn only_management_events_of_an_account_can_be_found() {
        let whole = record("{}", "");
        assert!(Event::parse(&whole).is_some());
        for (from, to) in [
            ("Management", "Data"),
            (r#""recipientAccountId":"1""#, r#""recipientAccountId":"""#),
            (r#""eventID":"e""#, r#""eventID":"""#),
            ("{\"user", "\"user"),
        ] {
            assert_eq!(Event::parse(&whole.replace(from, to)), None, "{from}");
        }
    }
}
