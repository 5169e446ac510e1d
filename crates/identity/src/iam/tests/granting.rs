//! Which policies let one use a service.

use super::{Answered, Desk};

const LIST: &str = "ListPoliciesGrantingServiceAccess";

fn inline(kind: &str, owner: &str, name: &str, actions: &str) -> String {
    let statement = format!(r#"{{"Effect":"Allow",{actions},"Resource":"*"}}"#);
    let document = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
    format!("{kind}Name={owner}&PolicyName={name}&PolicyDocument={document}")
}

fn ask(arn: &str, services: &[&str]) -> String {
    let one =
        |(place, name): (usize, &&str)| format!("&ServiceNamespaces.member.{}={name}", place + 1);
    let services: String = services.iter().enumerate().map(one).collect();
    format!("Arn=arn:aws:iam::{{A}}:{arn}{services}")
}

/// Types, names and owners of the policies of each service.
fn told(answered: &Answered) -> Vec<Vec<String>> {
    let services = answered.text.split("<ServiceNamespace>").skip(1);
    let text = |part: &str, name: &str| {
        let rest = part.split_once(&format!("<{name}>"))?.1;
        Some(rest.split_once('<')?.0.to_owned())
    };
    let one = |it: &str| {
        let owner = text(it, "EntityName").or_else(|| text(it, "PolicyArn"));
        let [kind, name] = ["PolicyType", "PolicyName"].map(|name| text(it, name));
        format!("{} {} {}", kind?, name?, owner?).into()
    };
    let of_service = |it: &str| it.split("<member>").filter_map(one).collect();
    services.map(of_service).collect()
}

#[tokio::test]
async fn who_may_use_which_service_by_which_policy() {
    let desk = Desk::open().await;
    desk.done("CreateUser", "UserName=ada&Path=/x/").await;
    desk.done("CreateGroup", "GroupName=ops").await;
    desk.done("AddUserToGroup", "UserName=ada&GroupName=ops").await;
    let all_but = r#""NotAction":["kms:*","sts:AssumeRole"]"#;
    for (operation, form) in [
        ("PutUserPolicy", inline("User", "ada", "own", r#""Action":"SecretsManager:Get*""#)),
        ("PutGroupPolicy", inline("Group", "ops", "rest", all_but)),
        (
            "AttachUserPolicy",
            "UserName=ada&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess".to_owned(),
        ),
        (
            "AttachGroupPolicy",
            "GroupName=ops&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess".to_owned(),
        ),
        (
            "PutUserPermissionsBoundary",
            "UserName=ada&PermissionsBoundary=arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned(),
        ),
    ] {
        desk.done(operation, &form).await;
    }
    let admin = "MANAGED AdministratorAccess arn:aws:iam::aws:policy/AdministratorAccess";
    let (own, rest) = ("INLINE own ada", "INLINE rest ops");
    for (arn, services, expected) in [
        (
            "user/x/ada",
            &["secretsmanager", "kms", "sts"][..],
            vec![vec![admin, own, rest], vec![admin], vec![admin, rest]],
        ),
        ("group/ops", &["kms", "s3"], vec![vec![admin], vec![admin, rest]]),
    ] {
        let answered = desk.done(LIST, &ask(arn, services)).await;
        assert_eq!(told(&answered), expected, "{arn} {services:?}");
    }
    desk.done(
        "DetachGroupPolicy",
        "GroupName=ops&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess",
    )
    .await;
    let none = desk.done(LIST, &ask("group/ops", &["kms"])).await;
    assert!(none.text.contains("<Policies/>"), "{}", none.text);
    let missing = Some(("NoSuchEntity", 404, "The user with name ada cannot be found."));
    let odd = Some(("InvalidInput", 400, "ARN arn:aws:iam::{A}:policy/ada is not valid."));
    desk.expect(&[
        (LIST, &ask("user/ada", &["kms"]), missing), // that's not its path
        (LIST, &ask("policy/ada", &["kms"]), odd),
    ])
    .await;
}

#[tokio::test]
async fn pages_of_services() {
    let desk = Desk::open().await;
    desk.done("CreateUser", "UserName=ada").await;
    let services: Vec<String> = (0..150).map(|it| format!("s{it}")).collect();
    let services: Vec<&str> = services.iter().map(String::as_str).collect();
    let form = ask("user/ada", &services);
    let first = desk.done(LIST, &form).await;
    let marker = first.get("Marker").expect("more").to_owned();
    let second = desk.done(LIST, &format!("{form}&Marker={marker}")).await;
    assert_eq!(
        (first.get("IsTruncated"), second.get("IsTruncated")),
        (Some("true"), Some("false"))
    );
    let both: Vec<_> = [first, second]
        .iter()
        .flat_map(|it| {
            it.all("ServiceNamespace").into_iter().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(both, services);
}
