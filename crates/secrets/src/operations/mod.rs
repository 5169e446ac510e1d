//! Table: the operations of Secrets Manager that are built. What is not here is unknown.

pub mod batch_get_secret_value;
pub mod cancel_rotate_secret;
pub mod create_secret;
pub mod delete_resource_policy;
pub mod delete_secret;
pub mod describe_secret;
pub mod get_random_password;
pub mod get_resource_policy;
pub mod get_secret_value;
pub mod list_resource_policies;
pub mod list_secret_version_ids;
pub mod list_secrets;
pub mod put_resource_policy;
pub mod put_secret_value;
pub mod restore_secret;
pub mod rotate_secret;
pub mod shown;
pub mod tag_resource;
pub mod untag_resource;
pub mod update_secret;
pub mod update_secret_version_stage;
pub mod validate_resource_policy;

use service::Row;

/// The `eventSource` of this service's records.
pub(crate) const SOURCE: &str = "secretsmanager.amazonaws.com";

/// Every operation by its name on the wire, in alphabetical order.
pub const OPERATIONS: &[Row] = &[
    Row::of::<batch_get_secret_value::BatchGetSecretValue>(),
    Row::of::<cancel_rotate_secret::CancelRotateSecret>(),
    Row::of::<create_secret::CreateSecret>(),
    Row::of::<delete_resource_policy::DeleteResourcePolicy>(),
    Row::of::<delete_secret::DeleteSecret>(),
    Row::of::<describe_secret::DescribeSecret>(),
    Row::of::<get_random_password::GetRandomPassword>(),
    Row::of::<get_resource_policy::GetResourcePolicy>(),
    Row::of::<get_secret_value::GetSecretValue>(),
    Row::of::<list_resource_policies::ListResourcePolicies>(),
    Row::of::<list_secret_version_ids::ListSecretVersionIds>(),
    Row::of::<list_secrets::ListSecrets>(),
    Row::of::<put_resource_policy::PutResourcePolicy>(),
    Row::of::<put_secret_value::PutSecretValue>(),
    Row::of::<restore_secret::RestoreSecret>(),
    Row::of::<rotate_secret::RotateSecret>(),
    Row::of::<tag_resource::TagResource>(),
    Row::of::<untag_resource::UntagResource>(),
    Row::of::<update_secret::UpdateSecret>(),
    Row::of::<update_secret_version_stage::UpdateSecretVersionStage>(),
    Row::of::<validate_resource_policy::ValidateResourcePolicy>(),
];

#[cfg(test)]
mod tests {
    use super::OPERATIONS;

    #[test]
    fn rows_are_sorted_so_that_they_can_be_searched() {
        assert!(OPERATIONS.is_sorted_by_key(|it| it.name));
    }
}
