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
    // Servers' programs without their services: nothing is started by installing them.
    Needed { probe: &["/usr/sbin/mariadbd", "--version"], packages: &["mariadb-server-core"] },
    Needed { probe: &["mariadb", "--version"], packages: &["mariadb-client-core"] },
    Needed { probe: &["redis-cli", "--version"], packages: &["redis-tools"] },
    Needed { probe: &["javac", "-version"], packages: &["default-jdk-headless"] },
    Needed {
        probe: &["ls", "/usr/share/java/derbynet.jar", "/usr/share/java/derbyclient.jar"],
        packages: &["libderby-java", "libderbyclient-java"],
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

/// What tells apt-get to look at nothing of this system: it takes everything a package needs, and installs nothing.
const ELSEWHERE: &str = r#"Dir::Etc::sourcelist "FOLDER/unstable.list";
Dir::Etc::sourceparts "/nonexistent";
Dir::State "FOLDER/state";
Dir::State::status "FOLDER/status";
Dir::Cache "FOLDER/cache";
APT::Sandbox::User "";
Acquire::Languages "none";
"#;

/// A MySQL server in `target/peers/mysql/root`, with its own libraries: Debian has it in its unstable suite only.
/// `false` if it can't be had; then it isn't tested here.
pub(crate) fn mysql() -> bool {
    let folder = target().join("peers/mysql");
    if folder.join("root/usr/sbin/mysqld").is_file() {
        return true;
    }
    cfg!(all(target_os = "linux", target_arch = "x86_64")) && unpack_mysql(&folder).is_ok()
}

fn unpack_mysql(folder: &std::path::Path) -> Result<()> {
    let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let source = format!("deb [signed-by={keys}] http://deb.debian.org/debian unstable main\n");
    for it in ["state/lists/partial", "cache/archives/partial", "new"] {
        fs::create_dir_all(folder.join(it))?;
    }
    let text = ELSEWHERE.replace("FOLDER", &folder.to_string_lossy());
    for (name, text) in [("apt.conf", text.as_str()), ("unstable.list", &source), ("status", "")] {
        fs::write(folder.join(name), text)?;
    }
    let apt = |arguments: &[&str]| {
        let line = [&["apt-get", "--quiet", "--yes"], arguments].concat();
        run(program(&line).env("APT_CONFIG", folder.join("apt.conf")))
    };
    apt(&["update"])?;
    apt(&["install", "--no-install-recommends", "--download-only", "mysql-server-core"])?;
    for package in fs::read_dir(folder.join("cache/archives"))?.flatten() {
        if package.path().extension().is_some_and(|it| it == "deb") {
            let mut unpack = program(&["dpkg-deb", "--extract"]);
            run(unpack.arg(package.path()).arg(folder.join("new")))?;
        }
    }
    fs::rename(folder.join("new"), folder.join("root")).context("can't keep the server")
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
