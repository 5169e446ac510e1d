//! Service-linked roles.

use super::Desk;

const LEX: &str = "AWSServiceRoleForLexBots";
const TRUST: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"lex.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;

fn input(message: &str) -> (&str, u16, &str) {
    ("InvalidInput", 400, message)
}

#[tokio::test]
async fn a_service_linked_roles_life() {
    let desk = Desk::open().await;
    let create = "AWSServiceName=lex.amazonaws.com&Description=a%20b";
    let made = desk.done("CreateServiceLinkedRole", create).await;
    let arn = "arn:aws:iam::111122223333:role/aws-service-role/lex.amazonaws.com/AWSServiceRoleForLexBots";
    let told = ["Arn", "RoleName", "Path", "Description"].map(|it| made.get(it));
    assert_eq!(
        told,
        [Some(arn), Some(LEX), Some("/aws-service-role/lex.amazonaws.com/"), Some("a b")]
    );
    let trust = made.get("AssumeRolePolicyDocument").expect("shown");
    assert!(trust.contains("%22Service%22%3A%5B%22lex.amazonaws.com%22%5D"), "{trust}");
    let taken = "Service role name AWSServiceRoleForLexBots has been taken in this account, please try a different suffix.";
    desk.expect(&[
        ("CreateServiceLinkedRole", create, Some(input(taken))),
        ("UpdateRoleDescription", &format!("RoleName={LEX}&Description=c"), None),
        ("TagRole", &format!("RoleName={LEX}&Tags.member.1.Key=k&Tags.member.1.Value=v"), None),
    ])
    .await;
    let deleted = desk.done("DeleteServiceLinkedRole", &format!("RoleName={LEX}")).await;
    let task = deleted.get("DeletionTaskId").expect("a task").to_owned();
    let start = "task/aws-service-role/lex.amazonaws.com/AWSServiceRoleForLexBots/";
    assert!(task.starts_with(start) && task.len() == start.len() + 36, "{task}");
    let status = "GetServiceLinkedRoleDeletionStatus";
    let done = desk.done(status, &format!("DeletionTaskId={task}")).await;
    assert_eq!(done.get("Status"), Some("SUCCEEDED"));
    let missing = format!("The role with name {LEX} cannot be found.");
    let none = format!("{start}0");
    let unknown = format!("Deletion task {none} cannot be found.");
    desk.expect(&[
        ("GetRole", &format!("RoleName={LEX}"), Some(("NoSuchEntity", 404, &missing))),
        (
            "DeleteServiceLinkedRole",
            &format!("RoleName={LEX}"),
            Some(("NoSuchEntity", 404, &missing)),
        ),
        (status, &format!("DeletionTaskId={none}"), Some(("NoSuchEntity", 404, &unknown))),
        (status, "DeletionTaskId=x", Some(input("x is not the id of a deletion task."))),
        ("CreateServiceLinkedRole", create, None),
    ])
    .await;
}

#[tokio::test]
async fn which_services_have_one_and_which_take_a_suffix() {
    let desk = Desk::open().await;
    let path = "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles";
    let own = format!("RoleName=own&AssumeRolePolicyDocument={TRUST}");
    let long = "x".repeat(40);
    let plain = "The service-linked role with name own cannot be found.";
    desk.expect(&[
        (
            "CreateServiceLinkedRole",
            "AWSServiceName=es.amazonaws.com&CustomSuffix=a",
            Some(input("Custom suffix is not allowed for es.amazonaws.com")),
        ),
        (
            "CreateServiceLinkedRole",
            "AWSServiceName=nothing.example",
            Some(input("No service-linked role is known of the service nothing.example")),
        ),
        ("CreateServiceLinkedRole", "AWSServiceName=autoscaling.amazonaws.com", None),
        (
            "CreateServiceLinkedRole",
            "AWSServiceName=autoscaling.amazonaws.com&CustomSuffix=a",
            None,
        ),
        ("GetRole", "RoleName=AWSServiceRoleForAutoScaling_a", None),
        (
            "CreateServiceLinkedRole",
            &format!("AWSServiceName=autoscaling.amazonaws.com&CustomSuffix={long}"),
            Some(input("The name of a role can have 64 characters.")),
        ),
        (
            "CreateRole",
            &format!("{own}&Path=/aws-service-role/lex.amazonaws.com/"),
            Some(input(path)),
        ),
        ("CreateRole", &own, None),
        ("DeleteServiceLinkedRole", "RoleName=own", Some(("NoSuchEntity", 404, plain))),
    ])
    .await;
}

#[tokio::test]
async fn only_its_service_changes_a_service_linked_role() {
    let desk = Desk::open().await;
    desk.done("CreateServiceLinkedRole", "AWSServiceName=lex.amazonaws.com").await;
    desk.done("CreateInstanceProfile", "InstanceProfileName=p").await;
    let text = format!(
        "Cannot perform the operation on the protected role '{LEX}' - this role is only modifiable by AWS"
    );
    let protected = Some(("UnmodifiableEntity", 400, text.as_str()));
    let arn = "PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess";
    let inline = r#"PolicyName=p&PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    for (operation, form) in [
        ("AddRoleToInstanceProfile", "InstanceProfileName=p"),
        ("AttachRolePolicy", arn),
        ("DeleteRole", ""),
        ("DeleteRolePermissionsBoundary", ""),
        ("DeleteRolePolicy", "PolicyName=p"),
        ("DetachRolePolicy", arn),
        ("PutRolePermissionsBoundary", &arn.replace("PolicyArn", "PermissionsBoundary")),
        ("PutRolePolicy", inline),
        ("UpdateAssumeRolePolicy", &format!("PolicyDocument={TRUST}")),
        ("UpdateRole", "MaxSessionDuration=7200"),
    ] {
        let form = format!("RoleName={LEX}&{form}");
        desk.expect(&[(operation, &form, protected)]).await;
    }
}

#[tokio::test]
async fn a_policy_can_name_the_service() {
    let allowed = r#"{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"arn:aws:iam::*:role/aws-service-role/lex.amazonaws.com/*","Condition":{"StringLike":{"iam:AWSServiceName":"lex.amazonaws.com"}}}"#;
    let desk = Desk::open().await.allowed(allowed);
    desk.done("CreateServiceLinkedRole", "AWSServiceName=lex.amazonaws.com").await;
    let other = desk.call("CreateServiceLinkedRole", "AWSServiceName=ecs.amazonaws.com").await;
    assert_eq!(other.error().map(|it| it.1), Some(403));
}
