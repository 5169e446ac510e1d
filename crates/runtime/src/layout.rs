//! What a function finds around it, and where.

use crate::program::Program;
use crate::sandbox::Level;
use crate::sandbox::plan::{Limits, Plan, Shown};
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// How a language's code is run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interpreter {
    /// The command, to which what it runs is added.
    pub(crate) command: Vec<String>,
    /// Its folders beside the system's.
    pub(crate) folders: Vec<PathBuf>,
}

/// Folders, as the function names them.
pub(crate) struct Layout {
    pub(crate) task: PathBuf,
    pub(crate) clients: PathBuf,
    pub(crate) modules: Vec<PathBuf>,
    pub(crate) temporary: PathBuf,
    /// Only where the operator gave one.
    pub(crate) ca_bundle: Option<PathBuf>,
    shown: Vec<Shown>,
    level: Level,
}

/// What a layout is made of.
pub(crate) struct Parts<'a> {
    pub(crate) level: Level,
    pub(crate) program: &'a Program,
    pub(crate) interpreter: &'a Interpreter,
    /// Folders of installed modules, the nearer first.
    pub(crate) modules: &'a [PathBuf],
    /// This process's own folder.
    pub(crate) folder: &'a Path,
    /// The folder of our clients.
    pub(crate) clients: &'a Path,
}

impl Layout {
    pub(crate) fn new(settings: &Settings, parts: &Parts<'_>) -> Self {
        let full = parts.level == Level::Full;
        let place = |from: &Path, to: PathBuf| {
            if full { Shown::at(from, to) } else { Shown::in_place(from) }
        };
        let task = place(&parts.program.code, PathBuf::from("/var/task"));
        let clients = place(parts.clients, PathBuf::from("/var/runtime"));
        let modules = parts.modules.iter().enumerate();
        let modules: Vec<_> =
            modules.map(|(at, it)| place(it, PathBuf::from(format!("/opt/python{at}")))).collect();
        let bundle = settings.ca_bundle.as_ref().map(|_| parts.clients.join(CA_BUNDLE));
        let ca = bundle.map(|it| place(&it, PathBuf::from(CA_FILE)));
        let mut temporary = Shown::in_place(parts.folder.join("tmp"));
        temporary.writable = true;

        let mut shown: Vec<_> = etc().into_iter().map(Shown::in_place).collect();
        shown.extend(parts.interpreter.folders.iter().map(Shown::in_place));
        shown.extend([task.clone(), clients.clone()]);
        shown.extend(modules.iter().cloned());
        if full {
            let trusted = ca.clone().or_else(|| host_ca().map(|it| Shown::at(it, CA_FILE)));
            shown.extend(trusted);
            temporary.to = PathBuf::from("/tmp");
        } else {
            shown.extend(SYSTEM.iter().map(Shown::in_place));
            shown.extend(ca.clone());
            shown.push(temporary.clone());
            let devices = ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];
            shown.extend(devices.map(|it| Shown { writable: true, ..Shown::in_place(it) }));
        }
        Self {
            task: task.to,
            clients: clients.to,
            modules: modules.into_iter().map(|it| it.to).collect(),
            temporary: temporary.to,
            ca_bundle: ca.map(|it| it.to),
            shown,
            level: parts.level,
        }
    }

    /// Shows also `folder` where it is, to be written to.
    pub(crate) fn with_writable(mut self, folder: &Path) -> Self {
        self.shown.push(Shown { writable: true, ..Shown::in_place(folder) });
        self
    }

    /// Shows also how the host's pip is set up.
    pub(crate) fn for_pip(mut self) -> Self {
        let pip = Path::new("/etc/pip.conf");
        self.shown.extend(pip.is_file().then(|| Shown::in_place(pip)));
        self
    }

    /// The environment of an installer: the operator's variables, and none of the function's.
    pub(crate) fn for_installer(&self, pip: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let temporary = self.temporary.display().to_string();
        let pairs = [
            ("HOME", temporary.clone()),
            ("LANG", "C.UTF-8".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("TMPDIR", temporary),
        ];
        let own = pairs.map(|(name, value)| (name.to_owned(), value));
        own.into_iter().chain(pip.clone()).collect()
    }

    /// The plan of a process that runs `command` for `uid` in a folder of its own.
    pub(crate) fn plan(
        self,
        uid: Option<u32>,
        command: Vec<String>,
        environment: BTreeMap<String, String>,
        (folder, limits): (&Path, Limits),
    ) -> Plan {
        let user = uid.unwrap_or_else(|| rustix::process::geteuid().as_raw());
        let group = uid.unwrap_or_else(|| rustix::process::getegid().as_raw());
        let passwd = format!(
            "root:x:0:0:root:/root:/usr/sbin/nologin\nfunction:x:{user}:{group}:function:/tmp:/usr/sbin/nologin\n"
        );
        let texts = [
            (PathBuf::from("/etc/passwd"), passwd),
            (PathBuf::from("/etc/group"), format!("root:x:0:\nfunction:x:{group}:\n")),
        ];
        Plan {
            level: self.level,
            uid,
            program: command,
            directory: self.task,
            environment,
            root: folder.join("root"),
            shown: self.shown,
            texts: texts.into(),
            limits,
        }
    }
}

/// Makes the folders of one process below `scratch`.
pub(crate) fn make_folder(folder: &Path, uid: Option<u32>) -> io::Result<()> {
    for name in ["root", "tmp"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let passable = fs::Permissions::from_mode(0o711);
    fs::set_permissions(folder, passable)?;
    fs::set_permissions(folder.join("tmp"), fs::Permissions::from_mode(0o700))?;
    uid.map_or(Ok(()), |it| chown(folder.join("tmp"), Some(it), Some(it)))
}

/// Lets everybody read what is in `folder`, and run what somebody may run. The folder above it says
/// who comes near.
pub(crate) fn open_to_readers(folder: &Path) -> io::Result<()> {
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        let found = fs::symlink_metadata(&path)?;
        if found.is_symlink() {
            continue;
        }
        let mode = found.mode() & 0o7777;
        let run = if found.is_dir() || mode & 0o100 != 0 { 0o555 } else { 0o444 };
        if mode & run != run {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode | run))?;
        }
        if found.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        }
    }
    Ok(())
}

/// Whether a stranger may pass through every folder above `path`.
pub(crate) fn is_passable(path: &Path) -> bool {
    let passable = |it: &Path| fs::metadata(it).is_ok_and(|it| it.mode() & 0o001 != 0);
    path.ancestors().skip(1).filter(|it| !it.as_os_str().is_empty()).all(passable)
}

/// The part of `/etc` that programs need to find hosts, libraries and certificates. Links are
/// followed: what they lead to may not be shown.
fn etc() -> Vec<PathBuf> {
    let paths = ETC.iter().map(|it| Path::new("/etc").join(it));
    paths.filter(|it| it.exists()).collect()
}

/// Writes the operator's certificates, and the host's, to where functions may read them.
pub(crate) fn write_bundle(own: &Path, clients: &Path) -> io::Result<()> {
    let read = |path: &Path| {
        let named = |error: io::Error| io::Error::other(format!("`{}`: {error}", path.display()));
        fs::read(path).map_err(named)
    };
    let mut bundle = read(own)?;
    if let Some(host) = host_ca() {
        bundle.push(b'\n');
        bundle.extend(read(&host)?);
    }
    fs::write(clients.join(CA_BUNDLE), bundle)
}

/// The host's trusted certificates, as Debian and Fedora keep them.
fn host_ca() -> Option<PathBuf> {
    let known = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
    known.into_iter().map(PathBuf::from).find(|it| it.is_file())
}

/// Where rotation functions look for trusted certificates.
const CA_FILE: &str = "/etc/pki/tls/cert.pem";
/// Among our clients: the operator's certificates and the host's.
const CA_BUNDLE: &str = "ca.pem";
const ETC: &[&str] = &[
    "alternatives",
    "gai.conf",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "localtime",
    "nsswitch.conf",
    "protocols",
    "resolv.conf",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
];
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/pki",
    "/etc/passwd",
    "/etc/group",
    // Of processes only its own, by the time the fence is built.
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/sys/devices/system/cpu",
];
