//! Table: the operations of KMS that are built. What is not here is unknown.

pub mod cancel_key_deletion;
pub mod create_alias;
pub mod create_grant;
pub mod create_key;
pub mod decrypt;
pub mod delete_alias;
pub mod delete_imported_key_material;
pub mod describe_key;
pub mod disable_key;
pub mod disable_key_rotation;
pub mod enable_key;
pub mod enable_key_rotation;
pub mod encrypt;
pub mod generate_data_key;
pub mod generate_data_key_without_plaintext;
pub mod generate_random;
pub mod get_key_policy;
pub mod get_key_rotation_status;
pub mod get_parameters_for_import;
pub mod import_key_material;
pub mod list_aliases;
pub mod list_grants;
pub mod list_key_policies;
pub mod list_key_rotations;
pub mod list_keys;
pub mod list_resource_tags;
pub mod list_retirable_grants;
pub mod put_key_policy;
pub mod re_encrypt;
pub mod retire_grant;
pub mod revoke_grant;
pub mod rotate_key_on_demand;
pub mod schedule_key_deletion;
pub mod tag_resource;
pub mod untag_resource;
pub mod update_alias;
pub mod update_key_description;

use service::Row;

/// The `eventSource` of their audit records.
pub(crate) const SOURCE: &str = "kms.amazonaws.com";

/// Every operation by its name on the wire, in alphabetical order.
pub const OPERATIONS: &[Row] = &[
    Row::of::<cancel_key_deletion::CancelKeyDeletion>(),
    Row::of::<create_alias::CreateAlias>(),
    Row::of::<create_grant::CreateGrant>(),
    Row::of::<create_key::CreateKey>(),
    Row::of::<decrypt::Decrypt>(),
    Row::of::<delete_alias::DeleteAlias>(),
    Row::of::<delete_imported_key_material::DeleteImportedKeyMaterial>(),
    Row::of::<describe_key::DescribeKey>(),
    Row::of::<disable_key::DisableKey>(),
    Row::of::<disable_key_rotation::DisableKeyRotation>(),
    Row::of::<enable_key::EnableKey>(),
    Row::of::<enable_key_rotation::EnableKeyRotation>(),
    Row::of::<encrypt::Encrypt>(),
    Row::of::<generate_data_key::GenerateDataKey>(),
    Row::of::<generate_data_key_without_plaintext::GenerateDataKeyWithoutPlaintext>(),
    Row::of::<generate_random::GenerateRandom>(),
    Row::of::<get_key_policy::GetKeyPolicy>(),
    Row::of::<get_key_rotation_status::GetKeyRotationStatus>(),
    Row::of::<get_parameters_for_import::GetParametersForImport>(),
    Row::of::<import_key_material::ImportKeyMaterial>(),
    Row::of::<list_aliases::ListAliases>(),
    Row::of::<list_grants::ListGrants>(),
    Row::of::<list_key_policies::ListKeyPolicies>(),
    Row::of::<list_key_rotations::ListKeyRotations>(),
    Row::of::<list_keys::ListKeys>(),
    Row::of::<list_resource_tags::ListResourceTags>(),
    Row::of::<list_retirable_grants::ListRetirableGrants>(),
    Row::of::<put_key_policy::PutKeyPolicy>(),
    Row::of::<re_encrypt::ReEncrypt>(),
    Row::of::<retire_grant::RetireGrant>(),
    Row::of::<revoke_grant::RevokeGrant>(),
    Row::of::<rotate_key_on_demand::RotateKeyOnDemand>(),
    Row::of::<schedule_key_deletion::ScheduleKeyDeletion>(),
    Row::of::<tag_resource::TagResource>(),
    Row::of::<untag_resource::UntagResource>(),
    Row::of::<update_alias::UpdateAlias>(),
    Row::of::<update_key_description::UpdateKeyDescription>(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_so_that_they_can_be_searched() {
        assert!(OPERATIONS.is_sorted_by_key(|it| it.name));
        assert!(OPERATIONS.iter().all(|it| it.source == SOURCE));
    }
}
