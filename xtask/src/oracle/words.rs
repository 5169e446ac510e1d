//! Table: the callers, actions, resources and condition keys that cases are made of.

/// The account that owns the resources.
pub(super) const OWNER: &str = "111122223333";
/// Another account.
pub(super) const OTHER: &str = "444455556666";

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) kind: &'static str,
    pub(super) account: &'static str,
    pub(super) arn: &'static str,
    /// The unique id of the user, of the session's role, of the user behind a federated session.
    pub(super) id: &'static str,
    /// The ARN of the role or user behind a session.
    pub(super) behind: &'static str,
}

#[rustfmt::skip]
pub(super) const CALLERS: &[Caller] = &[
    Caller { kind: "user", account: OWNER, arn: "arn:aws:iam::111122223333:user/alice", id: "AIDAALICE00000000001", behind: "" },
    Caller { kind: "user", account: OWNER, arn: "arn:aws:iam::111122223333:user/team/bob", id: "AIDABOB0000000000002", behind: "" },
    Caller { kind: "user", account: OTHER, arn: "arn:aws:iam::444455556666:user/carol", id: "AIDACAROL00000000003", behind: "" },
    Caller { kind: "role", account: OWNER, arn: "arn:aws:sts::111122223333:assumed-role/app/s1", id: "AROAAPP0000000000004", behind: "arn:aws:iam::111122223333:role/team/app" },
    Caller { kind: "role", account: OWNER, arn: "arn:aws:sts::111122223333:assumed-role/job/red", id: "AROAJOB0000000000005", behind: "arn:aws:iam::111122223333:role/job" },
    Caller { kind: "role", account: OTHER, arn: "arn:aws:sts::444455556666:assumed-role/app/s1", id: "AROAAPP0000000000006", behind: "arn:aws:iam::444455556666:role/app" },
    Caller { kind: "root", account: OWNER, arn: "arn:aws:iam::111122223333:root", id: "", behind: "" },
    Caller { kind: "root", account: OTHER, arn: "arn:aws:iam::444455556666:root", id: "", behind: "" },
    Caller { kind: "federated", account: OWNER, arn: "arn:aws:sts::111122223333:federated-user/fred", id: "AIDAFRED000000000007", behind: "arn:aws:iam::111122223333:user/fred" },
    Caller { kind: "federated", account: OTHER, arn: "arn:aws:sts::444455556666:federated-user/fran", id: "AIDAFRAN000000000008", behind: "arn:aws:iam::444455556666:user/fran" },
    Caller { kind: "web", account: OWNER, arn: "arn:aws:iam::111122223333:oidc-provider/idp.example.com", id: "", behind: "" },
    Caller { kind: "service", account: OWNER, arn: "lambda.amazonaws.com", id: "", behind: "" },
];

pub(super) const SECRETS: &[&str] = &[
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-a1b2c3",
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:red/db-d4e5f6",
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:App/DB-X9y8z7",
];
pub(super) const KEYS: &[&str] = &[
    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
];
pub(super) const ALIASES: &[&str] = &[
    "arn:aws:kms:us-east-1:111122223333:alias/app",
    "arn:aws:kms:us-east-1:111122223333:alias/red",
];
pub(super) const ROLES: &[&str] =
    &["arn:aws:iam::111122223333:role/team/app", "arn:aws:iam::111122223333:role/target"];

/// Actions, and the resources that they can be asked for; none is an action without resource.
pub(super) const ACTIONS: &[(&[&str], &[&str])] = &[
    (
        &[
            "secretsmanager:GetSecretValue",
            "secretsmanager:DescribeSecret",
            "secretsmanager:PutSecretValue",
            "secretsmanager:TagResource",
            "secretsmanager:CreateSecret",
        ],
        SECRETS,
    ),
    (
        &[
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "kms:CreateGrant",
            "kms:DescribeKey",
            "kms:ScheduleKeyDeletion",
        ],
        KEYS,
    ),
    (&["sts:AssumeRole"], ROLES),
    (&["kms:CreateAlias"], ALIASES),
    (
        &[
            "secretsmanager:ListSecrets",
            "secretsmanager:GetRandomPassword",
            "kms:ListKeys",
            "sts:GetCallerIdentity",
            "sts:GetSessionToken",
        ],
        &[],
    ),
];

/// What someone with a token of an identity provider can ask for.
pub(super) const OF_WEB: &str = "sts:AssumeRoleWithWebIdentity";

/// How often each row of [`ACTIONS`] is taken: by repetition.
pub(super) const TURNS: &[usize] = &[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 4];

/// What the values of a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Arn,
    Binary,
    Bool,
    Date,
    Ip,
    Number,
    Text,
}

impl Type {
    /// The operators that are made for it.
    pub(super) fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Arn => &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
            Self::Binary => &["BinaryEquals"],
            Self::Bool => &["Bool"],
            Self::Date => &[
                "DateEquals",
                "DateNotEquals",
                "DateLessThan",
                "DateLessThanEquals",
                "DateGreaterThan",
                "DateGreaterThanEquals",
            ],
            Self::Ip => &["IpAddress", "NotIpAddress"],
            Self::Number => &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ],
            Self::Text => &[
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringLike",
                "StringNotLike",
            ],
        }
    }
}

/// A condition key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) of: Type,
    /// Whether it can have several values.
    pub(super) many: bool,
    /// Whether the request tells it; otherwise it follows from the caller and the resource.
    pub(super) told: bool,
    /// The actions that have it; none is all.
    pub(super) actions: &'static [&'static str],
    /// What a request may have.
    pub(super) values: &'static [&'static str],
    /// What a policy may ask for besides.
    pub(super) patterns: &'static [&'static str],
}

/// A key of every action.
const fn key(
    name: &'static str,
    of: Type,
    values: &'static [&'static str],
    patterns: &'static [&'static str],
) -> Key {
    Key { name, of, many: false, told: true, actions: &[], values, patterns }
}

impl Key {
    const fn many(self) -> Self {
        Self { many: true, ..self }
    }

    const fn untold(self) -> Self {
        Self { told: false, ..self }
    }

    const fn only(self, actions: &'static [&'static str]) -> Self {
        Self { actions, ..self }
    }
}

const ON_KEYS: &[&str] = &[
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:CreateGrant",
    "kms:DescribeKey",
    "kms:ScheduleKeyDeletion",
];

#[rustfmt::skip]
pub(super) const CONDITION_KEYS: &[Key] = &[
    key("aws:PrincipalTag/team", Type::Text, &["red", "blue", "Red", "*", "r?d", "Zoë"], &["r*", "?ed", "*", "RED", "zoË", "Z??"]),
    key("aws:PrincipalTag/name", Type::Text, &["app", "db", "app/db", "${*}"], &["app/*", "*/db"]),
    key("aws:ResourceTag/team", Type::Text, &["red", "blue", "Red"], &["r*", "b?ue", "RED"]),
    key("aws:RequestTag/team", Type::Text, &["red", "blue", ""], &["red*", "*", ""]),
    key("aws:TagKeys", Type::Text, &["team", "cost", "Team"], &["t*", "owner", "TEAM"]).many(),
    key("aws:CalledVia", Type::Text, &["secretsmanager.amazonaws.com", "cloudformation.amazonaws.com"], &["*.amazonaws.com", "athena.amazonaws.com"]).many(),
    key("aws:PrincipalOrgPaths", Type::Text, &["o-a1/r-b2/ou-c3/", "o-a1/r-b2/"], &["o-a1/r-b2/*", "o-a1/*"]).many(),
    key("aws:PrincipalOrgID", Type::Text, &["o-a1", "o-z9"], &["o-*"]),
    key("aws:SourceVpce", Type::Text, &["vpce-1a2b", "vpce-3c4d"], &["vpce-*"]),
    key("aws:SourceAccount", Type::Text, &[OWNER, OTHER], &["1111*"]),
    key("aws:UserAgent", Type::Text, &["aws-cli/2.31 Python/3.12 (x+y)", "Boto3/1.42"], &["aws-cli/*", "*Python*", "boto3/1.42"]),
    key("aws:RequestedRegion", Type::Text, &["us-east-1", "eu-west-1"], &["us-*", "us-????-1"]),
    key("aws:SourceArn", Type::Arn, &["arn:aws:lambda:us-east-1:111122223333:function:rotate", "arn:aws:sns:us-east-1:444455556666:topic/a:b", "no arn"], &["arn:aws:lambda:*:111122223333:function:*", "arn:aws:lambda:us-east-1:*", "arn:*:sns:*:*:topic/*", "arn:aws:sns:us-east-1:444455556666:topic/?:b"]),
    key("aws:SourceIp", Type::Ip, &["203.0.113.7", "198.51.100.20", "2001:db8::1"], &["203.0.113.0/24", "0.0.0.0/0", "10.0.0.0/8", "2001:db8::/32", "198.51.100.16/28"]),
    key("aws:SecureTransport", Type::Bool, &["true", "false"], &["TRUE", "False"]),
    key("aws:MultiFactorAuthPresent", Type::Bool, &["true", "false"], &[]),
    key("aws:ViaAWSService", Type::Bool, &["true", "false"], &[]),
    key("aws:MultiFactorAuthAge", Type::Number, &["10", "3600", "300.5", "-1"], &["300", "10.0", "3600", "0"]),
    key("aws:CurrentTime", Type::Date, &["2026-06-01T12:00:00Z", "2026-11-21T10:00:00Z"], &["2026-06-01T14:00:00+02:00", "2026-06-01", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00.5Z"]),
    key("aws:TokenIssueTime", Type::Date, &["2026-06-01T11:00:00Z", "2026-06-01T12:00:00.000Z"], &["2026-06-01T12:00:00Z", "2026-05-31"]),
    key("aws:EpochTime", Type::Date, &["1780315200", "1795255200"], &["1780315200", "1790000000", "2026-06-01T12:00:00Z"]),
    key("aws:referer", Type::Binary, &["QQ==", "U3Ryb25ncm9vbQ=="], &["QUE="]),
    key("aws:PrincipalArn", Type::Arn, &[], &["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/team/*", "arn:aws:iam::*:role/app", "arn:aws:iam::111122223333:root", "arn:aws:sts::111122223333:federated-user/fred", "arn:aws:iam::111122223333:*"]).untold(),
    key("aws:PrincipalAccount", Type::Text, &[], &[OWNER, OTHER, "1111*"]).untold(),
    key("aws:PrincipalType", Type::Text, &[], &["User", "AssumedRole", "FederatedUser", "Account"]).untold(),
    key("aws:PrincipalIsAWSService", Type::Bool, &[], &["true", "false"]).untold(),
    key("aws:PrincipalServiceName", Type::Text, &[], &["lambda.amazonaws.com", "*.amazonaws.com"]).untold(),
    key("aws:ResourceAccount", Type::Text, &[], &[OWNER, OTHER, "${aws:PrincipalAccount}"]).untold(),
    key("aws:userid", Type::Text, &[], &["AIDA*", "AROAAPP0000000000004:s1", "AROA*:*", "111122223333:fred", OWNER]).untold(),
    key("aws:username", Type::Text, &[], &["alice", "bob", "b*"]).untold(),
    key("secretsmanager:VersionStage", Type::Text, &["AWSCURRENT", "AWSPENDING"], &["AWS*"]).only(&["secretsmanager:GetSecretValue"]),
    key("secretsmanager:SecretId", Type::Arn, SECRETS, &["arn:aws:secretsmanager:*:*:secret:app/*"]).only(&["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]),
    key("secretsmanager:Name", Type::Text, &["app/db", "red/db"], &["app/*", "${aws:PrincipalTag/team}/*"]).only(&["secretsmanager:CreateSecret"]),
    key("kms:ViaService", Type::Text, &["secretsmanager.us-east-1.amazonaws.com"], &["secretsmanager.*.amazonaws.com", "ssm.us-east-1.amazonaws.com"]).only(ON_KEYS),
    key("kms:CallerAccount", Type::Text, &[OWNER, OTHER], &[]).only(ON_KEYS),
    key("kms:EncryptionContextKeys", Type::Text, &["team", "SecretARN"], &["t*", "SecretVersionId"]).many().only(&["kms:Decrypt", "kms:GenerateDataKey"]),
    key("kms:MultiRegion", Type::Bool, &["true", "false"], &[]).only(ON_KEYS),
    key("kms:GrantOperations", Type::Text, &["Decrypt", "Encrypt", "RetireGrant"], &["De*", "CreateGrant"]).many().only(&["kms:CreateGrant"]),
    key("kms:ScheduleKeyDeletionPendingWindowInDays", Type::Number, &["7", "30"], &["7", "14", "30.0"]).only(&["kms:ScheduleKeyDeletion"]),
    key("sts:ExternalId", Type::Text, &["x-1", "X-1"], &["x-*"]).only(&["sts:AssumeRole"]),
    key("sts:RoleSessionName", Type::Text, &["alice", "s1"], &["${aws:username}", "s?"]).only(&["sts:AssumeRole", OF_WEB]),
    key("sts:TransitiveTagKeys", Type::Text, &["team", "cost"], &["t*"]).many().only(&["sts:AssumeRole", OF_WEB]),
];

/// Texts with variables, for values that may have them.
pub(super) const VARIABLES: &[&str] = &[
    "${aws:PrincipalTag/team}",
    "${aws:PrincipalTag/team, 'red'}",
    "${aws:ResourceTag/team}",
    "${aws:username}",
    "x${aws:PrincipalTag/none, 'y'}",
    "${aws:PrincipalAccount}",
    "${*}",
    "r${?}d",
    "a${$}b",
    "${aws:TagKeys}",
];
