//! Functions start by the binary that is shipped, which has an allocator of its own.

#![expect(clippy::expect_used, reason = "test helpers")]

use async_trait::async_trait;
use base::{Clock as _, Sensitive, SystemClock, SystemEntropy};
use bytes::Bytes;
use runtime::{
    CredentialSource, Credentials, Demand, Ground, Host, Level, LogSink, Program, Runtime,
    Settings, World,
};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Nobody's role, and nobody's log.
struct Nobody;

#[async_trait]
impl CredentialSource for Nobody {
    async fn credentials(&self, _: &Program) -> Result<Credentials, String> {
        let secret = || Sensitive::from("none".to_owned());
        Ok(Credentials {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: secret(),
            session_token: secret(),
            expires: SystemClock.now().plus(Duration::from_hours(1)),
        })
    }
}

impl LogSink for Nobody {
    fn line(&self, _: &str, _: &str) {}
}

/// Where only Landlock can be had.
struct OnlyFences;

#[async_trait]
impl Ground for OnlyFences {
    async fn bears(&self, level: Level) -> Result<(), String> {
        (level == Level::Fenced).then_some(()).ok_or_else(|| "no namespaces".to_owned())
    }
}

#[tokio::test]
async fn functions_start_behind_every_kind_of_walls() {
    let folder = tempfile::tempdir().expect("a folder");
    let passable = fs::Permissions::from_mode(0o711);
    fs::set_permissions(folder.path(), passable).expect("an open folder");
    let program = program(folder.path());
    let mut settings =
        Settings::new("http://127.0.0.1:1", "eu-central-1", &folder.path().join("runtime"));
    settings.init = vec![env!("CARGO_BIN_EXE_strongroom").into(), "__function-init".into()];
    settings.python_modules = Vec::new();
    let world = World {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        credentials: Arc::new(Nobody),
        logs: Arc::new(Nobody),
    };
    let ask = async |host: Host, expected: Level| {
        assert_eq!(host.walls().await.expect("walls"), expected);
        let outcome = host.invoke(&program, Bytes::from_static(b"[7]"), &[]).await.expect("run");
        assert_eq!((outcome.payload.as_ref(), outcome.function_error), (&b"[7]"[..], None));
        host.drain().await;
    };
    let fenced = Host::on(Arc::new(OnlyFences), settings.clone(), world.clone());
    ask(fenced, Level::Fenced).await;
    settings.sandbox = Demand::None;
    ask(Host::new(settings.clone(), world.clone()), Level::Open).await;
    settings.sandbox = Demand::Require;
    ask(Host::new(settings, world), Level::Full).await;
}

fn program(folder: &Path) -> Program {
    let code = folder.join("code");
    fs::create_dir(&code).expect("a folder");
    let text = "def handler(event, context): return event";
    fs::write(code.join("main.py"), text).expect("a file");
    Program {
        arn: "arn:aws:lambda:eu-central-1:111122223333:function:f".to_owned(),
        name: "f".to_owned(),
        runtime: Runtime::Python(11),
        handler: "main.handler".to_owned(),
        code,
        environment: BTreeMap::new(),
        memory_mb: 128,
        timeout: Duration::from_mins(1),
        ephemeral_mb: 64,
        revision: "1".to_owned(),
    }
}
