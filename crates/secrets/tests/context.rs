//! Which condition keys a request has a value for, and which it lacks. Spec §2.4.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use base::{AccountId, Clock, Timestamp};
use serde_json::json;
use service::{Access, Caller, Endpoint, Kind, Member, Organization, Session, Source, TlsDetails};
use std::collections::BTreeMap;
use std::sync::Arc;
use testkit::{Desk, access, caller};

const OWN: &str = "111122223333";
const ISSUED: Timestamp = Timestamp::from_secs(1_769_850_000);

/// Who calls, and from where.
struct Scene {
    desk: Desk,
    caller: Caller,
    organization: Option<Arc<Organization>>,
}

impl Scene {
    /// A user outside of organizations, by HTTP from this machine; a secret `s`.
    async fn plain() -> Self {
        let desk = Desk::open(3).await.expect("a desk");
        let made = json!({ "Name": "s", "SecretString": "v",
            "ClientRequestToken": "11111111-1111-4111-8111-111111111111" });
        assert_eq!(desk.call("CreateSecret", made).await.status, 200);
        let caller = Caller { principal_id: "AIDAX".to_owned(), ..caller(OWN).expect("valid") };
        Self { desk, caller, organization: None }
    }

    /// The same in an organization.
    async fn member() -> Self {
        let path = "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/";
        let member = Member { path: path.into(), ..Member::default() };
        let members = BTreeMap::from([(account(), member)]);
        let organization = Organization { id: "o-a1b2c3d4e5".into(), members };
        Self { organization: Some(Arc::new(organization)), ..Self::plain().await }
    }

    /// A role's session with a second factor, over TLS.
    async fn session() -> Self {
        let mut scene = Self::plain().await;
        let role = format!("arn:aws:iam::{OWN}:role/path/app");
        scene.caller.arn = format!("arn:aws:sts::{OWN}:assumed-role/app/s1");
        scene.caller.kind = Kind::RoleSession { role_arn: role, role_id: "AROAX".to_owned() };
        scene.caller.session = Some(Session {
            issued: ISSUED,
            mfa: Some(ISSUED),
            source_identity: Some("ada".to_owned()),
            ..Session::default()
        });
        scene.desk.source.tls = Some(TlsDetails {
            tls_version: "TLSv1.3".to_owned(),
            cipher_suite: String::new(),
            client_provided_host_header: String::new(),
        });
        scene.desk.source.referer = Some("https://example.org/".to_owned());
        scene
    }

    /// The root user.
    async fn root() -> Self {
        let mut scene = Self::plain().await;
        scene.caller.arn = format!("arn:aws:iam::{OWN}:root");
        scene.caller.kind = Kind::Root;
        scene
    }

    /// Through a private endpoint of the member's own.
    async fn endpoint() -> Self {
        let mut scene = Self::member().await;
        let endpoint = Endpoint {
            id: "vpce-1".to_owned(),
            vpc: Some("vpc-1".to_owned()),
            account: Some(account()),
            policy: None,
        };
        let source = Source {
            address: "10.1.2.3".into(),
            endpoint: Some(endpoint.into()),
            ..Source::default()
        };
        scene.desk.source = source;
        scene
    }

    /// Whether the caller reads the secret under a policy with this condition.
    async fn reads(&self, condition: &serde_json::Value, operation: &str) -> bool {
        let statement =
            json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition });
        let policy = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
        let organization = self.organization.clone();
        let access = Access { organization, ..access(&policy).expect("a policy") };
        let body = if operation == "ListSecrets" { json!({}) } else { json!({ "SecretId": "s" }) };
        let body = body.to_string();
        let answer = self.desk.call_with((&self.caller, &access), operation, body.as_bytes()).await;
        answer.status == 200
    }

    /// Whether a resource policy with this condition denies: the root user has no other policies.
    async fn denied(&self, condition: &serde_json::Value) -> bool {
        let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DescribeSecret",
            "Resource": "*", "Condition": condition });
        let policy = json!({ "Version": "2012-10-17", "Statement": deny }).to_string();
        let put = json!({ "SecretId": "s", "ResourcePolicy": policy });
        assert_eq!(self.desk.call("PutResourcePolicy", put).await.status, 200);
        let body = json!({ "SecretId": "s" }).to_string();
        let access = Access::default();
        let answer =
            self.desk.call_with((&self.caller, &access), "DescribeSecret", body.as_bytes());
        answer.await.status == 400
    }
}

fn account() -> AccountId {
    OWN.parse().expect("valid")
}

const ABSENT: Option<&str> = None;

#[tokio::test]
async fn each_key_has_its_value_or_none() {
    let (plain, member) = (Scene::plain().await, Scene::member().await);
    let (session, endpoint) = (Scene::session().await, Scene::endpoint().await);
    let role = format!("arn:aws:iam::{OWN}:role/path/app");
    let user = format!("arn:aws:iam::{OWN}:user/admin");
    let issued = ISSUED.to_string();
    let age = session.desk.clock.now().since(ISSUED).as_secs().to_string();
    #[rustfmt::skip]
    let cases: &[(&Scene, &str, Option<&str>)] = &[
        (&plain, "aws:PrincipalArn", Some(&user)),
        (&plain, "aws:PrincipalAccount", Some(OWN)),
        (&plain, "aws:PrincipalType", Some("User")),
        (&plain, "aws:userid", Some("AIDAX")),
        (&plain, "aws:username", Some("admin")),
        (&plain, "aws:PrincipalIsAWSService", Some("false")),
        (&plain, "aws:PrincipalServiceName", ABSENT),
        (&plain, "aws:PrincipalServiceNamesList", ABSENT),
        (&plain, "aws:PrincipalOrgID", ABSENT),
        (&plain, "aws:PrincipalOrgPaths", ABSENT),
        (&plain, "aws:ResourceAccount", Some(OWN)),
        (&plain, "aws:ResourceOrgID", ABSENT),
        (&plain, "aws:ResourceOrgPaths", ABSENT),
        (&plain, "aws:MultiFactorAuthPresent", ABSENT),
        (&plain, "aws:MultiFactorAuthAge", ABSENT),
        (&plain, "aws:TokenIssueTime", ABSENT),
        (&plain, "aws:SourceIdentity", ABSENT),
        (&plain, "aws:FederatedProvider", ABSENT),
        (&plain, "aws:SourceIp", Some("127.0.0.1")),
        (&plain, "aws:SourceVpc", ABSENT),
        (&plain, "aws:SourceVpcArn", ABSENT),
        (&plain, "aws:SourceVpce", ABSENT),
        (&plain, "aws:VpcSourceIp", ABSENT),
        (&plain, "aws:VpceAccount", ABSENT),
        (&plain, "aws:SourceArn", ABSENT),
        (&plain, "aws:SourceAccount", ABSENT),
        (&plain, "aws:SourceOrgID", ABSENT),
        (&plain, "aws:ViaAWSService", Some("false")),
        (&plain, "aws:CalledVia", ABSENT),
        (&plain, "aws:CalledViaFirst", ABSENT),
        (&plain, "aws:referer", ABSENT),
        (&plain, "aws:RequestedRegion", Some("us-east-1")),
        (&plain, "aws:SecureTransport", Some("false")),
        (&plain, "aws:TagKeys", ABSENT),
        (&member, "aws:PrincipalOrgID", Some("o-a1b2c3d4e5")),
        (&member, "aws:PrincipalOrgPaths", Some("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/")),
        (&member, "aws:ResourceOrgID", Some("o-a1b2c3d4e5")),
        (&member, "aws:ResourceOrgPaths", Some("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/")),
        (&member, "aws:VpceOrgID", ABSENT),
        (&session, "aws:PrincipalArn", Some(&role)),
        (&session, "aws:PrincipalType", Some("AssumedRole")),
        (&session, "aws:userid", Some("AROAX:s1")),
        (&session, "aws:username", ABSENT),
        (&session, "aws:MultiFactorAuthPresent", Some("true")),
        (&session, "aws:MultiFactorAuthAge", Some(&age)),
        (&session, "aws:TokenIssueTime", Some(&issued)),
        (&session, "aws:SourceIdentity", Some("ada")),
        (&session, "aws:SecureTransport", Some("true")),
        (&session, "aws:referer", Some("https://example.org/")),
        (&endpoint, "aws:SourceIp", ABSENT),
        (&endpoint, "aws:VpcSourceIp", Some("10.1.2.3")),
        (&endpoint, "aws:SourceVpc", Some("vpc-1")),
        (&endpoint, "aws:SourceVpcArn", Some("arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1")),
        (&endpoint, "aws:SourceVpce", Some("vpce-1")),
        (&endpoint, "aws:VpceAccount", Some(OWN)),
        (&endpoint, "aws:VpceOrgID", Some("o-a1b2c3d4e5")),
        (&endpoint, "aws:VpceOrgPaths", Some("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/")),
    ];
    for (scene, key, value) in cases {
        let operator =
            if key.ends_with("Paths") { "ForAnyValue:StringEquals" } else { "StringEquals" };
        let condition = match value {
            Some(value) => json!({ operator: { *key: value } }),
            None => json!({ "Null": { *key: "true" } }),
        };
        assert!(scene.reads(&condition, "DescribeSecret").await, "{key} {value:?}");
    }
    // Without a resource there is no owner of one.
    for key in ["aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths"] {
        assert!(member.reads(&json!({ "Null": { key: "true" } }), "ListSecrets").await, "{key}");
    }
}

#[tokio::test]
async fn the_root_user_is_its_account() {
    let root = Scene::root().await;
    let arn = format!("arn:aws:iam::{OWN}:root");
    for (key, value) in [
        ("aws:PrincipalArn", &*arn),
        ("aws:PrincipalType", "Account"),
        ("aws:userid", OWN),
        ("aws:PrincipalAccount", OWN),
    ] {
        assert!(root.denied(&json!({ "StringEquals": { key: value } })).await, "{key}");
    }
    assert!(root.denied(&json!({ "Null": { "aws:username": "true" } })).await);
}
