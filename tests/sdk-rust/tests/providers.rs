//! Credentials found by the unmodified AWS SDK for Rust's own providers, each in a process of its own that
//! knows nothing but the SDK's standard variables.

use sdk_rust::{Agent, Door, Issuer, Server};
use serde_json::{Value, json};
use std::process::Command;

const REGION: &str = "us-test-3";

#[tokio::test]
async fn a_profile_names_a_role_and_whose_key_assumes_it() {
    let site = Site::start().await;
    let role = site.role("app", &site.own_account()).await;
    let (id, secret) = site.server.key();
    let config = format!(
        "[profile base]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n\
         [profile app]\nrole_arn = {role}\nsource_profile = base\nrole_session_name = profile\n"
    );
    let file = site.server.file("config", &config);
    let read = site.read(&[("AWS_CONFIG_FILE", &file), ("AWS_PROFILE", "app")]);
    assert_eq!(read, site.expected("app/profile"));
}

#[tokio::test]
async fn a_file_holds_the_token_of_an_issuer() {
    let site = Site::start().await;
    let issuer = Issuer::new();
    let made = site.server.iam(Door::Plain, REGION).create_open_id_connect_provider();
    let made = made.url(format!("https://{}", Issuer::NAME)).client_id_list("sts.amazonaws.com");
    let provider = made.send().await.unwrap().open_id_connect_provider_arn().unwrap().to_owned();
    let keys = site.server.file("keys.json", &issuer.keys().to_string());
    site.server.run(&["oidc-provider", "set-keys", &provider, &keys]);
    let subject = format!("{}:sub", Issuer::NAME);
    let trust = json!({
        "Effect": "Allow",
        "Principal": { "Federated": provider },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": { subject: "build-7" } },
    });
    let role = site.role("ci", &trust).await;
    let token = site.server.file("token", &issuer.token("build-7"));
    let read = site.read(&[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
        ("AWS_ROLE_ARN", &role),
        ("AWS_ROLE_SESSION_NAME", "token"),
    ]);
    assert_eq!(read, site.expected("ci/token"));
}

#[tokio::test]
async fn a_host_offers_the_container_endpoint_and_the_metadata_service() {
    const CONTAINER: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    const METADATA: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    let site = Site::start().await;
    let role = site.role("app", &site.own_account()).await;
    let token = "token-of-the-container";
    let agent = Agent::start(&site.server, REGION, &role, token);
    let container = (CONTAINER, agent.exported(CONTAINER));
    let read = site.read(&[container, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", token)]);
    assert_eq!(read, site.expected("app/container"));
    let read = site.read(&[(METADATA, agent.exported(METADATA))]);
    assert_eq!(read, site.expected("app/host"));
}

/// A server with a secret.
struct Site {
    server: Server,
    account: String,
}

impl Site {
    async fn start() -> Self {
        let server = Server::start();
        let caller = server.sts(Door::Plain, REGION).get_caller_identity().send().await.unwrap();
        let account = caller.account().unwrap().to_owned();
        let secret = server.secrets(Door::Plain, REGION).create_secret().name("app/db");
        secret.secret_string("one").send().await.unwrap();
        Self { server, account }
    }

    /// The statement by which a role trusts everybody here who may assume roles.
    fn own_account(&self) -> Value {
        let principal = json!({ "AWS": self.account });
        json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" })
    }

    /// The ARN of a new role that may read secrets.
    async fn role(&self, name: &str, trust: &Value) -> String {
        let iam = self.server.iam(Door::Plain, REGION);
        let role = iam.create_role().role_name(name).assume_role_policy_document(document(trust));
        let role = role.send().await.unwrap().role().unwrap().arn().to_owned();
        let action = "secretsmanager:GetSecretValue";
        let read = document(&json!({ "Effect": "Allow", "Action": action, "Resource": "*" }));
        let put = iam.put_role_policy().role_name(name).policy_name("read").policy_document(read);
        put.send().await.unwrap();
        role
    }

    /// What a workload of these variables reads, and who it is.
    fn read(&self, variables: &[(&str, &str)]) -> String {
        let done = Command::new(env!("CARGO_BIN_EXE_workload"))
            .arg("app/db")
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("AWS_REGION", REGION)
            .env("AWS_ENDPOINT_URL", self.server.endpoint(Door::Plain))
            .envs(variables.iter().copied())
            .output()
            .expect("the workload starts");
        let text = |it: Vec<u8>| String::from_utf8(it).expect("text");
        assert!(done.status.success(), "{variables:?}: {}", text(done.stderr));
        text(done.stdout)
    }

    fn expected(&self, session: &str) -> String {
        format!("one arn:aws:sts::{}:assumed-role/{session}", self.account)
    }
}

fn document(statement: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}
