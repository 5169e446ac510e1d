//! `[throttle]`: how many requests a second.

use serde::Deserialize;

/// `[throttle]`: how many requests a second, in each Region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThrottleConfig {
    /// Whether anything is throttled at all.
    pub enabled: bool,
    /// Rates of an account, in each Region.
    pub account: Rates,
    /// Rates of one user, over all Regions. The defaults let one user take all of its account's.
    pub principal: Rates,
}

/// Requests a second, by group of operations. A second's worth may come at once.
///
/// Source: Secrets Manager User Guide, "Quotas".
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// BatchGetSecretValue.
    pub batch: u32,
    /// GetCallerIdentity.
    pub caller: u32,
    /// CreateSecret.
    pub create: u32,
    /// DeleteSecret.
    pub delete: u32,
    /// DescribeSecret.
    pub describe: u32,
    /// GetSecretValue.
    pub get: u32,
    /// ListSecrets.
    pub list: u32,
    /// GetRandomPassword.
    pub password: u32,
    /// Operations on resource policies, together.
    pub policy: u32,
    /// RestoreSecret.
    pub restore: u32,
    /// RotateSecret and CancelRotateSecret, together.
    pub rotate: u32,
    /// TagResource and UntagResource, together.
    pub tag: u32,
    /// PutSecretValue, UpdateSecret, UpdateSecretVersionStage and replication, together.
    pub update: u32,
    /// ListSecretVersionIds.
    pub versions: u32,
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        Self { enabled: true, account: Rates::default(), principal: Rates::default() }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            batch: 100,
            caller: 600,
            create: 50,
            delete: 50,
            describe: 40_000,
            get: 10_000,
            list: 100,
            password: 50,
            policy: 50,
            restore: 50,
            rotate: 50,
            tag: 50,
            update: 50,
            versions: 50,
        }
    }
}
