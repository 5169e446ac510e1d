//! `cargo xtask conform`: our operations' shapes against the official service model.
//!
//! We write request and answer structs by hand; the model doesn't write them, it checks them. What a
//! struct has is read from its source ([`source`]), what it should have from the model that botocore
//! ships. Limits, and what is required of the other services than Secrets Manager, are checked where they
//! matter, at the front door: `tests/conformance/test_malformed.py` and `test_model.py`.

mod source;

use crate::provide;
use crate::run::{output, program, root, say};
use crate::tidy::operations::{rows, snake};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use source::{Field, Sources};
use std::collections::BTreeSet;

/// Members of the model that we don't answer yet, by operation, and why.
const NOT_YET: &[(&str, &[&str], &str)] = &[
    ("CreateSecret", &["ReplicationStatus"], "replication"),
    (
        "DescribeSecret",
        &[
            "CrossAccountPrimary",
            "CrossAccountReplicas",
            "ExternalSecretRotationMetadata",
            "ExternalSecretRotationRoleArn",
            "LastRotatedDate",
            "NextRotationDate",
            "PrimaryRegion",
            "ReplicationStatus",
            "RotationEnabled",
            "RotationLambdaARN",
            "RotationRules",
        ],
        "rotation and replication",
    ),
    ("Decrypt", RECIPIENT, "enclaves"),
    ("GenerateCredentialReport", &["Description"], "a report is there at once"),
    ("GenerateDataKey", RECIPIENT, "enclaves"),
    ("GenerateRandom", RECIPIENT, "enclaves"),
    ("GetMFADevice", &["Certifications"], "a virtual device has none"),
    (
        "GetKeyRotationStatus",
        &["OnDemandRotationStartDate"],
        "a rotation on demand is done at once",
    ),
    ("GetServiceLastAccessedDetails", &["Error"], "no report fails once it was begun"),
    ("GetServiceLastAccessedDetailsWithEntities", &["Error"], "no report fails once it was begun"),
    ("GetServiceLinkedRoleDeletionStatus", &["Reason"], "no deletion fails once it was begun"),
    ("ListResourcePolicies", &["NextToken"], "a secret has one policy at most"),
];

/// What a call from an enclave is answered with.
const RECIPIENT: &[&str] = &["CiphertextForRecipient"];

/// Members of a struct that one of its operations leaves out at run time.
const LEFT_OUT: &[(&str, &str)] = &[("DescribeSecret", "SecretVersionsToStages")];

/// An API, and where its operations are.
struct Api {
    /// What botocore calls its model.
    model: &'static str,
    /// The version of the model.
    version: &'static str,
    /// The folder of its operations.
    folder: &'static str,
    /// Where in that folder its table and the files of its operations are.
    operations: &'static str,
}

/// All that is served.
const APIS: &[Api] = &[
    Api {
        model: "iam",
        version: "2010-05-08",
        folder: "crates/identity/src/iam",
        operations: "operations/",
    },
    Api {
        model: "kms",
        version: "2014-11-01",
        folder: "crates/kms/src",
        operations: "operations/",
    },
    Api {
        model: "secretsmanager",
        version: "2017-10-17",
        folder: "crates/secrets/src",
        operations: "operations/",
    },
    Api { model: "sts", version: "2011-06-15", folder: "crates/identity/src/sts", operations: "" },
];

/// Compares every operation in our tables; an error if one differs.
pub(crate) fn run() -> Result<()> {
    provide::python_packages()?;
    let mut findings = Vec::new();
    let (mut operations, mut members) = (0, 0);
    for api in APIS {
        let model = Model::read(api)?;
        let sources = Sources::read(&root().join(api.folder))?;
        let table = sources.text(&format!("{}mod.rs", api.operations));
        let table = table.context("there is no operation table")?;
        let names = rows(table);
        if names.is_empty() {
            bail!("{} has no operations", api.model);
        }
        for name in &names {
            let (found, seen) = compare(&model, &sources, (api, name));
            findings.extend(found);
            members += seen;
        }
        operations += names.len();
    }
    for finding in &findings {
        say(finding);
    }
    if !findings.is_empty() {
        bail!("{} differences in {operations} operations", findings.len());
    }
    say(&format!("conform: {operations} operations, {members} members as in the model"));
    Ok(())
}

/// What differs in the operation `name`, and how many members were compared.
fn compare(model: &Model, sources: &Sources, (api, name): (&Api, &str)) -> (Vec<String>, usize) {
    let Some(operation) = model.operation(name) else {
        return (vec![format!("{name}: isn't in the model")], 0);
    };
    let file = format!("{}{}.rs", api.operations, snake(name));
    let asked = sources.fields(&file, name).unwrap_or_default();
    let answered = sources.output_type(&file).and_then(|it| sources.fields(&file, it));
    let mut findings = wrong_input(model, operation.input, &asked);
    if api.model == "secretsmanager" {
        findings.extend(not_required(model, operation.input, sources.text(&file)));
    }
    match &answered {
        None => findings.push("output type not found".to_owned()),
        Some(fields) => {
            let wanted = model.members(operation.output);
            let told = differ(&names_of(&wanted), fields, &exempt(name));
            findings.extend(told.into_iter().map(|it| format!("output {it}")));
        }
    }
    let findings = findings.into_iter().map(|it| format!("{name}: {it}")).collect();
    (findings, asked.len() + answered.map_or(0, |it| it.len()))
}

/// Input members that are missing, unknown or of another kind.
fn wrong_input(model: &Model, shape: &str, ours: &[Field]) -> Vec<String> {
    let wanted = model.members(shape);
    let told = differ(&names_of(&wanted), ours, &[]);
    let mut findings: Vec<_> = told.into_iter().map(|it| format!("input {it}")).collect();
    for field in ours {
        let kind = wanted.get(&field.name).map(|it| model.kind(it));
        if let Some(kind) = kind.filter(|it| !field.takes(it)) {
            findings
                .push(format!("input member `{}` is a {kind}, not `{}`", field.name, field.kind));
        }
    }
    findings
}

/// Required members that nothing in the operation's file requires.
fn not_required(model: &Model, shape: &str, text: Option<&str>) -> Vec<String> {
    let call = |name: &str| format!(".required(\"{}\"", lower(name));
    // The id of a secret has a helper of its own, which requires it.
    let helped = |name: &str, text: &str| {
        name == "SecretId" && text.contains("lookup::constraints(found, self.secret_id")
    };
    let asked = |name: &str, text: &str| text.contains(&call(name)) || helped(name, text);
    let free = |it: &&str| !text.is_some_and(|text| asked(it, text));
    let free = model.required(shape).into_iter().filter(free);
    free.map(|it| format!("input member `{it}` is required, but nothing requires it")).collect()
}

/// Members that one side has and the other hasn't.
fn differ(model: &BTreeSet<&str>, ours: &[Field], exempt: &[&str]) -> Vec<String> {
    let here: BTreeSet<_> = ours.iter().map(|it| it.name.as_str()).collect();
    let told = |names: BTreeSet<&str>, what: &str| -> Vec<String> {
        let names = names.into_iter().filter(|it| !exempt.contains(it));
        names.map(|it| format!("member `{it}` {what}")).collect()
    };
    let mut findings = told(model - &here, "is missing");
    findings.extend(told(&here - model, "isn't in the model"));
    findings
}

fn exempt(name: &str) -> Vec<&'static str> {
    let later = NOT_YET.iter().filter(|it| it.0 == name).flat_map(|it| it.1).copied();
    later.chain(LEFT_OUT.iter().filter(|it| it.0 == name).map(|it| it.1)).collect()
}

fn names_of(members: &Map<String, Value>) -> BTreeSet<&str> {
    members.keys().map(String::as_str).collect()
}

fn lower(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|it| it.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// The official model, as botocore ships it.
struct Model(Value);

/// The names of an operation's shapes.
struct Shapes<'a> {
    input: &'a str,
    output: &'a str,
}

impl Model {
    fn read(api: &Api) -> Result<Self> {
        let script = format!(
            "import json, botocore.loaders; print(json.dumps(botocore.loaders.Loader()\
             .load_service_model('{}', 'service-2', '{}')))",
            api.model, api.version
        );
        let python = provide::venv().join("bin/python");
        let text = output(&mut program(&[&python.to_string_lossy(), "-c", &script]))?;
        Ok(Self(serde_json::from_str(&text).context("the model is no JSON")?))
    }

    fn operation(&self, name: &str) -> Option<Shapes<'_>> {
        let operation = self.0.pointer(&format!("/operations/{name}"))?;
        let shape = |side: &str| operation.pointer(side).and_then(Value::as_str);
        Some(Shapes {
            input: shape("/input/shape").unwrap_or_default(),
            output: shape("/output/shape").unwrap_or_default(),
        })
    }

    fn members(&self, shape: &str) -> Map<String, Value> {
        let members = self.0.pointer(&format!("/shapes/{shape}/members"));
        members.and_then(Value::as_object).cloned().unwrap_or_default()
    }

    fn required(&self, shape: &str) -> Vec<&str> {
        let required = self.0.pointer(&format!("/shapes/{shape}/required"));
        let names = required.and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).collect()
    }

    /// `string`, `blob`, `list` …: the kind of the shape that `member` refers to.
    fn kind(&self, member: &Value) -> &str {
        let shape = member.get("shape").and_then(Value::as_str).unwrap_or_default();
        self.0.pointer(&format!("/shapes/{shape}/type")).and_then(Value::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        Model(serde_json::json!({
            "operations": {"GetIt": {"input": {"shape": "In"}, "output": {"shape": "Out"}}},
            "shapes": {
                "In": {"required": ["SecretId"], "members": {"SecretId": {"shape": "S"}}},
                "Out": {"members": {"ARN": {"shape": "S"}}},
                "S": {"type": "string"},
            },
        }))
    }

    const SOURCE: &str = "input! {\n    pub struct GetIt {\n        secret_id: Text,\n    }\n}\n\
        pub struct Output {\n    #[serde(rename = \"ARN\")]\n    arn: String,\n}\n\
        impl Operation for GetIt {\n    type Output = Output;\n    found.required(\"secretId\", x);\n}\n";

    #[test]
    fn differences_are_found() {
        #[rustfmt::skip]
        let cases = [
            // found      in its place                       differences
            ("",          "",                                0),
            ("secret_id", "secret_ids",                      2), // one missing, one unknown
            ("Text",      "Boolean",                         1),
            (".required", ".optional",                       1),
            ("\"ARN\"",   "\"Arn\"",                         2),
            ("= Output",  "= Elsewhere",                     1),
        ];
        for (found, instead, expected) in cases {
            let source = SOURCE.replacen(found, instead, usize::from(!found.is_empty()));
            let sources = Sources::of(&[("operations/get_it.rs", &source)]);
            let api =
                Api { model: "secretsmanager", version: "", folder: "", operations: "operations/" };
            let (findings, _) = compare(&model(), &sources, (&api, "GetIt"));
            assert_eq!(findings.len(), expected, "{found} → {instead}: {findings:?}");
        }
    }
}
