//! Table: the managed policies that every account has, as AWS ships them.
//!
//! Trimmed to the services that are built where the original names hundreds. They can be attached and read,
//! never changed. Source: AWS Managed Policy Reference.

/// A policy that belongs to no account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AwsManaged {
    /// `AdministratorAccess`.
    pub(crate) name: &'static str,
    /// `/` or `/service-role/`.
    pub(crate) path: &'static str,
    /// Its unique id.
    pub(crate) id: &'static str,
    /// What it is for.
    pub(crate) description: &'static str,
    /// The number of the version in force.
    pub(crate) version: u32,
    /// When the policy and when that version was made, in seconds since 1970.
    pub(crate) made: (i64, i64),
    /// The document of that version.
    pub(crate) text: &'static str,
}

/// The document of the policy `arn`, if AWS ships it.
pub(crate) fn aws_managed(arn: &str) -> Option<&'static str> {
    find(arn).map(|it| it.text)
}

/// The policy `arn`, if AWS ships it.
pub(crate) fn find(arn: &str) -> Option<&'static AwsManaged> {
    let place = arn.strip_prefix(PREFIX)?;
    ALL.iter().find(|it| place.strip_prefix(it.path.trim_start_matches('/')) == Some(it.name))
}

impl AwsManaged {
    /// `arn:aws:iam::aws:policy/AdministratorAccess`.
    pub(crate) fn arn(&self) -> String {
        format!("{PREFIX}{}{}", self.path.trim_start_matches('/'), self.name)
    }
}

/// What the ARNs of all of them begin with.
pub(crate) const PREFIX: &str = "arn:aws:iam::aws:policy/";

/// 2015-02-06, when most of them were made.
const BEGINNING: i64 = 1_423_247_400;

/// All of them, by name.
pub(crate) const ALL: &[AwsManaged] = &[
    AwsManaged {
        name: "AWSKeyManagementServicePowerUser",
        path: "/",
        id: "ANPAJNPP7PPPPMJRV2SA4",
        description: "Provides access to AWS Key Management Service (KMS).",
        version: 2,
        made: (BEGINNING, 1_488_845_580),
        text: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "kms:CreateAlias",
                "kms:CreateKey",
                "kms:DeleteAlias",
                "kms:Describe*",
                "kms:GenerateRandom",
                "kms:Get*",
                "kms:List*",
                "kms:TagResource",
                "kms:UntagResource",
                "iam:ListGroups",
                "iam:ListRoles",
                "iam:ListUsers"
            ],
            "Resource": "*"
        }
    ]
}"#,
    },
    AwsManaged {
        name: "AWSLambdaBasicExecutionRole",
        path: "/service-role/",
        id: "ANPAJNCQGXC42545SKXIK",
        description: "Provides write permissions to CloudWatch Logs.",
        version: 1,
        made: (1_428_591_300, 1_428_591_300),
        text: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents"
            ],
            "Resource": "*"
        }
    ]
}"#,
    },
    AwsManaged {
        name: "AWSSecretsManagerClientReadOnlyAccess",
        path: "/",
        id: "ANPASTRONGROOMSMCLNT2",
        description: "Provides read-only access to secrets for client applications.",
        version: 1,
        made: (1_780_358_400, 1_780_358_400),
        text: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "ReadSecrets",
            "Effect": "Allow",
            "Action": [
                "secretsmanager:GetSecretValue",
                "secretsmanager:DescribeSecret"
            ],
            "Resource": "arn:aws:secretsmanager:*:*:secret:*"
        },
        {
            "Sid": "ListSecrets",
            "Effect": "Allow",
            "Action": [
                "secretsmanager:BatchGetSecretValue",
                "secretsmanager:ListSecrets"
            ],
            "Resource": "*"
        },
        {
            "Sid": "DecryptSecrets",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": "arn:aws:kms:*:*:key/*",
            "Condition": {
                "StringLike": {
                    "kms:EncryptionContext:SecretARN": "arn:aws:secretsmanager:*:*:secret:*",
                    "kms:ViaService": "secretsmanager.*.amazonaws.com"
                }
            }
        }
    ]
}"#,
    },
    AwsManaged {
        name: "AdministratorAccess",
        path: "/",
        id: "ANPAIWMBCKSKIEE64ZLYK",
        description: "Provides full access to AWS services and resources.",
        version: 1,
        made: (1_423_247_946, 1_423_247_946),
        text: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*"
        }
    ]
}"#,
    },
    AwsManaged {
        name: "AmazonSSMReadOnlyAccess",
        path: "/",
        id: "ANPAJODSKQGGJTHRYZ5FC",
        description: "Provides read only access to Amazon SSM.",
        version: 1,
        made: (1_432_934_580, 1_432_934_580),
        text: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "ssm:Describe*",
                "ssm:Get*",
                "ssm:List*"
            ],
            "Resource": "*"
        }
    ]
}"#,
    },
    AwsManaged {
        name: "IAMFullAccess",
        path: "/",
        id: "ANPAI7XKCFMBPM3QQRRVQ",
        description: "Provides full access to IAM via the AWS Management Console.",
        version: 2,
        made: (1_423_247_918, 1_561_143_600),
        text: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "iam:*",
                "organizations:DescribeAccount",
                "organizations:DescribeOrganization",
                "organizations:DescribeOrganizationalUnit",
                "organizations:DescribePolicy",
                "organizations:ListChildren",
                "organizations:ListParents",
                "organizations:ListPoliciesForTarget",
                "organizations:ListRoots",
                "organizations:ListPolicies",
                "organizations:ListTargetsForPolicy"
            ],
            "Resource": "*"
        }
    ]
}"#,
    },
    AwsManaged {
        name: "IAMReadOnlyAccess",
        path: "/",
        id: "ANPAJKSO7NDY4T57MWDSQ",
        description: "Provides read only access to IAM via the AWS Management Console.",
        version: 4,
        made: (1_423_247_919, 1_516_908_600),
        text: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "iam:GenerateCredentialReport",
                "iam:GenerateServiceLastAccessedDetails",
                "iam:Get*",
                "iam:List*",
                "iam:SimulateCustomPolicy",
                "iam:SimulatePrincipalPolicy"
            ],
            "Resource": "*"
        }
    ]
}"#,
    },
    AwsManaged {
        name: "PowerUserAccess",
        path: "/",
        id: "ANPAJYRXTHIB4FOVS3ZXS",
        description: "Provides full access to AWS services and resources, but does not allow management of \
                      Users and groups.",
        version: 5,
        made: (1_423_247_927, 1_688_762_340),
        text: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "NotAction": [
                "iam:*",
                "organizations:*",
                "account:*"
            ],
            "Resource": "*"
        },
        {
            "Effect": "Allow",
            "Action": [
                "account:GetAccountInformation",
                "account:GetPrimaryEmail",
                "account:ListRegions",
                "iam:CreateServiceLinkedRole",
                "iam:DeleteServiceLinkedRole",
                "iam:ListRoles",
                "organizations:DescribeOrganization"
            ],
            "Resource": "*"
        }
    ]
}"#,
    },
    AwsManaged {
        name: "ReadOnlyAccess",
        path: "/",
        id: "ANPAILL3HVNFSB6DCOWYQ",
        description: "Provides read-only access to AWS services and resources.",
        version: 1,
        made: (1_423_247_928, 1_423_247_928),
        text: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "access-analyzer:ValidatePolicy",
                "cloudtrail:Describe*",
                "cloudtrail:Get*",
                "cloudtrail:List*",
                "cloudtrail:LookupEvents",
                "iam:Generate*",
                "iam:Get*",
                "iam:List*",
                "iam:Simulate*",
                "kms:Describe*",
                "kms:Get*",
                "kms:List*",
                "organizations:Describe*",
                "organizations:List*",
                "secretsmanager:Describe*",
                "secretsmanager:GetResourcePolicy",
                "secretsmanager:List*",
                "ssm:Describe*",
                "ssm:Get*",
                "ssm:List*",
                "sts:GetAccessKeyInfo",
                "sts:GetCallerIdentity",
                "sts:GetSessionToken",
                "tag:Get*"
            ],
            "Resource": "*"
        }
    ]
}"#,
    },
    AwsManaged {
        name: "SecretsManagerReadWrite",
        path: "/",
        id: "ANPAI3VG7CI5BIQZQ6G2E",
        description: "Provides read/write access to AWS Secrets Manager via the AWS Management Console.",
        version: 5,
        made: (1_522_850_520, 1_708_624_800),
        text: r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "BasePermissions",
            "Effect": "Allow",
            "Action": [
                "secretsmanager:*",
                "cloudformation:CreateChangeSet",
                "cloudformation:DescribeChangeSet",
                "cloudformation:DescribeStackResource",
                "cloudformation:DescribeStacks",
                "cloudformation:ExecuteChangeSet",
                "docdb-elastic:GetCluster",
                "docdb-elastic:ListClusters",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "kms:DescribeKey",
                "kms:ListAliases",
                "kms:ListKeys",
                "lambda:ListFunctions",
                "rds:DescribeDBClusters",
                "rds:DescribeDBInstances",
                "redshift:DescribeClusters",
                "redshift-serverless:ListWorkgroups",
                "redshift-serverless:GetNamespace",
                "tag:GetResources"
            ],
            "Resource": "*"
        },
        {
            "Sid": "LambdaPermissions",
            "Effect": "Allow",
            "Action": [
                "lambda:AddPermission",
                "lambda:CreateFunction",
                "lambda:GetFunction",
                "lambda:InvokeFunction",
                "lambda:UpdateFunctionConfiguration"
            ],
            "Resource": "arn:aws:lambda:*:*:function:SecretsManager*"
        },
        {
            "Sid": "SARPermissions",
            "Effect": "Allow",
            "Action": [
                "serverlessrepo:CreateCloudFormationChangeSet",
                "serverlessrepo:GetApplication"
            ],
            "Resource": "arn:aws:serverlessrepo:*:*:applications/SecretsManager*"
        },
        {
            "Sid": "S3Permissions",
            "Effect": "Allow",
            "Action": [
                "s3:GetObject"
            ],
            "Resource": [
                "arn:aws:s3:::awsserverlessrepo-changesets*",
                "arn:aws:s3:::secrets-manager-rotation-apps-*/*"
            ]
        }
    ]
}"#,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use policy::engine::{Grammar, Policy};

    #[test]
    fn all_of_them_are_policies_and_found_by_their_arn() {
        assert!(ALL.is_sorted_by_key(|it| it.name));
        for it in ALL {
            Policy::compile(it.text, Grammar::Identity).expect(it.name);
            assert_eq!(aws_managed(&it.arn()), Some(it.text));
            assert_eq!((it.id.len(), it.id.get(..4)), (21, Some("ANPA")), "{}", it.name);
        }
    }

    #[test]
    fn nothing_else_is_found() {
        for arn in [
            "arn:aws:iam::aws:policy/administratoraccess",
            "arn:aws:iam::aws:policy/AdministratorAccess/",
            "arn:aws:iam::aws:policy/service-role/AdministratorAccess",
            "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole",
            "arn:aws:iam::111122223333:policy/AdministratorAccess",
            "AdministratorAccess",
            "",
        ] {
            assert_eq!(aws_managed(arn), None, "{arn}");
        }
    }
}
