//! Table: what kind of resource an action is about.
//!
//! Source: Service Authorization Reference, "Resource types" of each service.

/// The form of the ARNs that `action` is about; `*` if it has none, or nobody here knows.
pub(super) fn template(action: &str) -> &'static str {
    let Some((service, name)) = action.split_once(':') else { return NONE };
    match service.to_ascii_lowercase().as_str() {
        "iam" => of_iam(name),
        "kms" => of_kms(name),
        "secretsmanager" => match name {
            "BatchGetSecretValue" | "GetRandomPassword" | "ListSecrets" => NONE,
            _ => "arn:${Partition}:secretsmanager:${Region}:${Account}:secret:${SecretId}",
        },
        "sts" if name.starts_with("AssumeRole") => ROLE,
        _ => NONE,
    }
}

fn of_iam(name: &str) -> &'static str {
    let about = |word: &str| name.contains(word);
    match name {
        "CreateAccountAlias" | "DeleteAccountAlias" | "ListAccountAliases" | "ListGroups"
        | "ListPolicies" | "ListRoles" | "ListUsers" => NONE,
        _ if about("Account") => NONE,
        _ if about("User") || about("AccessKey") => {
            "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}"
        }
        _ if about("Group") => "arn:${Partition}:iam::${Account}:group/${GroupNameWithPath}",
        _ if about("Role") => ROLE,
        _ if about("Policy") => "arn:${Partition}:iam::${Account}:policy/${PolicyNameWithPath}",
        _ => NONE,
    }
}

fn of_kms(name: &str) -> &'static str {
    match name {
        "CreateKey" | "GenerateRandom" | "ListAliases" | "ListKeys" => NONE,
        "CreateAlias" | "DeleteAlias" | "UpdateAlias" => {
            "arn:${Partition}:kms:${Region}:${Account}:alias/${Alias}"
        }
        _ => "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}",
    }
}

const NONE: &str = "*";
const ROLE: &str = "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}";
