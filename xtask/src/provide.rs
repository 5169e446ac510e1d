//! What the tests need besides Rust: Debian packages, a Python environment, npm packages.
//!
//! Everything lands in `target/` or in an ignored `node_modules`, and is made again only when its
//! list of versions changes.

use crate::run::{output, program, root, run, say, works};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;

/// A program the tests call, how to see that it is there, and the Debian packages that bring it.
struct Needed {
    probe: &'static [&'static str],
    packages: &'static [&'static str],
}

const NEEDED: &[Needed] = &[
    Needed { probe: &["cc", "--version"], packages: &["gcc", "libc6-dev"] },
    Needed { probe: &["c++", "--version"], packages: &["g++"] },
    Needed { probe: &["git", "--version"], packages: &["git"] },
    Needed {
        probe: &["python3", "-c", "import venv, ensurepip"],
        packages: &["python3", "python3-venv"],
    },
    Needed {
        probe: &["node", "-e", "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)"],
        packages: &["nodejs"],
    },
    Needed { probe: &["softhsm2-util", "--version"], packages: &["softhsm2"] },
    Needed {
        probe: &["sh", "-c", "ls /usr/lib/postgresql/*/bin/initdb"],
        packages: &["postgresql"],
    },
    Needed { probe: &["openssl", "version"], packages: &["openssl"] },
    Needed { probe: &["npm", "--version"], packages: &["npm"] },
];

/// Where cargo puts what it builds: two folders above this very program.
pub(crate) fn target() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    here.ancestors().nth(2).map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folder of the Python environment.
pub(crate) fn venv() -> PathBuf {
    target().join("venv")
}

/// Installs all of it.
pub(crate) fn all() -> Result<()> {
    debian()?;
    python()?;
    NPM.iter().try_for_each(|it| node(it))
}

/// What fuzzing needs: a nightly compiler, for its sanitizers, and the program that drives it.
pub(crate) fn fuzzing() -> Result<()> {
    debian()?;
    if !works(&mut program(&["cargo", "+nightly", "--version"])) {
        run(&mut program(&["rustup", "toolchain", "install", "nightly", "--profile", "minimal"]))?;
    }
    if !works(&mut program(&["cargo", "fuzz", "--version"])) {
        run(&mut program(&["cargo", "install", "--locked", "cargo-fuzz"]))?;
    }
    Ok(())
}

/// Debian packages for what is missing; nothing at all where nothing is.
fn debian() -> Result<()> {
    let missing: Vec<_> = NEEDED
        .iter()
        .filter(|it| !works(&mut program(it.probe)))
        .flat_map(|it| it.packages)
        .copied()
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !works(&mut program(&["apt-get", "--version"])) {
        bail!("missing here: {}\nhint: install them by hand", missing.join(", "));
    }
    say(&format!("missing, to be installed: {}", missing.join(", ")));
    let privileged = output(&mut program(&["id", "-u"]))?.trim() == "0";
    let apt = |arguments: &[&str]| {
        let prefix: &[&str] = if privileged { &["apt-get"] } else { &["sudo", "apt-get"] };
        run(program(&[prefix, arguments].concat()).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], &missing[..]].concat())?;
    match NEEDED.iter().find(|it| !works(&mut program(it.probe))) {
        None => Ok(()),
        Some(it) => bail!("`{}` still fails after installing", it.probe.join(" ")),
    }
}

/// The Python packages alone.
pub(crate) fn python_packages() -> Result<()> {
    debian()?;
    python()
}

/// `target/venv` with exactly the packages of `requirements.txt`.
fn python() -> Result<()> {
    let list = root().join("tests/conformance/requirements.txt");
    let wanted = fs::read_to_string(&list).context("can't read the list of Python packages")?;
    let stamp = venv().join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let venv = venv();
    let (folder, list) = (venv.to_string_lossy(), list.to_string_lossy());
    run(&mut program(&["python3", "-m", "venv", "--clear", &folder]))?;
    let pip = venv.join("bin/pip");
    run(&mut program(&[&pip.to_string_lossy(), "install", "--quiet", "--requirement", &list]))?;
    fs::write(stamp, wanted).context("can't note what was installed")
}

/// The npm packages of `folder` alone.
pub(crate) fn npm_packages(folder: &str) -> Result<()> {
    debian()?;
    node(folder)
}

/// Folders of tests with npm packages. Those of `tests/oracle` are under the AGPL-3.0: a tool that
/// the tests run in a process of its own, never imported, copied or shipped.
const NPM: &[&str] = &["tests/conformance/js", "tests/oracle"];

/// `node_modules` in `folder`, with exactly the packages of `package-lock.json`.
fn node(folder: &str) -> Result<()> {
    let folder = root().join(folder);
    let lock = fs::read_to_string(folder.join("package-lock.json"))
        .context("can't read the list of npm packages")?;
    let stamp = folder.join("node_modules/installed.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let line = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error"];
    run(program(&line).current_dir(&folder))?;
    fs::write(stamp, lock).context("can't note what was installed")
}
