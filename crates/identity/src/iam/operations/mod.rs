//! Table: the operations of IAM that are built. What is not here is unknown.

pub mod add_client_id_to_open_id_connect_provider;
pub mod add_role_to_instance_profile;
pub mod add_user_to_group;
pub mod attach_group_policy;
pub mod attach_role_policy;
pub mod attach_user_policy;
pub mod change_password;
pub mod create_access_key;
pub mod create_account_alias;
pub mod create_group;
pub mod create_instance_profile;
pub mod create_login_profile;
pub mod create_open_id_connect_provider;
pub mod create_policy;
pub mod create_policy_version;
pub mod create_role;
pub mod create_service_linked_role;
pub mod create_user;
pub mod create_virtual_mfa_device;
pub mod deactivate_mfa_device;
pub mod delete_access_key;
pub mod delete_account_alias;
pub mod delete_account_password_policy;
pub mod delete_group;
pub mod delete_group_policy;
pub mod delete_instance_profile;
pub mod delete_login_profile;
pub mod delete_open_id_connect_provider;
pub mod delete_policy;
pub mod delete_policy_version;
pub mod delete_role;
pub mod delete_role_permissions_boundary;
pub mod delete_role_policy;
pub mod delete_service_linked_role;
pub mod delete_user;
pub mod delete_user_permissions_boundary;
pub mod delete_user_policy;
pub mod delete_virtual_mfa_device;
pub mod detach_group_policy;
pub mod detach_role_policy;
pub mod detach_user_policy;
pub mod disable_outbound_web_identity_federation;
pub mod enable_mfa_device;
pub mod enable_outbound_web_identity_federation;
pub mod generate_credential_report;
pub mod generate_service_last_accessed_details;
pub mod get_access_key_last_used;
pub mod get_account_authorization_details;
pub mod get_account_password_policy;
pub mod get_account_summary;
pub mod get_context_keys_for_custom_policy;
pub mod get_context_keys_for_principal_policy;
pub mod get_credential_report;
pub mod get_group;
pub mod get_group_policy;
pub mod get_instance_profile;
pub mod get_login_profile;
pub mod get_mfa_device;
pub mod get_open_id_connect_provider;
pub mod get_outbound_web_identity_federation_info;
pub mod get_policy;
pub mod get_policy_version;
pub mod get_role;
pub mod get_role_policy;
pub mod get_service_last_accessed_details;
pub mod get_service_last_accessed_details_with_entities;
pub mod get_service_linked_role_deletion_status;
pub mod get_user;
pub mod get_user_policy;
pub mod list_access_keys;
pub mod list_account_aliases;
pub mod list_attached_group_policies;
pub mod list_attached_role_policies;
pub mod list_attached_user_policies;
pub mod list_entities_for_policy;
pub mod list_group_policies;
pub mod list_groups;
pub mod list_groups_for_user;
pub mod list_instance_profile_tags;
pub mod list_instance_profiles;
pub mod list_instance_profiles_for_role;
pub mod list_mfa_device_tags;
pub mod list_mfa_devices;
pub mod list_open_id_connect_provider_tags;
pub mod list_open_id_connect_providers;
pub mod list_policies;
pub mod list_policies_granting_service_access;
pub mod list_policy_tags;
pub mod list_policy_versions;
pub mod list_role_policies;
pub mod list_role_tags;
pub mod list_roles;
pub mod list_user_policies;
pub mod list_user_tags;
pub mod list_users;
pub mod list_virtual_mfa_devices;
pub mod put_group_policy;
pub mod put_role_permissions_boundary;
pub mod put_role_policy;
pub mod put_user_permissions_boundary;
pub mod put_user_policy;
pub mod remove_client_id_from_open_id_connect_provider;
pub mod remove_role_from_instance_profile;
pub mod remove_user_from_group;
pub mod resync_mfa_device;
pub mod set_default_policy_version;
pub mod set_security_token_service_preferences;
pub mod simulate_custom_policy;
pub mod simulate_principal_policy;
pub mod tag_instance_profile;
pub mod tag_mfa_device;
pub mod tag_open_id_connect_provider;
pub mod tag_policy;
pub mod tag_role;
pub mod tag_user;
pub mod untag_instance_profile;
pub mod untag_mfa_device;
pub mod untag_open_id_connect_provider;
pub mod untag_policy;
pub mod untag_role;
pub mod untag_user;
pub mod update_access_key;
pub mod update_account_password_policy;
pub mod update_assume_role_policy;
pub mod update_group;
pub mod update_login_profile;
pub mod update_open_id_connect_provider_thumbprint;
pub mod update_role;
pub mod update_role_description;
pub mod update_user;

use crate::iam::SERVICE;
use serde::Serialize;
use service::Row;

/// An empty result.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Nothing;

/// Every operation by its name on the wire, in alphabetical order.
pub const OPERATIONS: &[Row] = &[
    Row::query::<add_client_id_to_open_id_connect_provider::AddClientIDToOpenIDConnectProvider>(
        &SERVICE,
    ),
    Row::query::<add_role_to_instance_profile::AddRoleToInstanceProfile>(&SERVICE),
    Row::query::<add_user_to_group::AddUserToGroup>(&SERVICE),
    Row::query::<attach_group_policy::AttachGroupPolicy>(&SERVICE),
    Row::query::<attach_role_policy::AttachRolePolicy>(&SERVICE),
    Row::query::<attach_user_policy::AttachUserPolicy>(&SERVICE),
    Row::query::<change_password::ChangePassword>(&SERVICE),
    Row::query::<create_access_key::CreateAccessKey>(&SERVICE),
    Row::query::<create_account_alias::CreateAccountAlias>(&SERVICE),
    Row::query::<create_group::CreateGroup>(&SERVICE),
    Row::query::<create_instance_profile::CreateInstanceProfile>(&SERVICE),
    Row::query::<create_login_profile::CreateLoginProfile>(&SERVICE),
    Row::query::<create_open_id_connect_provider::CreateOpenIDConnectProvider>(&SERVICE),
    Row::query::<create_policy::CreatePolicy>(&SERVICE),
    Row::query::<create_policy_version::CreatePolicyVersion>(&SERVICE),
    Row::query::<create_role::CreateRole>(&SERVICE),
    Row::query::<create_service_linked_role::CreateServiceLinkedRole>(&SERVICE),
    Row::query::<create_user::CreateUser>(&SERVICE),
    Row::query::<create_virtual_mfa_device::CreateVirtualMFADevice>(&SERVICE),
    Row::query::<deactivate_mfa_device::DeactivateMFADevice>(&SERVICE),
    Row::query::<delete_access_key::DeleteAccessKey>(&SERVICE),
    Row::query::<delete_account_alias::DeleteAccountAlias>(&SERVICE),
    Row::query::<delete_account_password_policy::DeleteAccountPasswordPolicy>(&SERVICE),
    Row::query::<delete_group::DeleteGroup>(&SERVICE),
    Row::query::<delete_group_policy::DeleteGroupPolicy>(&SERVICE),
    Row::query::<delete_instance_profile::DeleteInstanceProfile>(&SERVICE),
    Row::query::<delete_login_profile::DeleteLoginProfile>(&SERVICE),
    Row::query::<delete_open_id_connect_provider::DeleteOpenIDConnectProvider>(&SERVICE),
    Row::query::<delete_policy::DeletePolicy>(&SERVICE),
    Row::query::<delete_policy_version::DeletePolicyVersion>(&SERVICE),
    Row::query::<delete_role::DeleteRole>(&SERVICE),
    Row::query::<delete_role_permissions_boundary::DeleteRolePermissionsBoundary>(&SERVICE),
    Row::query::<delete_role_policy::DeleteRolePolicy>(&SERVICE),
    Row::query::<delete_service_linked_role::DeleteServiceLinkedRole>(&SERVICE),
    Row::query::<delete_user::DeleteUser>(&SERVICE),
    Row::query::<delete_user_permissions_boundary::DeleteUserPermissionsBoundary>(&SERVICE),
    Row::query::<delete_user_policy::DeleteUserPolicy>(&SERVICE),
    Row::query::<delete_virtual_mfa_device::DeleteVirtualMFADevice>(&SERVICE),
    Row::query::<detach_group_policy::DetachGroupPolicy>(&SERVICE),
    Row::query::<detach_role_policy::DetachRolePolicy>(&SERVICE),
    Row::query::<detach_user_policy::DetachUserPolicy>(&SERVICE),
    Row::query::<disable_outbound_web_identity_federation::DisableOutboundWebIdentityFederation>(
        &SERVICE,
    ),
    Row::query::<enable_mfa_device::EnableMFADevice>(&SERVICE),
    Row::query::<enable_outbound_web_identity_federation::EnableOutboundWebIdentityFederation>(
        &SERVICE,
    ),
    Row::query::<generate_credential_report::GenerateCredentialReport>(&SERVICE),
    Row::query::<generate_service_last_accessed_details::GenerateServiceLastAccessedDetails>(
        &SERVICE,
    ),
    Row::query::<get_access_key_last_used::GetAccessKeyLastUsed>(&SERVICE),
    Row::query::<get_account_authorization_details::GetAccountAuthorizationDetails>(&SERVICE),
    Row::query::<get_account_password_policy::GetAccountPasswordPolicy>(&SERVICE),
    Row::query::<get_account_summary::GetAccountSummary>(&SERVICE),
    Row::query::<get_context_keys_for_custom_policy::GetContextKeysForCustomPolicy>(&SERVICE),
    Row::query::<get_context_keys_for_principal_policy::GetContextKeysForPrincipalPolicy>(&SERVICE),
    Row::query::<get_credential_report::GetCredentialReport>(&SERVICE),
    Row::query::<get_group::GetGroup>(&SERVICE),
    Row::query::<get_group_policy::GetGroupPolicy>(&SERVICE),
    Row::query::<get_instance_profile::GetInstanceProfile>(&SERVICE),
    Row::query::<get_login_profile::GetLoginProfile>(&SERVICE),
    Row::query::<get_mfa_device::GetMFADevice>(&SERVICE),
    Row::query::<get_open_id_connect_provider::GetOpenIDConnectProvider>(&SERVICE),
    Row::query::<get_outbound_web_identity_federation_info::GetOutboundWebIdentityFederationInfo>(
        &SERVICE,
    ),
    Row::query::<get_policy::GetPolicy>(&SERVICE),
    Row::query::<get_policy_version::GetPolicyVersion>(&SERVICE),
    Row::query::<get_role::GetRole>(&SERVICE),
    Row::query::<get_role_policy::GetRolePolicy>(&SERVICE),
    Row::query::<get_service_last_accessed_details::GetServiceLastAccessedDetails>(&SERVICE),
    Row::query::<
        get_service_last_accessed_details_with_entities::GetServiceLastAccessedDetailsWithEntities,
    >(&SERVICE),
    Row::query::<get_service_linked_role_deletion_status::GetServiceLinkedRoleDeletionStatus>(
        &SERVICE,
    ),
    Row::query::<get_user::GetUser>(&SERVICE),
    Row::query::<get_user_policy::GetUserPolicy>(&SERVICE),
    Row::query::<list_access_keys::ListAccessKeys>(&SERVICE),
    Row::query::<list_account_aliases::ListAccountAliases>(&SERVICE),
    Row::query::<list_attached_group_policies::ListAttachedGroupPolicies>(&SERVICE),
    Row::query::<list_attached_role_policies::ListAttachedRolePolicies>(&SERVICE),
    Row::query::<list_attached_user_policies::ListAttachedUserPolicies>(&SERVICE),
    Row::query::<list_entities_for_policy::ListEntitiesForPolicy>(&SERVICE),
    Row::query::<list_group_policies::ListGroupPolicies>(&SERVICE),
    Row::query::<list_groups::ListGroups>(&SERVICE),
    Row::query::<list_groups_for_user::ListGroupsForUser>(&SERVICE),
    Row::query::<list_instance_profile_tags::ListInstanceProfileTags>(&SERVICE),
    Row::query::<list_instance_profiles::ListInstanceProfiles>(&SERVICE),
    Row::query::<list_instance_profiles_for_role::ListInstanceProfilesForRole>(&SERVICE),
    Row::query::<list_mfa_device_tags::ListMFADeviceTags>(&SERVICE),
    Row::query::<list_mfa_devices::ListMFADevices>(&SERVICE),
    Row::query::<list_open_id_connect_provider_tags::ListOpenIDConnectProviderTags>(&SERVICE),
    Row::query::<list_open_id_connect_providers::ListOpenIDConnectProviders>(&SERVICE),
    Row::query::<list_policies::ListPolicies>(&SERVICE),
    Row::query::<list_policies_granting_service_access::ListPoliciesGrantingServiceAccess>(
        &SERVICE,
    ),
    Row::query::<list_policy_tags::ListPolicyTags>(&SERVICE),
    Row::query::<list_policy_versions::ListPolicyVersions>(&SERVICE),
    Row::query::<list_role_policies::ListRolePolicies>(&SERVICE),
    Row::query::<list_role_tags::ListRoleTags>(&SERVICE),
    Row::query::<list_roles::ListRoles>(&SERVICE),
    Row::query::<list_user_policies::ListUserPolicies>(&SERVICE),
    Row::query::<list_user_tags::ListUserTags>(&SERVICE),
    Row::query::<list_users::ListUsers>(&SERVICE),
    Row::query::<list_virtual_mfa_devices::ListVirtualMFADevices>(&SERVICE),
    Row::query::<put_group_policy::PutGroupPolicy>(&SERVICE),
    Row::query::<put_role_permissions_boundary::PutRolePermissionsBoundary>(&SERVICE),
    Row::query::<put_role_policy::PutRolePolicy>(&SERVICE),
    Row::query::<put_user_permissions_boundary::PutUserPermissionsBoundary>(&SERVICE),
    Row::query::<put_user_policy::PutUserPolicy>(&SERVICE),
    Row::query::<
        remove_client_id_from_open_id_connect_provider::RemoveClientIDFromOpenIDConnectProvider,
    >(&SERVICE),
    Row::query::<remove_role_from_instance_profile::RemoveRoleFromInstanceProfile>(&SERVICE),
    Row::query::<remove_user_from_group::RemoveUserFromGroup>(&SERVICE),
    Row::query::<resync_mfa_device::ResyncMFADevice>(&SERVICE),
    Row::query::<set_default_policy_version::SetDefaultPolicyVersion>(&SERVICE),
    Row::query::<set_security_token_service_preferences::SetSecurityTokenServicePreferences>(
        &SERVICE,
    ),
    Row::query::<simulate_custom_policy::SimulateCustomPolicy>(&SERVICE),
    Row::query::<simulate_principal_policy::SimulatePrincipalPolicy>(&SERVICE),
    Row::query::<tag_instance_profile::TagInstanceProfile>(&SERVICE),
    Row::query::<tag_mfa_device::TagMFADevice>(&SERVICE),
    Row::query::<tag_open_id_connect_provider::TagOpenIDConnectProvider>(&SERVICE),
    Row::query::<tag_policy::TagPolicy>(&SERVICE),
    Row::query::<tag_role::TagRole>(&SERVICE),
    Row::query::<tag_user::TagUser>(&SERVICE),
    Row::query::<untag_instance_profile::UntagInstanceProfile>(&SERVICE),
    Row::query::<untag_mfa_device::UntagMFADevice>(&SERVICE),
    Row::query::<untag_open_id_connect_provider::UntagOpenIDConnectProvider>(&SERVICE),
    Row::query::<untag_policy::UntagPolicy>(&SERVICE),
    Row::query::<untag_role::UntagRole>(&SERVICE),
    Row::query::<untag_user::UntagUser>(&SERVICE),
    Row::query::<update_access_key::UpdateAccessKey>(&SERVICE),
    Row::query::<update_account_password_policy::UpdateAccountPasswordPolicy>(&SERVICE),
    Row::query::<update_assume_role_policy::UpdateAssumeRolePolicy>(&SERVICE),
    Row::query::<update_group::UpdateGroup>(&SERVICE),
    Row::query::<update_login_profile::UpdateLoginProfile>(&SERVICE),
    Row::query::<update_open_id_connect_provider_thumbprint::UpdateOpenIDConnectProviderThumbprint>(
        &SERVICE,
    ),
    Row::query::<update_role::UpdateRole>(&SERVICE),
    Row::query::<update_role_description::UpdateRoleDescription>(&SERVICE),
    Row::query::<update_user::UpdateUser>(&SERVICE),
];

#[cfg(test)]
mod tests {
    use super::OPERATIONS;

    #[test]
    fn rows_are_sorted_so_that_they_can_be_searched() {
        assert!(OPERATIONS.is_sorted_by_key(|it| it.name));
    }
}
