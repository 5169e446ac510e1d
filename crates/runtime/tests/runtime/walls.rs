//! What a function can't do.

use crate::common::{Bears, PYTHON, Stage, failure, python, stage, told};
use std::collections::BTreeSet;
use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Arc;
use std::time::Duration;
use strongroom_runtime::{Demand, Error, Level};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Both kinds of walls around the same function.
fn both(code: &str) -> [Stage; 2] {
    let mut full = python(code);
    full.settings.sandbox = Demand::Require;
    [full, python(code).fenced()]
}

#[tokio::test]
async fn the_servers_folders_are_out_of_reach() {
    let code = "def handler(event, context):
    found = []
    for path in event['paths']:
        try:
            open(path).read()
            found.append(path)
        except OSError:
            pass
    return found";
    for stage in both(code) {
        let data = stage.folder.path().join("root.key");
        fs::write(&data, "the root key").unwrap();
        let own = format!("/proc/{}/environ", std::process::id());
        let paths = ["/etc/shadow", "/proc/1/environ", "/var/log/syslog"];
        let paths: Vec<_> = paths.into_iter().map(str::to_owned).chain([own]).collect();
        let paths: Vec<_> = paths.into_iter().chain([data.display().to_string()]).collect();
        let event = serde_json::json!({ "paths": paths });
        let outcome = stage.run(&event.to_string()).await.unwrap();
        // In a namespace of its own process 1 is the function's.
        let found = told(&outcome).0.replace(r#""/proc/1/environ""#, "");
        assert_eq!(found, "[]", "{:?}", stage.ground.is_some());
    }
}

#[tokio::test]
async fn only_the_temporary_folder_can_be_written() {
    let code = "import os, tempfile
def handler(event, context):
    with tempfile.TemporaryFile() as file: file.write(b'x' * 1000)
    written = []
    for path in event['paths'] + [os.environ['LAMBDA_TASK_ROOT'], os.environ['LAMBDA_RUNTIME_DIR']]:
        try:
            open(path + '/written', 'w').close()
            written.append(path)
        except OSError:
            pass
    return written";
    for stage in both(code) {
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(&stage.program.code, open).unwrap();
        let folder = stage.folder.path().display().to_string();
        let paths = ["/", "/usr", "/usr/lib", "/etc", "/var", "/opt", "/home", "/dev", &folder];
        let event = serde_json::json!({ "paths": paths }).to_string();
        assert_eq!(told(&stage.run(&event).await.unwrap()), ("[]", false));
    }
}

#[tokio::test]
async fn a_file_is_no_larger_than_the_temporary_folder() {
    let code = "import tempfile
def handler(event, context):
    with tempfile.TemporaryFile() as file:
        for _ in range(65): file.write(b'x' * 2**20)";
    for stage in both(code) {
        let outcome = stage.run("{}").await.unwrap();
        assert_eq!(failure(&outcome).0, "OSError");
    }
}

#[tokio::test]
async fn the_environment_is_the_functions_own() {
    let mut stage = python("import os\ndef handler(event, context): return dict(os.environ)");
    stage.program.environment = [
        ("EXCLUDE_CHARACTERS", "/@"),
        ("AWS_REGION", "elsewhere"),
        ("AWS_ACCESS_KEY_ID", "elsewhere"),
        ("SECRETS_MANAGER_ENDPOINT", "https://elsewhere"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "https://elsewhere"),
        ("AWS_LAMBDA_MAX_CONCURRENCY", "4"),
        ("TZ", "Europe/Berlin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    stage.settings.region = "elsewhere".to_owned();
    let outcome = stage.run("{}").await.unwrap();
    let found: std::collections::BTreeMap<String, String> =
        serde_json::from_slice(&outcome.payload).unwrap();
    assert!(!told(&outcome).0.contains("elsewhere"), "{found:?}");
    let names: BTreeSet<_> = found.keys().map(String::as_str).collect();
    let expected = "AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_ENDPOINT_URL AWS_EXECUTION_ENV \
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION \
        AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME \
        AWS_LAMBDA_RUNTIME_API AWS_REGION AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN \
        EXCLUDE_CHARACTERS HOME LAMBDA_RUNTIME_DIR LAMBDA_TASK_ROOT LANG LC_CTYPE LD_LIBRARY_PATH \
        PATH PYTHONDONTWRITEBYTECODE PYTHONNOUSERSITE PYTHONPATH SECRETS_MANAGER_ENDPOINT TMPDIR TZ \
        _HANDLER _X_AMZN_TRACE_ID";
    // Python itself adds this one where the C library knows no English.
    let expected: BTreeSet<_> = expected.split_whitespace().collect();
    let surplus: Vec<_> = names.symmetric_difference(&expected).collect();
    assert!(surplus.is_empty() || surplus == [&"LC_CTYPE"], "{surplus:?}");
    for (name, value) in [
        ("SECRETS_MANAGER_ENDPOINT", "http://127.0.0.1:4747"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:4747"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.11"),
        ("AWS_REGION", "eu-central-1"),
        ("EXCLUDE_CHARACTERS", "/@"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("TZ", "Europe/Berlin"),
    ] {
        assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[tokio::test]
async fn privileged_calls_are_refused() {
    let code = "import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def refused(name, *arguments):
    ctypes.set_errno(0)
    return getattr(libc, name)(*arguments) == -1 and ctypes.get_errno()
def handler(event, context):
    try:
        os.kill(event['server'], 0)
        killed = True
    except OSError:
        killed = False
    return [killed, os.getuid() == 0, refused('unshare', 0x10000000), refused('ptrace', 0, 0, 0, 0),
            refused('mount', b'none', b'/tmp', b'tmpfs', 0, None), refused('setuid', 0) != 0]";
    for stage in both(code) {
        let event = serde_json::json!({ "server": std::process::id() }).to_string();
        let outcome = stage.run(&event).await.unwrap();
        assert_eq!(told(&outcome), ("[false, false, 1, 1, 1, true]", false));
    }
}

#[tokio::test]
async fn local_sockets_are_out_of_reach() {
    let code = "import socket
def handler(event, context):
    one, two = socket.socketpair()
    reached = []
    for family, address in [(socket.AF_UNIX, event['socket']), (socket.AF_UNIX, '\\0' + event['name']), (socket.AF_ALG, ('hash', 'sha256'))]:
        try:
            with socket.socket(family, socket.SOCK_SEQPACKET if family == socket.AF_ALG else socket.SOCK_STREAM) as it:
                it.bind(address) if family == socket.AF_ALG else it.connect(address)
            reached.append(address)
        except OSError:
            pass
    return reached";
    for stage in both(code) {
        // As open as a socket can be.
        let path = stage.folder.path().join("admin.sock");
        let _listening = UnixListener::bind(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        let name = format!("strongroom-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let _named = UnixListener::bind_addr(&address).unwrap();
        let event = serde_json::json!({ "socket": path, "name": name });
        let outcome = stage.run(&event.to_string()).await.unwrap();
        assert_eq!(told(&outcome), ("[]", false));
    }
}

#[tokio::test]
async fn memory_is_bounded() {
    let code = "def handler(event, context):\n    return len(bytearray(2**30))";
    for stage in both(code) {
        let outcome = stage.run("{}").await.unwrap();
        assert_eq!(failure(&outcome).0, "MemoryError");
    }
}

#[tokio::test]
async fn nobody_else_may_speak_to_its_runtime_api() {
    let code =
        "import os\ndef handler(event, context): return os.environ['AWS_LAMBDA_RUNTIME_API']";
    for stage in both(code) {
        let host = stage.host();
        let outcome = stage.ask(&host, "{}").await.unwrap();
        let address = told(&outcome).0.trim_matches('"').to_owned();
        let mut line = TcpStream::connect(address).await.unwrap();
        let request = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";
        let _ = line.write_all(request).await;
        let mut said = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), line.read_to_end(&mut said)).await;
        assert!(read.is_ok() && said.is_empty(), "{said:?}");
        // The process still waits for its work.
        assert!(!stage.ask(&host, "{}").await.unwrap().cold);
        host.drain().await;
    }
}

#[tokio::test]
async fn other_processes_are_not_seen() {
    let mut stage = python(
        "import os
def handler(event, context):
    return sorted(int(it) for it in os.listdir('/proc') if it.isdigit())",
    );
    stage.settings.sandbox = Demand::Require;
    let outcome = stage.run("{}").await.unwrap();
    assert_eq!(told(&outcome), ("[1, 2]", false));
}

#[tokio::test]
async fn a_demand_that_the_host_cannot_meet_is_refused_in_a_sentence() {
    #[rustfmt::skip]
    let cases = [
        // demand          what the host bears                  what is lacking
        (Demand::Require,  &[][..],                             Some("nothing here for Full")),
        (Demand::Require,  &[Level::Fenced],                    Some("nothing here for Full")),
        (Demand::Prefer,   &[],                                 Some("nothing here for Full; nothing here for Fenced")),
        (Demand::Prefer,   &[Level::Fenced],                    None),
        (Demand::None,     &[],                                 None),
    ];
    for (demand, bears, expected) in cases {
        let mut stage = python("def handler(event, context): return 1");
        stage.settings.sandbox = demand;
        stage.ground = Some(Arc::new(Bears(bears)));
        let told = match stage.run("{}").await {
            Ok(outcome) => {
                assert_eq!(outcome.payload, "1");
                None
            }
            Err(Error::NoSandbox { lacking }) => Some(lacking),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(told.as_deref(), expected, "{demand:?} {bears:?}");
    }
}

#[tokio::test]
async fn a_program_that_cannot_be_started_says_why() {
    let mut stage = stage(PYTHON, "main.py", "");
    stage.program.runtime = strongroom_runtime::Runtime::Provided;
    let Err(Error::Start { function, reason }) = stage.run("{}").await else { panic!() };
    assert_eq!((function.as_str(), reason.contains("start the program")), ("f", true), "{reason}");
}

#[tokio::test]
async fn code_that_functions_cannot_reach_is_told() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root's functions are another user.
    }
    let stage = python("").fenced();
    fs::set_permissions(stage.folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let Err(Error::Start { reason, .. }) = stage.run("{}").await else { panic!() };
    assert!(reason.contains("the user of functions can't reach"), "{reason}");
}
