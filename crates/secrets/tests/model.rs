//! Random sequences of operations against a model of one screen.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests")]

use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use testkit::Desk;

/// What a caller may do to the one secret.
#[derive(Clone, Debug)]
enum Act {
    Put { version: u8, value: u8, labels: Option<Vec<u8>> },
    Update { version: u8, value: u8 },
    Move { label: u8, from: Option<u8>, to: Option<u8> },
}

/// Labels on versions, and values: the rules in their shortest form.
#[derive(Debug, Default)]
struct Model {
    values: BTreeMap<u8, u8>,
    holder: BTreeMap<&'static str, u8>,
}

const LABELS: [&str; 4] = ["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING", "X"];

impl Model {
    fn attach(&mut self, label: &'static str, version: u8) {
        let before = self.holder.insert(label, version);
        if label == "AWSCURRENT" && before != Some(version) {
            match before {
                Some(before) => drop(self.holder.insert("AWSPREVIOUS", before)),
                None => self.holder.retain(|it, on| *it != "AWSPREVIOUS" || *on != version),
            }
        }
    }

    /// Does `act` if it is allowed; tells whether it is.
    fn act(&mut self, act: &Act) -> bool {
        match act {
            Act::Put { version, value, labels } => {
                let known = self.values.get(version).copied();
                if known.is_some_and(|it| it != *value) {
                    return false;
                }
                self.values.insert(*version, *value);
                let mut names: BTreeSet<_> =
                    labels.iter().flatten().map(|it| LABELS[usize::from(*it)]).collect();
                let unset = !self.holder.contains_key("AWSCURRENT");
                if known.is_none() && (labels.is_none() || unset) {
                    names.insert("AWSCURRENT");
                }
                let current = names.remove("AWSCURRENT").then_some("AWSCURRENT");
                names.into_iter().chain(current).for_each(|it| self.attach(it, *version));
                true
            }
            Act::Update { version, value } => {
                if self.values.contains_key(version) {
                    return false;
                }
                self.values.insert(*version, *value);
                self.attach("AWSCURRENT", *version);
                true
            }
            Act::Move { label, from, to } => self.shift(LABELS[usize::from(*label)], *from, *to),
        }
    }

    fn shift(&mut self, label: &'static str, from: Option<u8>, to: Option<u8>) -> bool {
        let holder = self.holder.get(label).copied();
        let exists = to.is_none_or(|it| self.values.contains_key(&it));
        let allowed = exists
            && match (from, to) {
                (None, None) => false,
                (None, Some(to)) => holder.is_none_or(|it| it == to),
                (Some(from), Some(_)) => holder == Some(from),
                (Some(from), None) => holder == Some(from) && label != "AWSCURRENT",
            };
        match to {
            Some(to) if allowed => self.attach(label, to),
            None if allowed => drop(self.holder.remove(label)),
            _ => (),
        }
        allowed
    }

    fn shown(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut shown = BTreeMap::<_, BTreeSet<_>>::new();
        for (label, version) in &self.holder {
            shown.entry(id(*version)).or_default().insert((*label).to_owned());
        }
        shown
    }
}

fn id(version: u8) -> String {
    format!("00000000-0000-4000-8000-{version:012}")
}

fn act() -> impl Strategy<Value = Act> {
    let version = 0u8..5;
    let value = 0u8..2;
    let labels = prop::option::of(prop::collection::vec(0u8..4, 1..3));
    prop_oneof![
        (version.clone(), value.clone(), labels).prop_map(|(version, value, labels)| Act::Put {
            version,
            value,
            labels
        }),
        (version.clone(), value).prop_map(|(version, value)| Act::Update { version, value }),
        (0u8..4, prop::option::of(version.clone()), prop::option::of(version))
            .prop_map(|(label, from, to)| Act::Move { label, from, to }),
    ]
}

fn request(act: &Act) -> (&'static str, Value) {
    match act {
        Act::Put { version, value, labels } => {
            let mut body = json!({ "SecretId": "m", "ClientRequestToken": id(*version),
                "SecretString": format!("value-{value}") });
            if let Some(labels) = labels {
                let names: BTreeSet<_> = labels.iter().map(|it| LABELS[usize::from(*it)]).collect();
                body["VersionStages"] = json!(names);
            }
            ("PutSecretValue", body)
        }
        Act::Update { version, value } => (
            "UpdateSecret",
            json!({ "SecretId": "m", "ClientRequestToken": id(*version),
                "SecretString": format!("value-{value}") }),
        ),
        Act::Move { label, from, to } => (
            "UpdateSecretVersionStage",
            json!({ "SecretId": "m", "VersionStage": LABELS[usize::from(*label)],
                "RemoveFromVersionId": from.map(id), "MoveToVersionId": to.map(id) }),
        ),
    }
}

async fn run(acts: Vec<Act>) -> Result<(), TestCaseError> {
    let desk = Desk::open(5).await.expect("a desk");
    let made = json!({ "Name": "m", "ClientRequestToken": id(99) });
    assert_eq!(desk.call("CreateSecret", made).await.status, 200);
    let mut model = Model::default();
    for act in acts {
        let (operation, body) = request(&act);
        let answer = desk.call(operation, body).await;
        let allowed = model.act(&act);
        prop_assert_eq!(answer.status == 200, allowed, "{:?}: {:?}", act, answer);

        let described = desk.call("DescribeSecret", json!({ "SecretId": "m" })).await;
        let shown: BTreeMap<String, BTreeSet<String>> =
            serde_json::from_value(described.get("VersionIdsToStages").clone()).unwrap_or_default();
        prop_assert_eq!(shown, model.shown(), "after {:?}", act);
    }
    for (version, value) in &model.values {
        let read = desk
            .call("GetSecretValue", json!({ "SecretId": "m", "VersionId": id(*version) }))
            .await;
        prop_assert_eq!(read.get("SecretString"), &json!(format!("value-{value}")));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn labels_and_versions_agree_with_the_model(acts in prop::collection::vec(act(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(run(acts))?;
    }
}
