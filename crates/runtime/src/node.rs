//! Finds Node.js.

use crate::Error;
use crate::layout::Interpreter;
use crate::program::Runtime;
use crate::settings::Settings;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// The first Node.js of the path that is new enough. Another major version than asked for is taken,
/// and told: hosts rarely have several.
pub(crate) async fn find(
    settings: &Settings,
    major: u8,
    usable: impl Fn(&Path) -> bool,
) -> Result<Interpreter, Error> {
    let runtime = Runtime::Node(major);
    let candidates = settings.path.iter().map(|it| it.join("node")).filter(|it| it.is_file());
    let mut reason = "no `node` on the path".to_owned();
    for candidate in candidates {
        let script = "console.log(process.versions.node + '\\n' + process.execPath)";
        let Some(said) = ask(settings, &candidate, &["-e", script]).await else {
            reason = format!("`{}` doesn't run", candidate.display());
            continue;
        };
        let mut lines = said.lines();
        let version = lines.next().unwrap_or_default();
        let found: u8 = version.split('.').next().and_then(|it| it.parse().ok()).unwrap_or(0);
        let program = PathBuf::from(lines.next().unwrap_or_default());
        if found < OLDEST {
            reason = format!("`{}` is version {version}", candidate.display());
            continue;
        }
        let Some(folders) = folders(&program).filter(|_| usable(&program)) else {
            reason = format!("functions can't reach `{}`", program.display());
            continue;
        };
        if found != major {
            tracing::warn!(%runtime, found, "another Node.js than asked for runs the function");
        }
        return Ok(Interpreter { command: vec![program.display().to_string()], folders });
    }
    Err(Error::Interpreter { runtime, reason })
}

/// What must be shown so that `program` can be run.
pub(crate) fn folders(program: &Path) -> Option<Vec<PathBuf>> {
    if ["/usr", "/bin"].iter().any(|it| program.starts_with(it)) {
        return Some(Vec::new());
    }
    // `prefix/bin/program`
    let prefix = program.parent()?.parent()?;
    (prefix != Path::new("/")).then(|| vec![prefix.to_owned()])
}

/// What an interpreter prints, if it runs at all.
pub(crate) async fn ask(settings: &Settings, program: &Path, arguments: &[&str]) -> Option<String> {
    let path = std::env::join_paths(&settings.path).ok()?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", path).current_dir("/").kill_on_drop(true);
    let output = tokio::time::timeout(ANSWER, command.output()).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The oldest that our client is written for.
const OLDEST: u8 = 18;
/// How long an interpreter may take to tell its version.
const ANSWER: Duration = Duration::from_secs(10);
