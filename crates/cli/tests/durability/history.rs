//! What writers did and what must be there afterwards: a model of secrets as small as it can be.

use crate::client::{Client, creation, put, value_of};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A secret as the model knows it. What a version holds follows from its id: [`value`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) versions: BTreeSet<String>,
    /// Which version carries which label.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) deleted: bool,
}

/// A secret, if it exists.
pub(crate) type Life = Option<State>;

/// One change of one secret.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Create {
        name: String,
        token: String,
    },
    Delete {
        name: String,
    },
    /// Moves `label` to the version `to`.
    Move {
        name: String,
        label: String,
        from: Option<String>,
        to: String,
    },
    /// A new version, which is current if it gets no other label.
    Put {
        name: String,
        token: String,
        label: Option<String>,
    },
    /// Deletes at once.
    Remove {
        name: String,
    },
    Restore {
        name: String,
    },
    Tag {
        name: String,
        key: String,
        value: String,
    },
}

/// An act that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) act: Act,
    /// The moment before it was sent, on a clock of all writers.
    pub(crate) begun: u64,
    /// The moment after its answer; `None`: there was none, so it was done or it wasn't.
    pub(crate) ended: Option<u64>,
    pub(crate) request_id: Option<String>,
}

pub(crate) const CURRENT: &str = "AWSCURRENT";
pub(crate) const PREVIOUS: &str = "AWSPREVIOUS";

/// What the version `token` holds.
pub(crate) fn value(token: &str) -> String {
    let number = token.bytes().fold(7_usize, |sum, it| sum * 31 % 1999 + usize::from(it));
    format!("the value of {token}{}", "-".repeat(number))
}

impl Act {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Create { name, .. }
            | Self::Delete { name }
            | Self::Move { name, .. }
            | Self::Put { name, .. }
            | Self::Remove { name }
            | Self::Restore { name }
            | Self::Tag { name, .. } => name,
        }
    }

    /// The version it makes.
    pub(crate) fn token(&self) -> Option<&str> {
        match self {
            Self::Create { token, .. } | Self::Put { token, .. } => Some(token),
            _ => None,
        }
    }

    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::Create { .. } => "CreateSecret",
            Self::Delete { .. } | Self::Remove { .. } => "DeleteSecret",
            Self::Move { .. } => "UpdateSecretVersionStage",
            Self::Put { .. } => "PutSecretValue",
            Self::Restore { .. } => "RestoreSecret",
            Self::Tag { .. } => "TagResource",
        }
    }

    pub(crate) fn body(&self) -> Value {
        match self {
            Self::Create { name, token } => creation(name, token, &value(token)),
            Self::Delete { name } => json!({ "SecretId": name, "RecoveryWindowInDays": 7 }),
            Self::Move { name, label, from, to } => json!({
                "SecretId": name, "VersionStage": label,
                "RemoveFromVersionId": from, "MoveToVersionId": to,
            }),
            Self::Put { name, token, label } => {
                let mut body = put(name, token, &value(token));
                if let Some(label) = label {
                    body["VersionStages"] = json!([label]);
                }
                body
            }
            Self::Remove { name } => {
                json!({ "SecretId": name, "ForceDeleteWithoutRecovery": true })
            }
            Self::Restore { name } => json!({ "SecretId": name }),
            Self::Tag { name, key, value } => {
                json!({ "SecretId": name, "Tags": [{ "Key": key, "Value": value }] })
            }
        }
    }

    /// What it makes of `life`.
    pub(crate) fn apply(&self, life: Life) -> Life {
        let mut state = match self {
            Self::Create { .. } => State::default(),
            Self::Remove { .. } => return None,
            _ => life?,
        };
        match self {
            Self::Create { token, .. } => {
                state.versions.insert(token.clone());
                state.attach(CURRENT, token);
            }
            Self::Delete { .. } => state.deleted = true,
            Self::Move { label, to, .. } => state.attach(label, to),
            Self::Put { token, label, .. } => {
                state.versions.insert(token.clone());
                state.attach(label.as_deref().unwrap_or(CURRENT), token);
            }
            Self::Remove { .. } => return None,
            Self::Restore { .. } => state.deleted = false,
            Self::Tag { key, value, .. } => drop(state.tags.insert(key.clone(), value.clone())),
        }
        Some(state)
    }
}

impl State {
    fn attach(&mut self, label: &str, version: &str) {
        let former = self.labels.insert(label.to_owned(), version.to_owned());
        if let Some(former) = former.filter(|it| label == CURRENT && it != version) {
            self.labels.insert(PREVIOUS.to_owned(), former);
        }
    }

    pub(crate) fn holder(&self, label: &str) -> Option<&str> {
        self.labels.get(label).map(String::as_str)
    }

    /// What of it belongs to one writer: versions whose id holds `mark`, and the label and the tag of
    /// that name. A writer shares the rest.
    pub(crate) fn part_of(&self, mark: &str, owner: &str) -> Self {
        let versions = self.versions.iter().filter(|it| it.contains(mark)).cloned().collect();
        let only = |map: &BTreeMap<String, String>| {
            map.iter().filter(|it| it.0 == owner).map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        Self { versions, labels: only(&self.labels), tags: only(&self.tags), deleted: false }
    }
}

/// The secret `name` without its values, as three operations tell it, which must agree.
pub(crate) fn look_at(client: &mut Client, name: &str) -> Life {
    let id = json!({ "SecretId": name });
    let answer = client.ask("DescribeSecret", &id).expect("an answer");
    let told = answer.json();
    if answer.status == 400 && told["__type"] == "ResourceNotFoundException" {
        return None;
    }
    assert_eq!(answer.status, 200, "{name}: {told}");
    let mut state = State { deleted: !told["DeletedDate"].is_null(), ..State::default() };
    for (version, labels) in told["VersionIdsToStages"].as_object().into_iter().flatten() {
        for label in labels.as_array().expect("labels") {
            let label = label.as_str().expect("a label").to_owned();
            let other = state.labels.insert(label.clone(), version.clone());
            assert_eq!(other, None, "{name}: `{label}` is on two versions");
        }
    }
    for tag in told["Tags"].as_array().into_iter().flatten() {
        let text = |name: &str| tag[name].as_str().expect("a text").to_owned();
        assert_eq!(state.tags.insert(text("Key"), text("Value")), None, "{name}: a tag twice");
    }
    let list = json!({ "SecretId": name, "IncludeDeprecated": true, "MaxResults": 7 });
    let versions = client.pages("ListSecretVersionIds", &list, "Versions");
    let mut labels = BTreeMap::new();
    for version in &versions {
        let id = version["VersionId"].as_str().expect("an id").to_owned();
        for label in version["VersionStages"].as_array().into_iter().flatten() {
            labels.insert(label.as_str().expect("a label").to_owned(), id.clone());
        }
        assert!(state.versions.insert(id), "{name}: a version twice");
    }
    assert_eq!(labels, state.labels, "{name}: DescribeSecret and ListSecretVersionIds differ");
    assert!(state.holder(CURRENT).is_some(), "{name} has values, and none is current");
    Some(state)
}

/// Reads every version of `name` by its id and by each of its labels.
pub(crate) fn open_all(client: &mut Client, name: &str, state: &State) {
    for version in &state.versions {
        assert_eq!(value_of(client, name, Some(version)), value(version), "{name}");
    }
    for (label, version) in &state.labels {
        let found =
            client.must("GetSecretValue", &json!({ "SecretId": name, "VersionStage": label }));
        assert_eq!(found["VersionId"], **version, "{name} {label}");
        assert_eq!(found["SecretString"], value(version), "{name} {label}");
        let told: BTreeSet<_> = found["VersionStages"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let labels = state.labels.iter().filter(|it| it.1 == version).map(|it| it.0.as_str());
        assert_eq!(told, labels.collect(), "{name} {version}");
    }
    let current = state.holder(CURRENT).expect("there is one");
    assert_eq!(value_of(client, name, None), value(current), "{name}");
}
