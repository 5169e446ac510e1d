//! A running `strongroom credentials serve`.

use crate::{Door, Server, binary};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

/// The agent of a host; it ends with this value.
pub struct Agent {
    process: Child,
    exports: BTreeMap<String, String>,
}

impl Agent {
    /// Gives `role` to who shows `token`, at the container endpoint, and to who runs this, at both.
    pub fn start(server: &Server, region: &str, role: &str, token: &str) -> Self {
        let (id, secret) = server.key();
        let key = serde_json::json!({ "AccessKeyId": id, "SecretAccessKey": secret });
        let key = server.file("host.json", &key.to_string());
        let token = server.file("container-token", token);
        let uid = std::fs::metadata(&key).expect("it was just made").uid();
        let endpoint = server.endpoint(Door::Plain);
        let text = format!(
            "[server]\nendpoint = {endpoint:?}\nregion = {region:?}\n\
             [identity]\nkind = \"access-key\"\nfile = {key:?}\n\
             [[listen]]\nat = \"127.0.0.1:0\"\noffers = [\"container\", \"imds\"]\n\
             [[workload]]\nrole_arn = {role:?}\nsession_name = \"container\"\ntoken_file = {token:?}\n\
             [[workload]]\nrole_arn = {role:?}\nsession_name = \"host\"\nuid = {uid}\n",
        );
        let config = server.file("agent.toml", &text);
        let mut process = Command::new(binary())
            .args(["credentials", "serve", "--config", &config])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the agent starts");
        let output = process.stdout.take().expect("it is piped");
        let mut agent = Self { process, exports: BTreeMap::new() };
        for line in BufReader::new(output).lines().take(2) {
            let line = line.expect("text");
            let pair = line.strip_prefix("export ").and_then(|it| it.split_once('='));
            agent.exports.extend(pair.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        agent
    }

    /// The value of a variable that leads SDKs here.
    pub fn exported(&self, name: &str) -> &str {
        self.exports.get(name).expect("the agent offers it")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself; then a test has failed already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
