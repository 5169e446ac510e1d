//! Functions of a few lines, and a host that runs them.

use async_trait::async_trait;
use base::{Clock as _, Sensitive, SystemClock, SystemEntropy};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strongroom_runtime::{
    CredentialSource, Credentials, Demand, Error, Ground, Host, Level, LogSink, Outcome, Program,
    Runtime, Settings, World,
};
use tempfile::TempDir;

pub(crate) const ARN: &str = "arn:aws:lambda:eu-central-1:111122223333:function:f";
const NAME: &str = ":function:f";
pub(crate) const SECRET_KEY: &str = "role-secret-access-key";
pub(crate) const PYTHON: Runtime = Runtime::Python(11);
pub(crate) const NODE: Runtime = Runtime::Node(20);

/// A host with a function.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) program: Program,
    pub(crate) settings: Settings,
    pub(crate) ground: Option<Arc<dyn Ground>>,
    pub(crate) lines: Arc<Lines>,
    pub(crate) roles: Arc<Roles>,
}

/// What was printed.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl LogSink for Lines {
    fn line(&self, arn: &str, line: &str) {
        assert!(arn.contains(NAME));
        self.0.lock().unwrap().push(line.to_owned());
    }
}

impl Lines {
    pub(crate) fn all(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

/// Counts how often it was asked: once for each process.
pub(crate) struct Roles {
    pub(crate) asked: AtomicUsize,
    pub(crate) lifetime: Duration,
}

#[async_trait]
impl CredentialSource for Roles {
    async fn credentials(&self, program: &Program) -> Result<Credentials, String> {
        self.asked.fetch_add(1, SeqCst);
        assert!(program.arn.contains(NAME));
        Ok(Credentials {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: Sensitive::from(SECRET_KEY.to_owned()),
            session_token: Sensitive::from("role-session-token".to_owned()),
            expires: SystemClock.now().plus(self.lifetime),
        })
    }
}

/// Ground on which only some walls stand.
pub(crate) struct Bears(pub(crate) &'static [Level]);

#[async_trait]
impl Ground for Bears {
    async fn bears(&self, level: Level) -> Result<(), String> {
        let lacking = || format!("nothing here for {level:?}");
        self.0.contains(&level).then_some(()).ok_or_else(lacking)
    }
}

/// A function in `file`, with a limit that no test reaches unless it means to.
pub(crate) fn stage(runtime: Runtime, file: &str, text: &str) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("runtime");
    fs::create_dir(&own).unwrap();
    // Below the strongest walls functions are another user, who must pass, whatever the umask.
    for path in [folder.path(), &own] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o711)).unwrap();
    }
    let code = folder.path().join("code");
    fs::create_dir_all(&code).unwrap();
    let path = code.join(file);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let init = env!("CARGO_BIN_EXE_strongroom-function-init");
    let mut settings = Settings::new("http://127.0.0.1:4747", "eu-central-1", &own);
    settings.init = vec![init.into()];
    settings.python_modules = Vec::new();
    let program = Program {
        arn: ARN.to_owned(),
        name: "f".to_owned(),
        runtime,
        handler: "main.handler".to_owned(),
        code,
        environment: BTreeMap::new(),
        memory_mb: 128,
        timeout: Duration::from_mins(1),
        ephemeral_mb: 64,
        revision: "1".to_owned(),
    };
    let roles = Roles { asked: AtomicUsize::new(0), lifetime: Duration::from_hours(1) };
    let (lines, roles) = (Arc::default(), Arc::new(roles));
    Stage { folder, program, settings, ground: None, lines, roles }
}

/// A Python function called `handler`.
pub(crate) fn python(text: &str) -> Stage {
    stage(PYTHON, "main.py", text)
}

/// A shell script that asks the Runtime API by curl, as `$API`.
pub(crate) fn bootstrap(text: &str) -> Stage {
    let head = "#!/bin/sh\nset -e\nAPI=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime\n";
    stage(Runtime::Provided, "bootstrap", &format!("{head}{text}\n"))
}

impl Stage {
    /// Behind Landlock only.
    pub(crate) fn fenced(mut self) -> Self {
        self.ground = Some(Arc::new(Bears(&[Level::Fenced])));
        self
    }

    pub(crate) fn open(mut self) -> Self {
        self.settings.sandbox = Demand::None;
        self
    }

    pub(crate) fn timeout(mut self, millis: u64) -> Self {
        self.program.timeout = Duration::from_millis(millis);
        self
    }

    pub(crate) fn host(&self) -> Host {
        let world = World {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            credentials: Arc::clone(&self.roles) as Arc<dyn CredentialSource>,
            logs: Arc::clone(&self.lines) as Arc<dyn LogSink>,
        };
        match &self.ground {
            Some(ground) => Host::on(Arc::clone(ground), self.settings.clone(), world),
            None => Host::new(self.settings.clone(), world),
        }
    }

    /// Runs the function once, in a process of its own.
    pub(crate) async fn run(&self, event: &str) -> Result<Outcome, Error> {
        let host = self.host();
        let outcome = self.ask(&host, event).await;
        host.drain().await;
        outcome
    }

    pub(crate) async fn ask(&self, host: &Host, event: &str) -> Result<Outcome, Error> {
        host.invoke(&self.program, Bytes::copy_from_slice(event.as_bytes()), &[]).await
    }
}

/// The answer as text, and whether it is a failure.
pub(crate) fn told(outcome: &Outcome) -> (&str, bool) {
    (str::from_utf8(&outcome.payload).unwrap(), outcome.function_error.is_some())
}

/// The failure's type and message.
pub(crate) fn failure(outcome: &Outcome) -> (String, String) {
    assert_eq!(outcome.function_error, Some("Unhandled"), "{:?}", outcome.payload);
    let value: serde_json::Value = serde_json::from_slice(&outcome.payload).unwrap();
    let text = |name: &str| {
        value.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    (text("errorType"), text("errorMessage"))
}
