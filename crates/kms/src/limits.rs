//! Table: the service's limits, with their names in the model and the quota page.

use std::ops::RangeInclusive;

/// `AliasNameType`, `alias/` included.
pub(crate) const ALIAS: RangeInclusive<usize> = 1..=256;
/// Aliases of one key.
pub(crate) const ALIASES_PER_KEY: usize = 50;
/// `CiphertextType`, in bytes.
pub(crate) const CIPHERTEXT: RangeInclusive<usize> = 1..=6144;
/// Bytes of all names and values of an encryption context.
pub(crate) const CONTEXT: usize = 8192;
/// Characters of the encryption context in a grant's constraint.
pub(crate) const CONSTRAINT: usize = 384;
/// Pairs in a grant's constraint.
pub(crate) const CONSTRAINT_PAIRS: usize = 8;
/// `DescriptionType`.
pub(crate) const DESCRIPTION: RangeInclusive<usize> = 0..=8192;
/// `KeyMaterialDescriptionType`.
pub(crate) const MATERIAL_DESCRIPTION: RangeInclusive<usize> = 0..=256;
/// `KeyMaterialIdType`.
pub(crate) const MATERIAL_ID: RangeInclusive<usize> = 64..=64;
/// `GrantIdType`.
pub(crate) const GRANT_ID: RangeInclusive<usize> = 1..=128;
/// `GrantNameType`.
pub(crate) const GRANT_NAME: RangeInclusive<usize> = 1..=256;
/// `GrantTokenType`.
pub(crate) const GRANT_TOKEN: RangeInclusive<usize> = 1..=8192;
/// `GrantTokenList`.
pub(crate) const GRANT_TOKENS: RangeInclusive<usize> = 0..=10;
/// `KeyIdType`.
pub(crate) const KEY_ID: RangeInclusive<usize> = 1..=2048;
/// `LimitType`.
pub(crate) const LIMIT: RangeInclusive<i64> = 1..=1000;
/// `MarkerType`.
pub(crate) const MARKER: RangeInclusive<usize> = 1..=1024;
/// `NumberOfBytesType`.
pub(crate) const NUMBER_OF_BYTES: RangeInclusive<i64> = 1..=1024;
/// `PendingWindowInDaysType`, as AWS checks it; the model has 1 to 365.
pub(crate) const WINDOW: RangeInclusive<i64> = 7..=30;
/// `PlaintextType`, in bytes.
pub(crate) const PLAINTEXT: RangeInclusive<usize> = 1..=4096;
/// `PolicyType`.
pub(crate) const POLICY: RangeInclusive<usize> = 1..=131_072;
/// `PolicyNameType`.
pub(crate) const POLICY_NAME: RangeInclusive<usize> = 1..=128;
/// `PrincipalIdType`.
pub(crate) const PRINCIPAL: RangeInclusive<usize> = 1..=256;
/// `RotationPeriodInDaysType`.
pub(crate) const ROTATION_PERIOD: RangeInclusive<i64> = 90..=2560;
/// Rotations on demand that a key can have.
pub(crate) const ROTATIONS_ON_DEMAND: usize = 25;
/// `ServicePrincipalType`.
pub(crate) const SERVICE_PRINCIPAL: RangeInclusive<usize> = 1..=128;
/// `TagKeyType`.
pub(crate) const TAG_KEY: RangeInclusive<usize> = 1..=128;
/// `TagValueType`.
pub(crate) const TAG_VALUE: RangeInclusive<usize> = 0..=256;
/// Tags of one key.
pub(crate) const TAGS_PER_KEY: usize = 50;
