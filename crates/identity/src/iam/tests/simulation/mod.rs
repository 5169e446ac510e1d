//! Simulation: every member, and every refusal.

mod judge;

use super::{Desk, Refused};

const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:Get*","Resource":"*"}]}"#;
const NONE_SECRET: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:{A}:secret:app-a1b2c3";
const GET: &str = "ActionNames.member.1=secretsmanager:GetSecretValue";

/// `SimulateCustomPolicy` of `policy` about GetSecretValue, with more members.
async fn custom(desk: &Desk, policy: &str, more: &str) -> super::Answered {
    let form = format!("PolicyInputList.member.1={policy}&{GET}&{more}");
    desk.done("SimulateCustomPolicy", &form).await
}

#[tokio::test]
async fn an_answer_has_the_form_that_clients_know() {
    let desk = Desk::open().await;
    let answered = custom(&desk, READ, "").await;
    let statement = "<MatchedStatements><member><SourcePolicyId>PolicyInputList.1</SourcePolicyId>\
        <SourcePolicyType>IAM Policy</SourcePolicyType>\
        <StartPosition><Line>1</Line><Column>38</Column></StartPosition>\
        <EndPosition><Line>1</Line><Column>102</Column></EndPosition></member></MatchedStatements>";
    let expected = format!(
        "<SimulateCustomPolicyResult><EvaluationResults><member>\
         <EvalActionName>secretsmanager:GetSecretValue</EvalActionName>\
         <EvalResourceName>arn:${{Partition}}:secretsmanager:${{Region}}:${{Account}}:secret:${{SecretId}}</EvalResourceName>\
         <EvalDecision>allowed</EvalDecision>{statement}<MissingContextValues/></member></EvaluationResults>\
         <IsTruncated>false</IsTruncated></SimulateCustomPolicyResult>"
    );
    assert!(answered.text.contains(&expected), "{}", answered.text);
    let answered = custom(&desk, READ, &format!("ResourceArns.member.1={SECRET}")).await;
    let specific = format!(
        "<EvalDecisionDetails/><ResourceSpecificResults><member><EvalResourceName>{}</EvalResourceName>\
         <EvalResourceDecision>allowed</EvalResourceDecision>{statement}<MissingContextValues/></member>",
        SECRET.replace("{A}", super::ACCOUNT)
    );
    assert!(answered.text.contains(&specific), "{}", answered.text);
}

#[tokio::test]
async fn what_each_kind_of_policy_does() {
    let deny =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let alice = "CallerArn=arn:aws:iam::{A}:user/alice";
    let resource = |effect: &str, whom: &str| {
        format!(
            r#"{alice}&ResourceArns.member.1={SECRET}&ResourcePolicy={{"Statement":{{"Effect":"{effect}","Principal":{{"AWS":"arn:aws:iam::{whom}:user/alice"}},"Action":"*","Resource":"*"}}}}"#
        )
    };
    let boundary = |it: &str| format!("PermissionsBoundaryPolicyInputList.member.1={it}");
    let scp = |it: &str| {
        let level = "OrderedOrganizationPolicyInputList.member";
        let list = "ServiceControlPolicyInputList.member.1";
        format!("{level}.1.{list}={READ}&{level}.2.{list}={it}")
    };
    let desk = Desk::open().await;
    #[rustfmt::skip]
    let cases = [
        // policy       more                            decision        boundary      organization
        (READ,          String::new(),                  "allowed",      None,          None),
        (NONE_SECRET,   String::new(),                  "implicitDeny", None,          None),
        (deny,          String::new(),                  "explicitDeny", None,          None),
        (READ,          boundary(READ),                 "allowed",      Some("true"),  None),
        (READ,          boundary(NONE_SECRET),          "implicitDeny", Some("false"), None),
        (READ,          boundary(deny),                 "explicitDeny", Some("false"), None),
        (READ,          scp(READ),                      "allowed",      None,          Some("true")),
        (READ,          scp(NONE_SECRET),               "implicitDeny", None,          Some("false")),
        (READ,          scp(deny),                      "explicitDeny", None,          Some("false")),
        (NONE_SECRET,   resource("Allow", "{A}"),       "allowed",      None,          None),
        (READ,          resource("Deny", "{A}"),        "explicitDeny", None,          None),
        // A resource policy that names the user outweighs the boundary.
        (NONE_SECRET,   boundary(NONE_SECRET) + "&" + &resource("Allow", "{A}"), "allowed", Some("false"), None),
    ];
    for (policy, more, decision, boundary, organization) in cases {
        let answered = custom(&desk, policy, &more).await;
        let found = (
            answered.get("EvalDecision"),
            answered.get("AllowedByPermissionsBoundary"),
            answered.get("AllowedByOrganizations"),
        );
        assert_eq!(found, (Some(decision), boundary, organization), "{policy} {more}");
        let matched = answered.all("SourcePolicyId").len();
        let by_scp = organization == Some("false");
        let silent = decision == "implicitDeny" || by_scp;
        assert_eq!(matched == 0, silent, "{policy} {more}: {}", answered.text);
    }
}

#[tokio::test]
async fn a_denial_names_the_statement_that_denies() {
    let deny = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"secretsmanager:*","Resource":"*"}}"#;
    let desk = Desk::open().await;
    let more = format!(
        "CallerArn=arn:aws:iam::{{A}}:user/a&ResourceArns.member.1={SECRET}&ResourcePolicy={deny}"
    );
    let answered = custom(&desk, READ, &more).await;
    let (ids, kinds) = (answered.all("SourcePolicyId"), answered.all("SourcePolicyType"));
    assert_eq!(ids, ["ResourcePolicy"; 2]);
    assert_eq!(kinds, ["Resource Policy"; 2]);
}

#[tokio::test]
async fn across_accounts_each_side_is_told() {
    let policy = |whom: &str| {
        format!(
            r#"ResourcePolicy={{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{whom}"}},"Action":"*","Resource":"*"}}}}"#
        )
    };
    let other = "CallerArn=arn:aws:iam::999988887777:user/eve";
    let desk = Desk::open().await;
    for (held, whom, decision, identity, resource) in [
        (READ, "999988887777", "allowed", "allowed", "allowed"),
        (READ, "555566667777", "implicitDeny", "allowed", "implicitDeny"),
        (NONE_SECRET, "999988887777", "implicitDeny", "implicitDeny", "allowed"),
    ] {
        let more = format!("{other}&ResourceArns.member.1={SECRET}&{}", policy(whom));
        let answered = custom(&desk, held, &more).await;
        assert_eq!(answered.get("EvalDecision"), Some(decision), "{held} {whom}");
        let details = format!(
            "<EvalDecisionDetails><entry><key>IAM Policy</key><value>{identity}</value></entry>\
             <entry><key>Resource Policy</key><value>{resource}</value></entry></EvalDecisionDetails>"
        );
        assert_eq!(answered.text.matches(&details).count(), 2, "{}", answered.text);
    }
    // Whose the resource is may be told where its ARN doesn't.
    let bucket = "ResourceArns.member.1=arn:aws:s3:::b";
    for (owner, crosses) in [("", false), ("&ResourceOwner=arn:aws:iam::{A}:root", true)] {
        let more = format!("{other}&{bucket}{owner}&{}", policy("999988887777"));
        let answered = custom(&desk, READ, &more).await;
        assert_eq!(answered.text.contains("<key>IAM Policy</key>"), crosses, "{owner}");
    }
}

#[tokio::test]
async fn several_resources_are_taken_together() {
    let one = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:secretsmanager:*:*:secret:app*"},{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}"#;
    let desk = Desk::open().await;
    let other = SECRET.replace("app", "web");
    let more = format!("ResourceArns.member.1={SECRET}&ResourceArns.member.2={other}");
    let answered = custom(&desk, one, &more).await;
    assert_eq!(answered.get("EvalDecision"), Some("implicitDeny"));
    assert_eq!(answered.all("EvalResourceDecision"), ["allowed", "implicitDeny"]);
    assert_eq!(answered.all("EvalActionName").len(), 1);
    assert_eq!(answered.all("MissingContextValues"), ["<member>aws:SecureTransport</member>"; 3]);
    assert_eq!(answered.all("SourcePolicyId").len(), 2, "above and with the one resource");
}

#[tokio::test]
async fn context_by_type() {
    let desk = Desk::open().await;
    #[rustfmt::skip]
    let cases = [
        // condition                                                  type           values             holds
        (r#"{"StringEquals":{"a:key":"x"}}"#,                          "string",      &["x"][..],        Some(true)),
        (r#"{"StringEquals":{"A:KEY":"x"}}"#,                          "string",      &["y"],            Some(false)),
        (r#"{"ForAnyValue:StringEquals":{"a:key":"x"}}"#,              "stringList",  &["y", "x"],       Some(true)),
        (r#"{"StringEquals":{"a:key":"x"}}"#,                          "stringList",  &["x"],            Some(false)),
        (r#"{"NumericLessThan":{"a:key":5}}"#,                         "numeric",     &["4.5"],          Some(true)),
        (r#"{"ForAllValues:NumericLessThan":{"a:key":5}}"#,            "numericList", &["4", "6"],       Some(false)),
        (r#"{"NumericLessThan":{"a:key":5}}"#,                         "numeric",     &["four"],         None),
        (r#"{"Bool":{"a:key":"true"}}"#,                               "boolean",     &["true"],         Some(true)),
        (r#"{"Bool":{"a:key":"true"}}"#,                               "booleanList", &["maybe"],        None),
        (r#"{"IpAddress":{"a:key":"10.0.0.0/8"}}"#,                    "ip",          &["10.1.2.3"],     Some(true)),
        (r#"{"IpAddress":{"a:key":"10.0.0.0/8"}}"#,                    "ipList",      &["10.1.2"],       None),
        (r#"{"DateLessThan":{"a:key":"2026-01-01T00:00:00Z"}}"#,       "date",        &["2025-01-01"],   Some(true)),
        (r#"{"DateLessThan":{"a:key":"2026-01-01T00:00:00Z"}}"#,       "dateList",    &["soon"],         None),
        (r#"{"BinaryEquals":{"a:key":"YQ=="}}"#,                       "binary",      &["YQ=="],         Some(true)),
        (r#"{"BinaryEquals":{"a:key":"YQ=="}}"#,                       "binaryList",  &["!"],            None),
    ];
    for (condition, kind, values, expected) in cases {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}}}"#
        );
        let entry = "ContextEntries.member.1";
        let mut form = format!(
            "PolicyInputList.member.1={policy}&{GET}&{entry}.ContextKeyName=a:key&{entry}.ContextKeyType={kind}"
        );
        for (value, number) in values.iter().zip(1..) {
            let given = format!("&{entry}.ContextKeyValues.member.{number}={value}");
            form += &given;
        }
        let answered = desk.call("SimulateCustomPolicy", &form).await;
        let holds = answered.get("EvalDecision").map(|it| it == "allowed");
        assert_eq!(holds, expected, "{condition} {kind} {values:?}: {}", answered.text);
        assert_eq!(answered.get("Code"), expected.is_none().then_some("InvalidInput"));
    }
}

#[tokio::test]
async fn what_is_known_of_the_caller() {
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"alice"},"Null":{"aws:userid":"true"}}}}"#;
    let desk = Desk::open().await;
    for (caller, decision, missing) in [
        ("", "implicitDeny", "<member>aws:username</member>"),
        ("CallerArn=arn:aws:iam::{A}:user/p/alice", "allowed", ""),
        ("CallerArn=arn:aws:iam::{A}:role/alice", "implicitDeny", "<member>aws:username</member>"),
        ("CallerArn=arn:aws:iam::{A}:group/alice", "implicitDeny", "<member>aws:username</member>"),
    ] {
        let answered = custom(&desk, own, caller).await;
        assert_eq!(answered.get("EvalDecision"), Some(decision), "{caller}");
        assert_eq!(answered.get("MissingContextValues").unwrap_or_default(), missing, "{caller}");
    }
}

async fn people() -> Desk {
    let desk = Desk::open().await;
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    let put = |kind: &str, name: &str, text: &str| {
        format!("{kind}Name={name}&PolicyName=own&PolicyDocument={text}")
    };
    desk.done("CreateUser", "UserName=alice").await;
    desk.done("CreateGroup", "GroupName=team").await;
    desk.done("AddUserToGroup", "UserName=alice&GroupName=team").await;
    desk.done("PutGroupPolicy", &put("Group", "team", READ)).await;
    desk.done("PutUserPolicy", &put("User", "alice", NONE_SECRET)).await;
    let trust =
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"{A}"},"Action":"sts:AssumeRole"}}"#;
    desk.done("CreateRole", &format!("RoleName=app&AssumeRolePolicyDocument={trust}")).await;
    desk.done("PutRolePolicy", &put("Role", "app", READ)).await;
    desk.done("AttachRolePolicy", &format!("RoleName=app&PolicyArn={admin}")).await;
    desk.done("CreatePolicy", &format!("PolicyName=Cap&PolicyDocument={NONE_SECRET}")).await;
    let cap = "PermissionsBoundary=arn:aws:iam::{A}:policy/Cap";
    desk.done("PutRolePermissionsBoundary", &format!("RoleName=app&{cap}")).await;
    desk
}

const ALICE: &str = "PolicySourceArn=arn:aws:iam::{A}:user/alice";
const APP: &str = "PolicySourceArn=arn:aws:iam::{A}:role/app";

#[tokio::test]
async fn the_policies_that_somebody_has() {
    let desk = people().await;
    let without = |it: &str| format!("{APP}&PolicyExclusionList.member.1.{it}");
    let replaced = format!("{APP}&PermissionsBoundaryPolicyInputList.member.1={READ}");
    let list = "PolicyExclusionList.member";
    let inline = |name: &str| {
        format!(
            "PolicyExclusionList.member.1.InlinePolicyIdentifier.PolicyName=own\
             &PolicyExclusionList.member.1.InlinePolicyIdentifier.AttachmentType=role\
             &PolicyExclusionList.member.1.InlinePolicyIdentifier.AttachmentName={name}"
        )
    };
    #[rustfmt::skip]
    let cases = [
        (ALICE.to_owned(), "allowed", vec!["group_team_own"]),
        ("PolicySourceArn=arn:aws:iam::{A}:group/team".to_owned(), "allowed", vec!["group_team_own"]),
        (APP.to_owned(), "implicitDeny", vec![]),
        (replaced.clone(), "allowed", vec!["AdministratorAccess", "role_app_own"]),
        (without("PolicyType=permission-boundary"), "allowed", vec!["AdministratorAccess", "role_app_own"]),
        (format!("{replaced}&{list}.1.PolicyType=inline"), "allowed", vec!["AdministratorAccess"]),
        (format!("{replaced}&{list}.1.PolicyType=aws-managed"), "allowed", vec!["role_app_own"]),
        (format!("{replaced}&{list}.1.PolicyArn=arn:aws:iam::aws:policy/Admin*"), "allowed", vec!["role_app_own"]),
        (format!("{replaced}&{}", inline("a?p")), "allowed", vec!["AdministratorAccess"]),
        (format!("{replaced}&{}", inline("b*")), "allowed", vec!["AdministratorAccess", "role_app_own"]),
        (format!("{ALICE}&{list}.1.PolicyType=inline"), "implicitDeny", vec![]),
    ];
    for (form, decision, expected) in cases {
        let answered = desk.done("SimulatePrincipalPolicy", &format!("{form}&{GET}")).await;
        assert_eq!(answered.get("EvalDecision"), Some(decision), "{form}");
        assert_eq!(answered.all("SourcePolicyId"), expected, "{form}");
    }
}

#[tokio::test]
async fn the_keys_that_policies_ask_for() {
    let desk = people().await;
    let keys = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"AWS:securetransport":"true"}}}]}"#;
    let form = format!("PolicyInputList.member.1={keys}");
    let expected = "<member>aws:SecureTransport</member><member>aws:username</member>";
    let answered = desk.done("GetContextKeysForCustomPolicy", &form).await;
    assert_eq!(answered.get("ContextKeyNames"), Some(expected));
    let answered = desk.done("GetContextKeysForPrincipalPolicy", &format!("{ALICE}&{form}")).await;
    assert_eq!(answered.get("ContextKeyNames"), Some(expected));
    let held = keys.replace("username", "userid");
    let put = format!("UserName=alice&PolicyName=keys&PolicyDocument={held}");
    desk.done("PutUserPolicy", &put).await;
    let answered = desk.done("GetContextKeysForPrincipalPolicy", ALICE).await;
    assert_eq!(answered.get("ContextKeyNames"), Some(&*expected.replace("username", "userid")));
}

#[tokio::test]
async fn what_is_refused() {
    let desk = people().await;
    let base = format!("PolicyInputList.member.1={READ}&{GET}");
    let invalid =
        |message: &'static str| -> Refused<'static> { Some(("InvalidInput", 400, message)) };
    let policy = r#"ResourcePolicy={"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
    let no_user = "Invalid caller - Caller must be an IAM user in this context.";
    let large = format!(
        "{base}&ContextEntries.member.1.ContextKeyName=a:key&ContextEntries.member.1.ContextKeyValues.member.1={}",
        "x".repeat(100_000)
    );
    #[rustfmt::skip]
    let cases = [
        ("ActionNames.member.2=s3:Get*", "ActionNames are not in a valid format: s3:Get*."),
        ("ActionNames.member.2=GetObject", "ActionNames are not in a valid format: GetObject."),
        ("ResourceArns.member.1=app", "ResourceNames are not in a valid ARN format: app."),
        ("ResourceOwner=1234", "'1234' is not a valid as a Resource Owner."),
        ("CallerArn=arn:aws:sts::{A}:assumed-role/app/s", "Invalid Entity Arn: arn:aws:sts::{A}:assumed-role/app/s"),
        ("PolicyInputList.member.2=[]", "Syntax errors in policy."),
        ("PolicyInputList.member.2={", "This policy contains invalid Json"),
        ("ResourceHandlingOption=EC2", "Invalid Resource Handling Option: EC2"),
        ("ResourceHandlingOption=EC2-VPC-EBS", "EC2-VPC-EBS requires a resource of the type instance."),
        (policy, "CallerArn is required with a ResourcePolicy."),
    ];
    for (more, message) in cases {
        desk.expect(&[("SimulateCustomPolicy", &format!("{base}&{more}"), invalid(message))]).await;
    }
    let two = format!(
        "{base}&PermissionsBoundaryPolicyInputList.member.1={READ}&PermissionsBoundaryPolicyInputList.member.2={READ}"
    );
    let absent = |message| -> Refused<'_> { Some(("NoSuchEntity", 404, message)) };
    let exclude = format!("{ALICE}&{GET}&PolicyExclusionList.member.1");
    desk.expect(&[
        ("SimulateCustomPolicy", &two, invalid("Only one permissions boundary can be given.")),
        (
            "SimulateCustomPolicy",
            &large,
            invalid("The simulation is too large: give fewer resources or policies."),
        ),
        (
            "SimulateCustomPolicy",
            &format!("{base}&Marker=x"),
            Some(("ValidationError", 400, "Invalid Marker.")),
        ),
        ("SimulatePrincipalPolicy", &format!("{APP}&{GET}&{policy}"), invalid(no_user)),
        (
            "SimulatePrincipalPolicy",
            &format!("PolicySourceArn=arn:aws:iam::{{A}}:root:anything&{GET}"),
            invalid("Invalid Entity Arn: arn:aws:iam::{A}:root:anything"),
        ),
        (
            "SimulatePrincipalPolicy",
            &format!("{ALICE}x&{GET}"),
            absent("The user with name alicex cannot be found."),
        ),
        (
            "SimulatePrincipalPolicy",
            &format!("PolicySourceArn=arn:aws:iam::{{A}}:role/p/app&{GET}"),
            absent("The role with name app cannot be found."),
        ),
        (
            "SimulatePrincipalPolicy",
            &format!("PolicySourceArn=arn:aws:iam::999988887777:user/alice&{GET}"),
            absent("The user with name alice cannot be found."),
        ),
        (
            "GetContextKeysForPrincipalPolicy",
            &format!("{ALICE}x"),
            absent("The user with name alicex cannot be found."),
        ),
        (
            "GetContextKeysForCustomPolicy",
            "PolicyInputList.member.1=[]",
            invalid("Syntax errors in policy."),
        ),
        (
            "SimulatePrincipalPolicy",
            &format!("{exclude}.PolicyArn=arn:aws:iam::*:policy/x"),
            invalid("Invalid policy identifier: arn:aws:iam::*:policy/x"),
        ),
        (
            "SimulatePrincipalPolicy",
            &format!(
                "{exclude}.PolicyType=inline&PolicyExclusionList.member.1.PolicyArn={}",
                "arn:aws:iam::aws:policy/x"
            ),
            invalid("A policy identifier must have exactly one member."),
        ),
    ])
    .await;
}

#[tokio::test]
async fn pages_follow_each_other() {
    let desk = Desk::open().await;
    let actions: Vec<_> = (1..=5).map(|it| format!("ActionNames.member.{it}=s3:Get{it}")).collect();
    let form = format!("PolicyInputList.member.1={READ}&{}&MaxItems=2", actions.join("&"));
    let (mut found, mut marker) = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = desk.done("SimulateCustomPolicy", &format!("{form}{marker}")).await;
        found.extend(page.all("EvalActionName").into_iter().map(str::to_owned));
        assert_eq!(page.get("IsTruncated"), Some(if found.len() < 5 { "true" } else { "false" }));
        marker = page.get("Marker").map(|it| format!("&Marker={it}")).unwrap_or_default();
    }
    assert_eq!(found, ["s3:Get1", "s3:Get2", "s3:Get3", "s3:Get4", "s3:Get5"]);
    // Work that is too much for one page fills several, without being asked to.
    let arns: Vec<_> =
        (1..=400).map(|it| format!("ResourceArns.member.{it}=arn:aws:s3:::{it:0>500}")).collect();
    let form = format!("PolicyInputList.member.1={READ}&{}&{}", actions.join("&"), arns.join("&"));
    let page = desk.done("SimulateCustomPolicy", &form).await;
    assert_eq!(page.get("IsTruncated"), Some("false"));
    let statements = vec![r#"{"Effect":"Allow","Action":"s3:x","Resource":"*"}"#; 20].join(",");
    let long = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let page = desk.done("SimulateCustomPolicy", &form.replace(READ, &long)).await;
    assert_eq!(page.get("IsTruncated"), Some("true"));
    assert!(page.all("EvalActionName").len() < 5);
}
