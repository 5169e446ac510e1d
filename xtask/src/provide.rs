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

/// Packages of Ubuntu 20.04, the last system with a free MongoDB: where each is, and the SHA-256 of what is there.
const MONGO: &[(&str, &str)] = &[
    (
        "main/b/boost1.71/libboost-filesystem1.71.0_1.71.0-6ubuntu6_amd64.deb",
        "6793184cc2b8df0da401fdbe78fbf57ac598438177a6af163f99f9f1c14f9eb8",
    ),
    (
        "main/b/boost1.71/libboost-iostreams1.71.0_1.71.0-6ubuntu6_amd64.deb",
        "1c115d0cc2b03f8e95a366e22e784f7fddf19ea20192aad6d11d863dbbb6c40a",
    ),
    (
        "main/b/boost1.71/libboost-program-options1.71.0_1.71.0-6ubuntu6_amd64.deb",
        "389095c7167251ee73667031a4c0f45083a31347cc95faddbdf5b7d22ac4c774",
    ),
    (
        "main/b/bzip2/libbz2-1.0_1.0.8-2_amd64.deb",
        "f3632ec38402ca0f9c61a6854469f1a0eba9389d3f73827b466033c3d5bbec69",
    ),
    (
        "main/g/gcc-10/libgcc-s1_10-20200411-0ubuntu1_amd64.deb",
        "fb69f47490d22988ad8a1b3c19d5292e1ccdbd30661eedcd680f9a78b9b55d60",
    ),
    (
        "main/g/gcc-10/libstdc%2b%2b6_10-20200411-0ubuntu1_amd64.deb",
        "c27cf8a12f15308b1ae533f1313ccd6800341f77cc6d3fca34061a5e507946aa",
    ),
    (
        "main/g/glibc/libc6_2.31-0ubuntu9_amd64.deb",
        "847a68e5f1ec2cd4e6fc191c5eaf0547445dd5c473c7617c068ba4441f63b292",
    ),
    (
        "main/g/google-perftools/libgoogle-perftools4_2.7-1ubuntu2_amd64.deb",
        "be06998b03fac2ed2e5a74911ff9ea41b63630a94bfddac496f5422b3d51c12a",
    ),
    (
        "main/g/google-perftools/libtcmalloc-minimal4_2.7-1ubuntu2_amd64.deb",
        "fbb0cd8d46d794445d1c7aac9fe151ef814dc4f6e28f26157793999457425304",
    ),
    (
        "main/libu/libunwind/libunwind8_1.2.1-9build1_amd64.deb",
        "9ff8e9c464792f5da9ad6a7b9b51e2eab4c10a31efb93462d8752095db45ca93",
    ),
    (
        "main/libx/libxcrypt/libcrypt1_4.4.10-10ubuntu4_amd64.deb",
        "231b4dbbe5865775f118cfa61394f1e16fa7102b6953a327e672499a20876d73",
    ),
    (
        "main/libz/libzstd/libzstd1_1.4.4%2bdfsg-3_amd64.deb",
        "431fbd5fbefc800840f4635493f2ee7b480b982727d8c16fb875fa4b82a2b0ef",
    ),
    (
        "main/o/openssl/libssl1.1_1.1.1f-1ubuntu2_amd64.deb",
        "09ee28588a1fb5613ddc6c26a992d5a76931b3cf22c022930da413a5e580599e",
    ),
    (
        "main/p/pcre3/libpcre3_8.39-12build1_amd64.deb",
        "2e94c88431a1cfdc9f5be37a9063c617c2e85be4eeee194b3956b7a1d35040cd",
    ),
    (
        "main/p/pcre3/libpcrecpp0v5_8.39-12build1_amd64.deb",
        "6245a4417a5de8e7c7ba2befa675bf1747c51cdd500803fd117e973c13b3a88f",
    ),
    (
        "main/s/snappy/libsnappy1v5_1.1.8-1build1_amd64.deb",
        "45656990b8613e70263cd4bacc8dd2c081ca1913d86952e95c11ba70db36d0b2",
    ),
    (
        "main/s/snowball/libstemmer0d_0%2bsvn585-2_amd64.deb",
        "ca98a75e3eb1d446215bfa194148a7005453b9204dfb1ad625130ee4aecd5235",
    ),
    (
        "main/x/xz-utils/liblzma5_5.2.4-1_amd64.deb",
        "01020b5a0515dbc9a7c00b464a65450f788b0258c3fbb733ecad0438f5124800",
    ),
    (
        "main/y/yaml-cpp/libyaml-cpp0.6_0.6.2-4ubuntu1_amd64.deb",
        "fa32c293c9935750089d496d20da5edfa870fad741ab5822e43900ccb61483bb",
    ),
    (
        "main/z/zlib/zlib1g_1.2.11.dfsg-2ubuntu1_amd64.deb",
        "dbfea100d99ffe17fcb94f62b396c0b27c15aa46e875556126c4f769dc77f1f1",
    ),
    (
        "universe/m/mongodb/mongodb-clients_3.6.9%2breally3.6.8%2b90%7eg8e540c0b6d-0ubuntu5_amd64.deb",
        "5d2d75531181e503edd85489da26db67c80ddcecfc51f214ab6783435118885e",
    ),
    (
        "universe/m/mongodb/mongodb-server-core_3.6.9%2breally3.6.8%2b90%7eg8e540c0b6d-0ubuntu5_amd64.deb",
        "d8e296fe30ba1a7466333bc11f7f7b69643195e0fffaad69d4dc0a7f84c9a512",
    ),
];

/// A MongoDB server in `target/peers/mongo/root`, with its own libraries. `false` if it can't be had; then it isn't
/// tested here.
pub(crate) fn mongo() -> bool {
    let folder = target().join("peers/mongo");
    if folder.join("root/usr/bin/mongod").is_file() {
        return true;
    }
    cfg!(all(target_os = "linux", target_arch = "x86_64")) && unpack_mongo(&folder).is_ok()
}

fn unpack_mongo(folder: &std::path::Path) -> Result<()> {
    let new = folder.join("new");
    fs::create_dir_all(&new)?;
    for (path, sha256) in MONGO {
        let (url, to) = (format!("http://archive.ubuntu.com/ubuntu/pool/{path}"), new.join("deb"));
        // It keeps nothing that has another hash.
        let mut fetch = program(&["/usr/lib/apt/apt-helper", "download-file", &url]);
        run(fetch.arg(&to).arg(format!("SHA256:{sha256}")))?;
        run(program(&["dpkg-deb", "--extract"]).arg(&to).arg(new.join("root")))?;
        fs::remove_file(&to)?;
    }
    fs::rename(new.join("root"), folder.join("root")).context("can't keep the server")
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
