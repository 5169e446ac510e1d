//! Table: the operations of Lambda that are built, and how each is asked for. What is not here is unknown.

pub mod add_permission;
pub mod create_function;
pub mod delete_function;
pub mod get_function;
pub mod get_function_code_signing_config;
pub mod get_function_concurrency;
pub mod get_function_configuration;
pub mod get_policy;
pub mod invoke;
pub mod list_functions;
pub mod list_tags;
pub mod list_versions_by_function;
pub mod remove_permission;
pub mod tag_resource;
pub mod untag_resource;
pub mod update_function_code;
pub mod update_function_configuration;

use crate::limits;
use serde::Serialize;
use service::{Action, Row};
use std::time::Duration;
use wire::rest::{Binding, Kind};

/// The `eventSource` of their audit records.
pub(crate) const SOURCE: &str = crate::HOST;

/// What a function is invoked under.
pub(crate) const INVOKE: Action = Action("lambda:InvokeFunction");

/// An answer without members.
#[derive(Debug, Serialize)]
pub struct Nothing {}

const QUALIFIER: &[(&str, Kind)] = &[("Qualifier", Kind::Text)];
const PAGE: &[(&str, Kind)] = &[("Marker", Kind::Text), ("MaxItems", Kind::Integer)];
const LISTED: &[(&str, Kind)] = &[
    ("MasterRegion", Kind::Text),
    ("FunctionVersion", Kind::Text),
    ("Marker", Kind::Text),
    ("MaxItems", Kind::Integer),
];
const REMOVED: &[(&str, Kind)] = &[("Qualifier", Kind::Text), ("RevisionId", Kind::Text)];
const TAG_KEYS: &[(&str, Kind)] = &[("tagKeys", Kind::List)];
const INVOCATION: &[(&str, &str)] = &[
    ("x-amz-client-context", "ClientContext"),
    ("x-amz-durable-execution-name", "DurableExecutionName"),
    ("x-amz-invocation-type", "InvocationType"),
    ("x-amz-log-type", "LogType"),
    ("x-amz-tenant-id", "TenantId"),
];

/// The longest that a function may run.
const LONGEST: Duration = Duration::from_mins(15);
/// A package takes a while to arrive and to be looked at.
const UPLOAD: Duration = Duration::from_mins(2);

const fn asked(method: &'static str, path: &'static str) -> Binding {
    Binding::new(method, path).in_pascal()
}

/// Every operation by its name, in alphabetical order.
pub const OPERATIONS: &[Row] = &[
    Row::rest::<add_permission::AddPermission>(
        &asked("POST", "/2015-03-31/functions/{FunctionName}/policy")
            .with_query(QUALIFIER)
            .answering(201),
    ),
    Row::rest::<create_function::CreateFunction>(
        &asked("POST", "/2015-03-31/functions")
            .with_room(limits::PACKAGE_BODY, UPLOAD)
            .answering(201),
    ),
    Row::rest::<delete_function::DeleteFunction>(
        &asked("DELETE", "/2015-03-31/functions/{FunctionName}")
            .with_query(QUALIFIER)
            .answering(204),
    ),
    Row::rest::<get_function::GetFunction>(
        &asked("GET", "/2015-03-31/functions/{FunctionName}").with_query(QUALIFIER),
    ),
    Row::rest::<get_function_code_signing_config::GetFunctionCodeSigningConfig>(&asked(
        "GET",
        "/2020-06-30/functions/{FunctionName}/code-signing-config",
    )),
    Row::rest::<get_function_concurrency::GetFunctionConcurrency>(&asked(
        "GET",
        "/2019-09-30/functions/{FunctionName}/concurrency",
    )),
    Row::rest::<get_function_configuration::GetFunctionConfiguration>(
        &asked("GET", "/2015-03-31/functions/{FunctionName}/configuration").with_query(QUALIFIER),
    ),
    Row::rest::<get_policy::GetPolicy>(
        &asked("GET", "/2015-03-31/functions/{FunctionName}/policy").with_query(QUALIFIER),
    ),
    Row::rest::<invoke::Invoke>(
        &asked("POST", "/2015-03-31/functions/{FunctionName}/invocations")
            .with_query(QUALIFIER)
            .with_headers(INVOCATION)
            .with_payload("Payload")
            .with_room(limits::PAYLOAD, LONGEST),
    ),
    Row::rest::<list_functions::ListFunctions>(
        &asked("GET", "/2015-03-31/functions").with_query(LISTED),
    ),
    Row::rest::<list_tags::ListTags>(&asked("GET", "/2017-03-31/tags/{Resource}")),
    Row::rest::<list_versions_by_function::ListVersionsByFunction>(
        &asked("GET", "/2015-03-31/functions/{FunctionName}/versions").with_query(PAGE),
    ),
    Row::rest::<remove_permission::RemovePermission>(
        &asked("DELETE", "/2015-03-31/functions/{FunctionName}/policy/{StatementId}")
            .with_query(REMOVED)
            .answering(204),
    ),
    Row::rest::<tag_resource::TagResource>(
        &asked("POST", "/2017-03-31/tags/{Resource}").answering(204),
    ),
    Row::rest::<untag_resource::UntagResource>(
        &asked("DELETE", "/2017-03-31/tags/{Resource}").with_query(TAG_KEYS).answering(204),
    ),
    Row::rest::<update_function_code::UpdateFunctionCode>(
        &asked("PUT", "/2015-03-31/functions/{FunctionName}/code")
            .with_room(limits::PACKAGE_BODY, UPLOAD),
    ),
    Row::rest::<update_function_configuration::UpdateFunctionConfiguration>(&asked(
        "PUT",
        "/2015-03-31/functions/{FunctionName}/configuration",
    )),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_no_two_are_asked_for_alike() {
        assert!(OPERATIONS.is_sorted_by_key(|it| it.name));
        assert!(OPERATIONS.iter().all(|it| it.source == SOURCE));
        let mut bindings: Vec<_> =
            OPERATIONS.iter().filter_map(Row::binding).map(|it| (it.method, it.path)).collect();
        bindings.sort_unstable();
        bindings.dedup();
        assert_eq!(bindings.len(), OPERATIONS.len());
    }
}
