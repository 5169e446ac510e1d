//! GetAccountSummary: what the account has, and may have, of each kind.

use crate::entities::{Group, Role};
use crate::iam::{Error, SOURCE, holder, policies, profiles};
use crate::oidc_provider;
use crate::user::User;
use crate::{entities, mfa, settings, user};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::collections::BTreeMap;
use store::Txn;
use wire::Violations;

input! {
    /// Nothing: the account is the caller's.
    pub struct GetAccountSummary {
    }
}

/// Numbers by name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    summary_map: BTreeMap<&'static str, usize>,
}

impl Operation for GetAccountSummary {
    const NAME: &'static str = "GetAccountSummary";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetAccountSummary");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, _: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        let mut summary_map = BTreeMap::from(QUOTAS);
        let users = holder::count::<User>(txn, &user::prefix(account)).await?;
        let groups = holder::count::<Group>(txn, &entities::prefix(account, "group")).await?;
        let roles = holder::count::<Role>(txn, &entities::prefix(account, "role")).await?;
        let devices = mfa::all(txn, account).await?;
        let policies = policies::all(txn, account, "Local").await?;
        let versions = policies.iter().map(|it| it.numbers().len()).sum();
        let tokens = settings::find(txn, account).await?.token_version();
        summary_map.extend([
            ("GlobalEndpointTokenVersion", usize::from(tokens)),
            ("InstanceProfiles", profiles::count(txn, account).await?),
            ("MFADevices", devices.len()),
            ("MFADevicesInUse", devices.iter().filter(|it| it.owner.is_some()).count()),
            ("Users", users),
            ("Groups", groups),
            ("Roles", roles),
            ("Policies", policies.len()),
            ("PolicyVersionsInUse", versions),
            ("Providers", oidc_provider::all(txn, account).await?.len()),
        ]);
        Ok(Answer::new(permit, Output { summary_map }))
    }
}

/// Source: IAM API Reference, "GetAccountSummary".
const QUOTAS: [(&str, usize); 20] = [
    ("AccessKeysPerUserQuota", 2),
    // The root user has neither password nor second factor, key or certificate.
    ("AccountAccessKeysPresent", 0),
    ("AccountMFAEnabled", 0),
    ("AccountPasswordPresent", 0),
    ("AccountSigningCertificatesPresent", 0),
    ("AssumeRolePolicySizeQuota", 2048),
    ("AttachedPoliciesPerGroupQuota", 10),
    ("AttachedPoliciesPerRoleQuota", 10),
    ("AttachedPoliciesPerUserQuota", 10),
    ("GroupPolicySizeQuota", 5120),
    ("GroupsPerUserQuota", 10),
    ("GroupsQuota", 300),
    ("InstanceProfilesQuota", profiles::MOST),
    ("PoliciesQuota", 1500),
    ("PolicySizeQuota", 6144),
    ("RolePolicySizeQuota", 10_240),
    ("RolesQuota", 1000),
    ("UserPolicySizeQuota", 2048),
    ("UsersQuota", 5000),
    ("VersionsPerPolicyQuota", 5),
];
