//! Table: the service's limits, with their names in the model and the quota page.

/// Bytes of a value, decoded.
pub(crate) const VALUE: std::ops::RangeInclusive<usize> = 1..=65_536;
/// `SecretIdType`, in characters.
pub(crate) const SECRET_ID: std::ops::RangeInclusive<usize> = 1..=2048;
/// `RotationLambdaARNType`.
pub(crate) const FUNCTION_ARN: std::ops::RangeInclusive<usize> = 0..=2048;
/// `AutomaticallyRotateAfterDaysType`.
pub(crate) const ROTATION_DAYS: std::ops::RangeInclusive<i64> = 1..=1000;
/// `DurationType`.
pub(crate) const ROTATION_HOURS: std::ops::RangeInclusive<usize> = 2..=3;
/// `ScheduleExpressionType`.
pub(crate) const SCHEDULE: std::ops::RangeInclusive<usize> = 1..=256;
/// `NameType`.
pub(crate) const NAME: std::ops::RangeInclusive<usize> = 1..=512;
/// `ClientRequestTokenType` and `SecretVersionIdType`.
pub(crate) const TOKEN: std::ops::RangeInclusive<usize> = 32..=64;
/// `SecretVersionStageType`.
pub(crate) const LABEL: std::ops::RangeInclusive<usize> = 1..=256;
/// `SecretVersionStagesType`: labels in one request.
pub(crate) const LABELS_GIVEN: std::ops::RangeInclusive<usize> = 1..=20;
/// Labels over all versions of a secret.
pub(crate) const LABELS_PER_SECRET: usize = 20;
/// `DescriptionType`.
pub(crate) const DESCRIPTION: std::ops::RangeInclusive<usize> = 0..=2048;
/// `KmsKeyIdType`.
pub(crate) const KMS_KEY_ID: std::ops::RangeInclusive<usize> = 0..=2048;
/// `MediumTypeType`: the type of a managed external secret.
pub(crate) const TYPE: std::ops::RangeInclusive<usize> = 0..=256;
/// `NonEmptyResourcePolicyType`.
pub(crate) const POLICY: std::ops::RangeInclusive<usize> = 1..=20_480;
/// `PolicyNameType`.
pub(crate) const POLICY_NAME: std::ops::RangeInclusive<usize> = 1..=64;
/// `RegionType`, as CreateSecret names the Regions of replicas.
pub(crate) const REGION: std::ops::RangeInclusive<usize> = 1..=128;
/// `SecretARNType`.
pub(crate) const SECRET_ARN: std::ops::RangeInclusive<usize> = 20..=2048;
/// `NextTokenType`.
pub(crate) const NEXT_TOKEN: std::ops::RangeInclusive<usize> = 1..=4096;
/// `MaxResultsType`.
pub(crate) const PAGE: std::ops::RangeInclusive<i64> = 1..=100;
/// `MaxResultsBatchType`, and ids in one batch.
pub(crate) const BATCH: std::ops::RangeInclusive<i64> = 1..=20;
/// `TagKeyType`.
pub(crate) const TAG_KEY: std::ops::RangeInclusive<usize> = 1..=128;
/// `TagValueType`.
pub(crate) const TAG_VALUE: std::ops::RangeInclusive<usize> = 0..=256;
/// Tags of one secret.
pub(crate) const TAGS_PER_SECRET: usize = 50;
/// Versions kept before the oldest without label are removed.
pub(crate) const VERSIONS_KEPT: u32 = 100;
/// Versions at which no further one is made: the clean-up never removes one of the last 24 hours.
pub(crate) const VERSIONS_AT_MOST: u32 = 10_000;
/// Rows a listing looks at for one page; a page may hold fewer entries than asked for.
pub(crate) const ROWS_PER_PAGE: usize = 10_000;
