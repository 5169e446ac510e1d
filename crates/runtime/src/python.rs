//! Finds Python, and installs what functions import.
//!
//! Modules are installed into folders, not into a virtual environment: a folder can be shown to a function
//! anywhere, and pip is not in it.

use crate::layout::{Interpreter, open_to_readers};
use crate::node::{ask, folders};
use crate::program::Runtime;
use crate::settings::Settings;
use crate::{Error, digits};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A Python and what it has.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    pub(crate) interpreter: Interpreter,
    /// `3.11`, with the implementation: modules are installed for it.
    tag: String,
    has_boto3: bool,
}

/// A CPython of the path, if there is one the minor version that is asked for. Another one is taken,
/// and told.
pub(crate) async fn find(
    settings: &Settings,
    minor: u8,
    usable: impl Fn(&Path) -> bool,
) -> Result<Python, Error> {
    let runtime = Runtime::Python(minor);
    let exact = format!("python3.{minor}");
    let others = (OLDEST..=NEWEST).rev().map(|it| format!("python3.{it}"));
    let names = std::iter::once(exact).chain(["python3".to_owned()]).chain(others);
    let mut reason = format!("no `python3.{minor}` or another CPython from 3.{OLDEST} on the path");
    for name in names {
        for candidate in settings.path.iter().map(|it| it.join(&name)).filter(|it| it.is_file()) {
            let Some(said) = ask(settings, &candidate, &["-I", "-c", PROBE]).await else {
                reason = format!("`{}` doesn't run", candidate.display());
                continue;
            };
            let Some((program, prefix, found, has_boto3)) = told(&said) else { continue };
            let Some(mut shown) = folders(&program).filter(|_| usable(&program)) else {
                reason = format!("functions can't reach `{}`", program.display());
                continue;
            };
            if found != minor {
                tracing::warn!(%runtime, found = format!("3.{found}"), "another Python than asked for runs the function");
            }
            shown.extend((!prefix.starts_with("/usr")).then_some(prefix));
            shown.dedup();
            let command = vec![program.display().to_string(), "-u".to_owned()];
            let interpreter = Interpreter { command, folders: shown };
            return Ok(Python { interpreter, tag: format!("3.{found}"), has_boto3 });
        }
    }
    Err(Error::Interpreter { runtime, reason })
}

fn told(said: &str) -> Option<(PathBuf, PathBuf, u8, bool)> {
    let mut lines = said.lines();
    let (program, prefix) = (lines.next()?.into(), lines.next()?.into());
    let minor = lines.next()?.parse().ok().filter(|it| *it >= OLDEST)?;
    Some((program, prefix, minor, lines.next()? == "True"))
}

/// A set of modules that a function needs.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// What people call it.
    pub(crate) what: String,
    /// pip's arguments.
    pub(crate) arguments: Vec<String>,
    /// Where it is, or will be.
    pub(crate) folder: PathBuf,
}

impl Python {
    /// What the function in `code` wants besides what this Python has, the nearer first.
    pub(crate) fn wanted(
        &self,
        settings: &Settings,
        code: &Path,
        task: &Path,
    ) -> io::Result<Vec<Wanted>> {
        let mut wanted = Vec::new();
        let file = code.join("requirements.txt");
        if file.is_file() {
            let text = fs::read(&file)?;
            let shown = task.join("requirements.txt").display().to_string();
            wanted.push(Wanted {
                what: "the function's requirements.txt".to_owned(),
                arguments: vec!["--requirement".to_owned(), shown],
                folder: self.folder(settings, &text),
            });
        }
        let mut common = settings.python_modules.clone();
        common.retain(|it| !(self.has_boto3 && it.starts_with("boto3")));
        if !common.is_empty() {
            let what = common.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
            let folder = self.folder(settings, common.join("\n").as_bytes());
            wanted.push(Wanted { what, arguments: common, folder });
        }
        Ok(wanted)
    }

    /// The command that installs `wanted` into `target`.
    pub(crate) fn install(&self, wanted: &Wanted, target: &Path) -> Vec<String> {
        let program = self.interpreter.command.first().cloned().unwrap_or_default();
        let fixed = ["-m", "pip", "install", "--no-input", "--no-cache-dir", "--no-compile"];
        let fixed = fixed.map(str::to_owned).into_iter();
        let target = ["--target".to_owned(), target.display().to_string()];
        [program].into_iter().chain(fixed).chain(target).chain(wanted.arguments.clone()).collect()
    }

    /// Named by what is in it, so that one set is installed once.
    fn folder(&self, settings: &Settings, text: &[u8]) -> PathBuf {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text);
        let name = digits(digest.as_ref().get(..16).unwrap_or_default());
        settings.environments.join(format!("python{}-{name}", self.tag))
    }
}

/// Puts what was installed in `fresh` to where it is looked for, at once and whole.
pub(crate) fn keep(fresh: &Path, wanted: &Wanted) -> io::Result<()> {
    open_to_readers(fresh)?;
    fs::rename(fresh, &wanted.folder)
}

/// Why pip failed, in a line or two.
pub(crate) fn complaint(wanted: &Wanted, said: &[u8]) -> Error {
    let said = String::from_utf8_lossy(said);
    let errors: Vec<_> = said.lines().filter(|it| it.starts_with("ERROR")).collect();
    let last = said.lines().rfind(|it| !it.trim().is_empty()).unwrap_or("pip ended without a word");
    let reason = if errors.is_empty() { last.to_owned() } else { errors.join("; ") };
    let hint =
        "\nhint: put the modules into the function's zip, or install them for the host's Python";
    Error::Modules { what: wanted.what.clone(), reason: format!("{reason}{hint}") }
}

const PROBE: &str = "import sys, importlib.util as u
assert sys.implementation.name == 'cpython' and sys.version_info[0] == 3
print(sys.executable); print(sys.base_prefix); print(sys.version_info[1]); print(u.find_spec('boto3') is not None)";
/// The oldest that our client is written for.
const OLDEST: u8 = 9;
const NEWEST: u8 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pythons_that_are_new_enough_are_believed() {
        let said = |minor: &str| format!("/usr/bin/python3\n/usr\n{minor}\nTrue\n");
        let found = told(&said("11")).map(|it| (it.2, it.3));
        assert_eq!(found, Some((11, true)));
        for minor in ["8", "", "x"] {
            assert!(told(&said(minor)).is_none(), "{minor}");
        }
    }

    #[test]
    fn pip_is_quoted_with_its_errors_only() {
        let wanted = Wanted { what: "x".into(), arguments: Vec::new(), folder: PathBuf::new() };
        let said = b"Collecting x\nERROR: no network\nERROR: no x\n";
        let told = complaint(&wanted, said).to_string();
        assert!(
            told.starts_with("can't install x: ERROR: no network; ERROR: no x\nhint: "),
            "{told}"
        );
    }
}
