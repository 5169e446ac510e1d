//! Results, as answers show them.

use policy::engine::Position;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A page of results.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Evaluations {
    pub(crate) evaluation_results: Vec<Evaluation>,
    pub(crate) is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) marker: Option<String>,
}

/// The names of condition keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyNames {
    pub(crate) context_key_names: BTreeSet<String>,
}

/// What came of one action, over all resources.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Evaluation {
    pub(crate) eval_action_name: String,
    pub(crate) eval_resource_name: &'static str,
    pub(crate) eval_decision: &'static str,
    pub(crate) matched_statements: Vec<Matched>,
    pub(crate) missing_context_values: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) organizations_decision_detail: Option<Organizations>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) permissions_boundary_decision_detail: Option<Boundary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) eval_decision_details: Option<Details>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) resource_specific_results: Vec<Specific>,
}

/// What came of one action on one resource.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Specific {
    pub(crate) eval_resource_name: String,
    pub(crate) eval_resource_decision: &'static str,
    pub(crate) matched_statements: Vec<Matched>,
    pub(crate) missing_context_values: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) eval_decision_details: Option<Details>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) permissions_boundary_decision_detail: Option<Boundary>,
}

/// The decision of each kind of policy.
pub(crate) type Details = BTreeMap<&'static str, &'static str>;

/// Whether service control policies allow it.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Organizations {
    pub(crate) allowed_by_organizations: bool,
}

/// Whether the permissions boundary allows it.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Boundary {
    pub(crate) allowed_by_permissions_boundary: bool,
}

/// A statement that made the decision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Matched {
    pub(crate) source_policy_id: String,
    pub(crate) source_policy_type: &'static str,
    pub(crate) start_position: Place,
    pub(crate) end_position: Place,
}

/// A place in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Place {
    line: usize,
    column: usize,
}

impl From<Position> for Place {
    fn from(Position { line, column }: Position) -> Self {
        Self { line, column }
    }
}
