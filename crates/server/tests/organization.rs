//! Control policies and private endpoints, from the admin socket and the configuration to the wire.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use std::net::SocketAddr;
use strongroom_server::Server;
use strongroom_server::config::{Config, Listen};
use testkit::http::{Answer, Connection};
use testkit::{Credentials, World};

const PATH: &str = "/v1/organization";
const READ: &str = "secretsmanager:GetSecretValue";

/// A management account (the world's own), a member, and a stranger, each with a secret `s`.
struct Company {
    world: World,
    member: Credentials,
    stranger: Credentials,
    id: String,
}

impl Company {
    async fn found() -> Self {
        let world = World::start().await;
        let member = world.another_account().await;
        let stranger = world.another_account().await;
        let wanted = json!({ "ManagementAccountId": world.admin.account });
        let made = done(&world, json!({ "CreateOrganization": wanted })).await;
        let id = made.get("OrganizationId").and_then(Value::as_str).expect("an id").to_owned();
        done(&world, json!({ "MoveAccount": { "AccountId": member.account, "To": "root" } })).await;
        for owner in [&world.admin, &member, &stranger] {
            create(&world, owner).await;
        }
        Self { world, member, stranger, id }
    }

    /// Attaches a policy of one statement, asks, and detaches it again.
    async fn under(&self, kind: &str, statement: Value, who: &Credentials, secret: &str) -> Answer {
        let content = document(statement);
        let create = json!({ "Name": "it", "Type": kind, "Content": content });
        let attachment = json!({ "Policy": "it", "Target": self.member.account });
        for act in [json!({ "CreatePolicy": create }), json!({ "AttachPolicy": attachment })] {
            done(&self.world, act).await;
        }
        let answer = read(&self.world, who, secret).await;
        for act in
            [json!({ "DetachPolicy": attachment }), json!({ "DeletePolicy": { "Policy": "it" } })]
        {
            done(&self.world, act).await;
        }
        answer
    }
}

async fn done(world: &World, act: impl Into<Value>) -> Value {
    let act = act.into();
    let answer = world.admin_api(("POST", PATH), &act).await;
    assert_eq!(answer.status, 200, "{act}: {}", answer.text());
    answer.json()
}

async fn create(world: &World, owner: &Credentials) {
    let made = json!({ "Name": "s", "SecretString": "v",
        "ClientRequestToken": "11111111-1111-4111-8111-111111111111" });
    assert_eq!(world.call_as(owner, "CreateSecret", made).await.status, 200);
}

async fn read(world: &World, who: &Credentials, secret: &str) -> Answer {
    world.call_as(who, "GetSecretValue", json!({ "SecretId": secret })).await
}

async fn arn(world: &World, owner: &Credentials) -> String {
    let shown = world.call_as(owner, "DescribeSecret", json!({ "SecretId": "s" })).await.json();
    shown.get("ARN").and_then(Value::as_str).expect("an ARN").to_owned()
}

fn document(statement: impl Into<Value>) -> String {
    let statement = statement.into();
    json!({ "Version": "2012-10-17", "Statement": statement }).to_string()
}

fn deny(action: &str) -> Value {
    json!({ "Effect": "Deny", "Action": action, "Resource": "*" })
}

/// The reason at the end of a denial; nothing for a success.
fn reason(answer: &Answer) -> String {
    let body = answer.json();
    let text = body.get("Message").and_then(Value::as_str).unwrap_or_default();
    let place = text.find("with an explicit").or_else(|| text.find("because no"));
    text.get(place.unwrap_or_default()..).unwrap_or_default().to_owned()
}

/// Spec §5.
#[tokio::test]
async fn rows_of_control_policies() {
    let company = Company::found().await;
    let (world, member) = (&company.world, &company.member);
    let gsv = |effect: &str| json!({ "Effect": effect, "Action": READ, "Resource": "*" });
    let list = json!({ "Effect": "Allow", "Action": "secretsmanager:List*", "Resource": "*" });
    let scp = "with an explicit deny in a service control policy";
    let rcp = "with an explicit deny in a resource control policy";
    // 20: no level may be silent.
    let attachment = json!({ "Policy": "FullAWSAccess", "Target": member.account });
    let create = json!({ "Name": "list", "Type": "scp", "Content": document(list) });
    done(world, json!({ "CreatePolicy": create })).await;
    let listing = json!({ "Policy": "list", "Target": member.account });
    done(world, json!({ "AttachPolicy": listing })).await;
    done(world, json!({ "DetachPolicy": attachment })).await;
    let silent = format!("because no service control policy allows the {READ} action");
    assert_eq!(reason(&read(world, member, "s").await), silent, "row 20");
    done(world, json!({ "AttachPolicy": attachment })).await;
    done(world, json!({ "DetachPolicy": listing })).await;
    assert_eq!(reason(&read(world, member, "s").await), "", "row 20, allowed again");

    let denied = company.under("scp", gsv("Deny"), member, "s").await;
    assert_eq!(reason(&denied), scp, "a denial");
    assert_eq!(reason(&read(world, member, "s").await), "", "gone at the next request");
    // 21: nor does it help to attach it to the management account.
    let create = json!({ "Name": "none", "Type": "scp", "Content": document(gsv("Deny")) });
    done(world, json!({ "CreatePolicy": create })).await;
    let everywhere = json!({ "Policy": "none", "Target": "root" });
    done(world, json!({ "AttachPolicy": everywhere })).await;
    assert_eq!(reason(&read(world, &world.admin, "s").await), "", "row 21");
    assert_eq!(reason(&read(world, &company.stranger, "s").await), "", "row 21, a stranger");
    assert_eq!(reason(&read(world, member, "s").await), scp, "row 21, a member");
    done(world, json!({ "DetachPolicy": everywhere })).await;

    // 22: the resource's organization, not the caller's.
    let arn = arn(world, member).await;
    let both = json!({ "AWS": [company.stranger.account, world.admin.account] });
    let open = json!({ "Effect": "Allow", "Principal": both, "Action": READ, "Resource": "*" });
    let put = json!({ "SecretId": "s", "ResourcePolicy": document(open) });
    assert_eq!(world.call_as(member, "PutResourcePolicy", put).await.status, 200);
    let outside = json!({ "StringNotEqualsIfExists": { "aws:PrincipalOrgID": company.id } });
    let perimeter = json!({ "Effect": "Deny", "Principal": "*", "Action": READ, "Resource": "*",
        "Condition": outside });
    // The value stays under the member's managed key, which strangers can't use: that comes later.
    let stranger = company.under("rcp", perimeter.clone(), &company.stranger, &arn).await;
    assert_eq!(reason(&stranger), rcp, "row 22");
    let inside = company.under("rcp", perimeter.clone(), &world.admin, &arn).await;
    assert_ne!(reason(&inside), rcp, "row 22, a member of the organization");
    let own = company.under("rcp", perimeter, member, "s").await;
    assert_eq!(reason(&own), "", "row 22, the owner");
    // AWS's own keys are left alone, or nobody could read anything.
    let keys = json!({ "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*" });
    assert_eq!(reason(&company.under("rcp", keys, member, "s").await), "", "a managed key");
}

#[tokio::test]
async fn an_account_made_later_finds_the_organization() {
    let company = Company::found().await;
    let world = &company.world;
    let late = world.another_account().await;
    let create_policy = json!({ "Name": "it", "Type": "scp", "Content": document(deny("*")) });
    done(world, json!({ "CreatePolicy": create_policy })).await;
    done(world, json!({ "AttachPolicy": { "Policy": "it", "Target": "root" } })).await;
    create(world, &late).await;
    done(world, json!({ "MoveAccount": { "AccountId": late.account, "To": "root" } })).await;
    assert_eq!(read(world, &late, "s").await.status, 400, "denied at the next request");
    done(world, json!({ "RemoveAccountFromOrganization": { "AccountId": late.account } })).await;
    assert_eq!(read(world, &late, "s").await.status, 200);
}

#[tokio::test]
async fn the_configuration_owns_what_it_says() {
    let account = "111122223333";
    let text = format!(
        "[organization]\nmanagement_account = \"{account}\"\nservice_control = [\"FullAWSAccess\", \"it\"]\n\
         [organization.policies.it]\ntype = \"scp\"\ndocument = '{}'\n",
        document(deny(READ))
    );
    let world = World::start_with(|config| config.organization = parsed(&text).organization).await;
    let shown = world.admin_api(("GET", PATH), &Value::Null).await.json();
    assert_eq!(shown["Root"]["ServiceControlPolicies"], json!(["FullAWSAccess", "it"]));
    let to = json!({ "MoveAccount": { "AccountId": world.admin.account, "To": "root" } });
    let refused = world.admin_api(("POST", PATH), &to).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("is the configuration's"), "{}", refused.text());
    create(&world, &world.admin).await;
    assert_eq!(read(&world, &world.admin, "s").await.status, 200, "not in it");
    // It starts again with the account in it.
    let member = text.replace(
        "service_control",
        &format!("accounts = [\"{}\"]\nservice_control", world.admin.account),
    );
    let config = parsed(&member).organization;
    let again = World::resume(world.stop().await, |it| it.organization = config).await;
    let answer = read(&again, &again.admin, "s").await;
    assert_eq!(reason(&answer), "with an explicit deny in a service control policy");
}

fn parsed(rest: &str) -> Config {
    Config::parse(&format!("[server]\ndata = \"/data\"\n{rest}")).expect("valid")
}

/// A world that is also reached at 127.0.0.2, through a private endpoint with this policy.
async fn with_endpoint(policy: &str) -> (World, SocketAddr) {
    let text = format!(
        "[[endpoint]]\nlisten = \"127.0.0.2:0\"\nvpc_endpoint = \"vpce-1\"\nvpc = \"vpc-1\"\n\
         document = '{policy}'\n"
    );
    let world = World::start_with(|config| {
        let place: Listen = "127.0.0.2:0".parse().expect("an address");
        config.server.listen.push(place);
        config.endpoint = parsed(&text).endpoint;
    })
    .await;
    let address = world.server().endpoints().plain.get(1).copied().expect("two addresses");
    (world, address)
}

async fn through(
    address: SocketAddr,
    world: &World,
    operation: &str,
    body: impl Into<Value>,
) -> Answer {
    let body = body.into().to_string();
    let headers =
        world.signed(&world.admin, &format!("secretsmanager.{operation}"), body.as_bytes());
    let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    let mut connection = Connection::tcp(address).await.expect("connected");
    connection.request(("POST", "/"), &headers, body.as_bytes()).await.expect("answered")
}

#[tokio::test]
async fn an_endpoint_lets_through_what_its_policy_allows() {
    let policy = document(json!([
        { "Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*" },
        { "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DeleteSecret", "Resource": "*" },
    ]));
    let (world, address) = with_endpoint(&policy).await;
    create(&world, &world.admin).await;
    let secret = json!({ "SecretId": "s" });
    // The call to KMS for the value is the service's: it comes through no endpoint.
    let answer = through(address, &world, "GetSecretValue", secret.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = through(address, &world, "DeleteSecret", secret.clone()).await;
    assert_eq!(reason(&answer), "with an explicit deny in a VPC endpoint policy");
    assert_eq!(world.call("DescribeSecret", secret.clone()).await.status, 200, "not elsewhere");

    // Only from inside.
    let inside = json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" } });
    let statement = json!({ "Effect": "Deny", "Principal": "*", "Action": READ, "Resource": "*",
        "Condition": inside });
    let put = json!({ "SecretId": "s", "ResourcePolicy": document(statement) });
    assert_eq!(world.call("PutResourcePolicy", put).await.status, 200);
    assert_eq!(world.call("GetSecretValue", secret.clone()).await.status, 400);
    assert_eq!(through(address, &world, "GetSecretValue", secret.clone()).await.status, 200);
    let (_, folder) = world.stop().await;
    let journal = std::fs::read_dir(folder.path().join("data/journal")).expect("a folder");
    let records: String =
        journal.flatten().filter_map(|it| std::fs::read_to_string(it.path()).ok()).collect();
    let count = |part: &str| records.lines().filter(|it| it.contains(part)).count();
    assert_eq!(
        count(r#""vpcEndpointId":"vpce-1""#),
        3,
        "three calls; the one to KMS is the service's"
    );
}

#[tokio::test]
async fn an_endpoint_allows_nothing_that_its_policy_does_not_name() {
    let policy =
        document(json!({ "Effect": "Allow", "Principal": "*", "Action": READ, "Resource": "*" }));
    let (world, address) = with_endpoint(&policy).await;
    let answer = through(address, &world, "ListSecrets", json!({})).await;
    let silent = "because no VPC endpoint policy allows the secretsmanager:ListSecrets action";
    assert_eq!(reason(&answer), silent);
}

#[tokio::test]
async fn another_organization_stops_the_start() {
    let company = Company::found().await;
    let (id, account) = (company.id, company.world.admin.account.clone());
    let (store, folder) = company.world.stop().await;
    let text = format!("[organization]\nmanagement_account = \"{account}\"\n");
    let mut config = Config::dev(folder.path().join("data"), SocketAddr::from(([127, 0, 0, 1], 0)));
    config.organization = parsed(&text).organization;
    let mut server = Server::new(config);
    server.backend = Some(store);
    let text = server.start().await.err().expect("refused").to_string();
    assert!(text.contains(&format!("hint: write `id = \"{id}\"` there")), "{text}");
}
