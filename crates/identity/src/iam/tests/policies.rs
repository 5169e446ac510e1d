//! Managed and inline policies.

use super::Desk;

const TEXT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
const ARN: &str = "PolicyArn=arn:aws:iam::{A}:policy/x/Read";

async fn with_policy() -> Desk {
    let desk = Desk::open().await;
    let form = format!("PolicyName=Read&Path=/x/&Description=d&PolicyDocument={TEXT}");
    let made = desk.done("CreatePolicy", &form).await;
    assert_eq!(made.get("Arn"), Some("arn:aws:iam::111122223333:policy/x/Read"));
    for (name, value) in [
        ("AttachmentCount", "0"),
        ("PermissionsBoundaryUsageCount", "0"),
        ("DefaultVersionId", "v1"),
        ("IsAttachable", "true"),
    ] {
        assert_eq!(made.get(name), Some(value));
    }
    assert!(made.get("PolicyId").is_some_and(|it| it.starts_with("ANPA") && it.len() == 21));
    desk
}

#[tokio::test]
async fn versions_are_numbered_once() {
    let desk = with_policy().await;
    let create = format!("{ARN}&PolicyDocument={TEXT}");
    for number in 2..=5 {
        let made = desk.done("CreatePolicyVersion", &format!("{create}&SetAsDefault=true")).await;
        assert_eq!(made.get("VersionId"), Some(format!("v{number}").as_str()));
        assert_eq!(made.get("IsDefaultVersion"), Some("true"));
    }
    let limit = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
    let more = "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.";
    let unknown =
        "Policy arn:aws:iam::{A}:policy/x/Read version v9 does not exist or is not attachable.";
    desk.expect(&[
        ("CreatePolicyVersion", &create, Some(("LimitExceeded", 409, limit))),
        (
            "DeletePolicyVersion",
            &format!("{ARN}&VersionId=v5"),
            Some(("DeleteConflict", 409, "Cannot delete the default version of a policy.")),
        ),
        (
            "DeletePolicyVersion",
            &format!("{ARN}&VersionId=v9"),
            Some(("NoSuchEntity", 404, unknown)),
        ),
        (
            "SetDefaultPolicyVersion",
            &format!("{ARN}&VersionId=v9"),
            Some(("NoSuchEntity", 404, unknown)),
        ),
        ("GetPolicyVersion", &format!("{ARN}&VersionId=v9"), Some(("NoSuchEntity", 404, unknown))),
        ("DeletePolicy", ARN, Some(("DeleteConflict", 409, more))),
        ("SetDefaultPolicyVersion", &format!("{ARN}&VersionId=v1"), None),
        ("DeletePolicyVersion", &format!("{ARN}&VersionId=v5"), None),
    ])
    .await;
    assert_eq!(desk.done("CreatePolicyVersion", &create).await.get("VersionId"), Some("v6"));
    let listed = desk.done("ListPolicyVersions", ARN).await;
    assert_eq!(listed.all("VersionId"), ["v6", "v4", "v3", "v2", "v1"]);
    assert!(!listed.text.contains("Document>"));
    let got = desk.done("GetPolicyVersion", &format!("{ARN}&VersionId=v1")).await;
    assert!(
        got.get("Document").is_some_and(|it| it.starts_with("%7B%22Version%22%3A%222012-10-17%22"))
    );
    assert_eq!(desk.done("GetPolicy", ARN).await.get("DefaultVersionId"), Some("v1"));
    for version in ["v2", "v3", "v4", "v6"] {
        desk.done("DeletePolicyVersion", &format!("{ARN}&VersionId={version}")).await;
    }
    let gone = "Policy arn:aws:iam::{A}:policy/x/Read was not found.";
    desk.expect(&[
        ("DeletePolicy", ARN, None),
        ("GetPolicy", ARN, Some(("NoSuchEntity", 404, gone))),
    ])
    .await;
}

#[tokio::test]
async fn what_is_no_policy() {
    let desk = with_policy().await;
    desk.done("CreateUser", "UserName=ada").await;
    let with = |from: &str, to: &str| TEXT.replace(from, to);
    let long = with("s3:GetObject", &format!("s3:{}", "x".repeat(6144)));
    for (text, code, message) in [
        ("x".to_owned(), "MalformedPolicyDocument", "This policy contains invalid Json"),
        (
            with("\"Resource\":\"*\"", "\"Resource\":\"x\""),
            "MalformedPolicyDocument",
            "Resource x must be in ARN format or \"*\".",
        ),
        (
            with("s3:GetObject", "read"),
            "MalformedPolicyDocument",
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            with("\"Action\"", "\"Principal\":\"*\",\"Action\""),
            "MalformedPolicyDocument",
            "Policy document should not specify a principal.",
        ),
        (
            with("2012-10-17", "2008-10-17"),
            "MalformedPolicyDocument",
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (long, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144"),
    ] {
        for member in ["PolicyName=New&PolicyDocument", &format!("{ARN}&PolicyDocument")] {
            let operation = if member.starts_with("PolicyName") {
                "CreatePolicy"
            } else {
                "CreatePolicyVersion"
            };
            let (found, _, told) =
                desk.call(operation, &format!("{member}={text}")).await.error().expect("refused");
            assert_eq!((found.as_str(), told.as_str()), (code, message), "{text:.80}");
        }
    }
    let user = "UserName=ada&PolicyName=p&PolicyDocument";
    let wide = with("s3:GetObject", &format!("s3:{}", "x".repeat(2048)));
    let half = with("s3:GetObject", &format!("s3:{}", "x".repeat(1000)));
    let too_much = "Maximum policy size of 2048 bytes exceeded for user ada";
    desk.expect(&[
        ("PutUserPolicy", &format!("{user}={}", with("2012-10-17", "2008-10-17")), None),
        ("PutUserPolicy", &format!("{user}={wide}"), Some(("LimitExceeded", 409, too_much))),
        ("PutUserPolicy", &format!("{user}={half}"), None),
        ("PutUserPolicy", &format!("{user}={half}"), None),
        (
            "PutUserPolicy",
            &format!("UserName=ada&PolicyName=q&PolicyDocument={half}"),
            Some(("LimitExceeded", 409, too_much)),
        ),
        (
            "PutUserPolicy",
            &format!("{user}=x"),
            Some(("MalformedPolicyDocument", 400, "This policy contains invalid Json")),
        ),
    ])
    .await;
}

#[tokio::test]
async fn attached_to_users_groups_and_roles_alike() {
    let trust =
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"{A}"},"Action":"sts:AssumeRole"}}"#;
    for (kind, extra) in [
        ("User", String::new()),
        ("Group", String::new()),
        ("Role", format!("&AssumeRolePolicyDocument={trust}")),
    ] {
        let desk = with_policy().await;
        let lower = kind.to_ascii_lowercase();
        let holder = format!("{kind}Name=Holder");
        desk.done(&format!("Create{kind}"), &format!("{holder}{extra}")).await;
        let named = |verb: &str, what: &str| format!("{verb}{kind}{what}");
        let (attach, detach) = (named("Attach", "Policy"), named("Detach", "Policy"));
        let (put, get) = (named("Put", "Policy"), named("Get", "Policy"));
        let delete = named("Delete", "Policy");
        let own = format!("{holder}&{ARN}");
        let aws = format!("{holder}&PolicyArn=arn:aws:iam::aws:policy/SecretsManagerReadWrite");
        let unknown = "Policy arn:aws:iam::aws:policy/None does not exist or is not attachable.";
        let detached = "Policy arn:aws:iam::{A}:policy/x/Read was not found.";
        let nobody = format!("The {lower} with name nobody cannot be found.");
        let no_inline = format!("The {lower} policy with name p cannot be found.");
        let conflict = "Cannot delete entity, must remove referenced objects first.";
        let inline = format!("{holder}&PolicyName=p&PolicyDocument={TEXT}");
        desk.expect(&[
            (&attach, &own, None),
            (&attach, &own, None),
            (&attach, &aws, None),
            (
                &attach,
                &format!("{holder}&PolicyArn=arn:aws:iam::aws:policy/None"),
                Some(("NoSuchEntity", 404, unknown)),
            ),
            (
                &attach,
                &format!("{holder}&PolicyArn=not-an-arn-of-any-policy"),
                Some(("ValidationError", 400, "Invalid ARN:  Could not be parsed!")),
            ),
            (&attach, &format!("{kind}Name=nobody&{ARN}"), Some(("NoSuchEntity", 404, &nobody))),
            (
                "DeletePolicy",
                ARN,
                Some(("DeleteConflict", 409, "Cannot delete a policy attached to entities.")),
            ),
            (&put, &inline, None),
            (
                &get,
                &format!("{holder}&PolicyName=P"),
                Some(("NoSuchEntity", 404, &no_inline.replace("name p", "name P"))),
            ),
            (&named("Delete", ""), &holder, Some(("DeleteConflict", 409, conflict))),
        ])
        .await;
        let listed = desk.done(&format!("ListAttached{kind}Policies"), &holder).await;
        assert_eq!(listed.all("PolicyName"), ["Read", "SecretsManagerReadWrite"]);
        let listed = desk
            .done(&format!("ListAttached{kind}Policies"), &format!("{holder}&PathPrefix=/x/"))
            .await;
        assert_eq!(listed.all("PolicyName"), ["Read"]);
        assert_eq!(desk.done("GetPolicy", ARN).await.get("AttachmentCount"), Some("1"));
        let entities = desk.done("ListEntitiesForPolicy", ARN).await;
        assert_eq!(entities.all(&format!("{kind}Name")), ["Holder"]);
        let other = if kind == "User" { "Role" } else { "User" };
        let entities =
            desk.done("ListEntitiesForPolicy", &format!("{ARN}&EntityFilter={other}")).await;
        assert!(!entities.text.contains("Holder"));
        let attached = desk.done("ListPolicies", "OnlyAttached=true").await;
        assert_eq!(attached.all("PolicyName"), ["Read", "SecretsManagerReadWrite"]);
        assert_eq!(desk.done(&format!("List{kind}Policies"), &holder).await.all("member"), ["p"]);
        let got = desk.done(&get, &format!("{holder}&PolicyName=p")).await;
        assert_eq!(got.get(&format!("{kind}Name")), Some("Holder"));
        assert!(got.get("PolicyDocument").is_some_and(|it| it.starts_with("%7B")));
        desk.expect(&[
            (&detach, &own, None),
            (&detach, &own, Some(("NoSuchEntity", 404, detached))),
            (&detach, &aws, None),
            (&delete, &format!("{holder}&PolicyName=p"), None),
            (&delete, &format!("{holder}&PolicyName=p"), Some(("NoSuchEntity", 404, &no_inline))),
            ("DeletePolicy", ARN, None),
            (&named("Delete", ""), &holder, None),
        ])
        .await;
    }
}

#[tokio::test]
async fn ten_are_attached_at_most() {
    let desk = Desk::open().await;
    desk.done("CreateUser", "UserName=ada").await;
    for number in 0..=10 {
        desk.done("CreatePolicy", &format!("PolicyName=p{number}&PolicyDocument={TEXT}")).await;
        let form = format!("UserName=ada&PolicyArn=arn:aws:iam::{{A}}:policy/p{number}");
        let limit = Some(("LimitExceeded", 409, "Cannot exceed quota for PoliciesPerUser: 10"));
        desk.expect(&[("AttachUserPolicy", &form, limit.filter(|_| number == 10))]).await;
    }
}

#[tokio::test]
async fn what_aws_manages_is_read_only() {
    let desk = with_policy().await;
    let aws = "PolicyArn=arn:aws:iam::aws:policy/SecretsManagerReadWrite";
    assert_eq!(desk.done("GetPolicy", aws).await.get("DefaultVersionId"), Some("v5"));
    assert_eq!(desk.done("ListPolicyVersions", aws).await.all("VersionId"), ["v5"]);
    let got = desk.done("GetPolicyVersion", &format!("{aws}&VersionId=v5")).await;
    assert!(got.text.contains("BasePermissions") && !got.text.contains("kms%3ADecrypt"));
    let fixed = Some(("InvalidInput", 400, "A policy that AWS manages can't be changed."));
    desk.expect(&[
        ("DeletePolicy", aws, fixed),
        ("CreatePolicyVersion", &format!("{aws}&PolicyDocument={TEXT}"), fixed),
        ("TagPolicy", &format!("{aws}&Tags.member.1.Key=a&Tags.member.1.Value="), fixed),
        ("TagPolicy", &format!("{ARN}&Tags.member.1.Key=a&Tags.member.1.Value=b"), None),
    ])
    .await;
    assert_eq!(desk.done("ListPolicyTags", ARN).await.all("Value"), ["b"]);
    desk.done("UntagPolicy", &format!("{ARN}&TagKeys.member.1=A")).await;
    assert!(desk.done("ListPolicyTags", ARN).await.text.contains("<Tags/>"));
    assert_eq!(desk.done("ListPolicies", "Scope=Local").await.all("PolicyName"), ["Read"]);
    let all = desk.done("ListPolicies", "Scope=AWS").await;
    assert!(all.all("PolicyName").contains(&"AdministratorAccess") && !all.text.contains(">Read<"));
    let taken = "A policy called READ already exists. Duplicate names are not allowed.";
    desk.expect(&[(
        "CreatePolicy",
        &format!("PolicyName=READ&PolicyDocument={TEXT}"),
        Some(("EntityAlreadyExists", 409, taken)),
    )])
    .await;
}

#[tokio::test]
async fn an_account_and_its_other_name() {
    let desk = with_policy().await;
    desk.done("CreateUser", "UserName=ada").await;
    let summary = desk.done("GetAccountSummary", "").await;
    for entry in [
        "<key>Users</key><value>1</value>",
        "<key>Policies</key><value>1</value>",
        "<key>UsersQuota</key><value>5000</value>",
    ] {
        assert!(summary.text.contains(entry), "{entry}");
    }
    desk.expect(&[
        ("CreateAccountAlias", "AccountAlias=first", None),
        ("CreateAccountAlias", "AccountAlias=second", None),
        (
            "CreateAccountAlias",
            "AccountAlias=second",
            Some(("EntityAlreadyExists", 409, "The account alias second already exists.")),
        ),
        (
            "DeleteAccountAlias",
            "AccountAlias=first",
            Some(("NoSuchEntity", 404, "The Account Alias first cannot be found.")),
        ),
    ])
    .await;
    assert_eq!(desk.done("ListAccountAliases", "").await.all("member"), ["second"]);
    desk.done("DeleteAccountAlias", "AccountAlias=second").await;
    assert!(desk.done("ListAccountAliases", "").await.text.contains("<AccountAliases/>"));
    let malformed =
        desk.call("CreateAccountAlias", "AccountAlias=a--b").await.error().expect("refused");
    assert_eq!(malformed.0, "ValidationError");
}

#[tokio::test]
async fn all_of_an_account_at_once() {
    let desk = with_policy().await;
    let trust =
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"{A}"},"Action":"sts:AssumeRole"}}"#;
    desk.done("CreateUser", "UserName=ada").await;
    desk.done("CreateGroup", "GroupName=devs").await;
    desk.done("AddUserToGroup", "GroupName=devs&UserName=ada").await;
    desk.done("CreateRole", &format!("RoleName=app&AssumeRolePolicyDocument={trust}")).await;
    desk.done("PutRolePolicy", &format!("RoleName=app&PolicyName=p&PolicyDocument={TEXT}")).await;
    desk.done("AttachUserPolicy", "UserName=ada&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess")
        .await;
    let all = desk.done("GetAccountAuthorizationDetails", "").await;
    assert_eq!(all.get("GroupList"), Some("<member>devs</member>"));
    assert_eq!((all.all("RoleName"), all.all("GroupName")), (vec!["app"], vec!["devs"]));
    assert!(all.text.contains("<PolicyName>p</PolicyName><PolicyDocument>%7B"), "{}", all.text);
    assert!(all.text.contains("<PolicyVersionList><member><Document>%7B"), "{}", all.text);
    assert!(all.all("PolicyName").contains(&"ReadOnlyAccess"));
    assert!(!all.all("PolicyName").contains(&"IAMFullAccess"), "nobody uses it");
    let mut found = 0;
    let mut form = "MaxItems=2".to_owned();
    loop {
        let page = desk.done("GetAccountAuthorizationDetails", &form).await;
        found += page.all("CreateDate").len();
        let Some(marker) = page.get("Marker") else { break };
        form = format!("MaxItems=2&Marker={marker}");
    }
    // Three that hold policies, two policies, and a version of each.
    assert_eq!(found, 3 + 2 + 2);
    let roles = desk.done("GetAccountAuthorizationDetails", "Filter.member.1=Role").await;
    assert!(roles.text.contains("<UserDetailList/>") && roles.text.contains("<Policies/>"));
}
