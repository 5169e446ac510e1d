//! Grants as they come in requests, and as answers show them.

use crate::exception::Exception;
use crate::grant::{Grant, OPERATIONS, Party, SYMMETRIC_OPERATIONS, Terms};
use crate::limits;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use wire::Violations;
use wire::json::instant;
use wire::members::{List, Text};

/// `GrantConstraints` in a request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct ConstraintsGiven {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encryption_context_subset: Option<BTreeMap<String, Text>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encryption_context_equals: Option<BTreeMap<String, Text>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source_arn: Option<Text>,
}

impl ConstraintsGiven {
    pub(crate) fn equals(&self) -> Option<BTreeMap<String, String>> {
        self.encryption_context_equals.as_ref().map(plain)
    }

    pub(crate) fn subset(&self) -> Option<BTreeMap<String, String>> {
        self.encryption_context_subset.as_ref().map(plain)
    }

    /// The value of `kms:GrantConstraintType`.
    pub(crate) fn kind(&self) -> Option<&'static str> {
        match self {
            Self { encryption_context_equals: Some(_), .. } => Some("EncryptionContextEquals"),
            Self { encryption_context_subset: Some(_), .. } => Some("EncryptionContextSubset"),
            Self { source_arn, .. } => source_arn.as_ref().map(|_| "SourceArn"),
        }
    }
}

fn plain(given: &BTreeMap<String, Text>) -> BTreeMap<String, String> {
    given.iter().map(|(name, value)| (name.clone(), value.as_str().to_owned())).collect()
}

/// The model's constraints on the operations of a grant.
pub(crate) fn operation_constraints(found: &mut Violations, given: Option<&List<Text>>) {
    for (index, operation) in given.map_or(&[][..], List::as_slice).iter().enumerate() {
        let path = format!("operations.{}.member", index + 1);
        found.one_of(&path, Some(operation), OPERATIONS);
    }
}

/// The model's constraints on the name of a grant.
pub(crate) fn name_constraints(found: &mut Violations, given: Option<&Text>) {
    found.length("name", given, limits::GRANT_NAME);
    found.pattern("name", given, "^[a-zA-Z0-9:/_-]+$", |text| {
        text.bytes().all(|it| it.is_ascii_alphanumeric() || b":/_-".contains(&it))
    });
}

/// The principal `given`, not yet looked up.
pub(crate) fn party(given: Option<&Text>) -> Party {
    let arn = given.map(|it| it.as_str().to_owned()).unwrap_or_default();
    Party { arn, id: None }
}

/// Operations by name, each once.
pub(crate) fn names(given: Option<&List<Text>>) -> BTreeSet<String> {
    let given = given.map_or(&[][..], List::as_slice);
    given.iter().map(|it| it.as_str().to_owned()).collect()
}

/// Refuses what can't be the id of a grant.
pub(crate) fn check_id(id: &str) -> Result<(), Exception> {
    let hex = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    let shaped = id.len() == 64 && id.bytes().all(hex);
    if shaped { Ok(()) } else { Err(Exception::GrantId(id.to_owned())) }
}

/// That the key has no grant called `id`.
pub(crate) fn missing(id: &str) -> Exception {
    Exception::NotFound(format!("Grant ID {id} not found"))
}

impl Terms {
    /// Whether a symmetric key can have such a grant.
    pub(crate) fn check(&self) -> Result<(), Exception> {
        let invalid = |it: String| Err(Exception::Invalid(it));
        if self.operations.is_empty() {
            return invalid("Operations must name at least one operation.".to_owned());
        }
        if let Some(other) =
            self.operations.iter().find(|it| !SYMMETRIC_OPERATIONS.contains(&it.as_str()))
        {
            return invalid(format!("Operation {other} is not valid for this key."));
        }
        for constraint in [&self.equals, &self.subset].into_iter().flatten() {
            let length = |it: (&String, &String)| it.0.chars().count() + it.1.chars().count();
            let characters: usize = constraint.iter().map(length).sum();
            let pairs = constraint.len();
            if pairs > limits::CONSTRAINT_PAIRS || characters > limits::CONSTRAINT {
                return invalid("The encryption context of the constraint is too long.".to_owned());
            }
        }
        Ok(())
    }
}

/// `GrantListEntry`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrantShown {
    key_id: String,
    grant_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(serialize_with = "instant")]
    creation_date: Timestamp,
    grantee_principal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retiring_principal: Option<String>,
    issuing_account: String,
    operations: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<ConstraintsShown>,
}

/// `GrantConstraints` in an answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConstraintsShown {
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_context_subset: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_context_equals: Option<BTreeMap<String, String>>,
}

impl GrantShown {
    /// What is told of `grant`, whose key is called `arn`.
    pub(crate) fn of(arn: &str, grant: &Grant) -> Self {
        let Terms { grantee, retiring, operations, equals, subset } = &grant.terms;
        let partition = arn.split(':').nth(1).unwrap_or("aws");
        let constraints = ConstraintsShown {
            encryption_context_subset: subset.clone(),
            encryption_context_equals: equals.clone(),
        };
        Self {
            key_id: arn.to_owned(),
            grant_id: grant.id.clone(),
            name: grant.name.clone(),
            creation_date: grant.created,
            grantee_principal: grantee.arn.clone(),
            retiring_principal: retiring.as_ref().map(|it| it.arn.clone()),
            issuing_account: format!("arn:{partition}:iam::{}:root", grant.issuer),
            operations: OPERATIONS.iter().copied().filter(|it| operations.contains(*it)).collect(),
            constraints: (equals.is_some() || subset.is_some()).then_some(constraints),
        }
    }
}
