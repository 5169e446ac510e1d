//! Files: the data folder, the root key, the certificate.

use super::{Finding, Subject};
use ::server::{EXPIRES_SOON, expiry};
use base::{Clock, SystemClock};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Only the server's user may enter the data folder.
pub(super) fn data_folder(subject: &Subject) -> Finding {
    let shown = subject.data.shown();
    let metadata = match fs::metadata(subject.data.path()) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return Finding::fail(format!("`{shown}` is no folder"), "name one with --data"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Finding::fail(
                format!("`{shown}` does not exist"),
                "name the server's data folder with --data",
            );
        }
        Err(error) => {
            return Finding::fail(
                format!("can't look at `{shown}`: {error}"),
                "run this as the server's user",
            );
        }
    };
    match metadata.mode() & 0o7777 {
        mode if mode & 0o077 != 0 => Finding::fail(
            format!("`{shown}` is open to group or others (mode {mode:04o})"),
            format!("chmod 700 `{shown}`"),
        ),
        mode => Finding::ok(format!("`{shown}`, mode {mode:04o}")),
    }
}

/// The root key is there, whole, and nobody else's.
pub(super) fn root_key(subject: &Subject) -> Finding {
    let Some(path) = &subject.root_key else {
        return subject.token.as_ref().map_or(Finding::ok("kept outside of files"), token);
    };
    let next = kms::root::file::next_path(path);
    match kms::root::file::load(path) {
        Err(error) => {
            Finding::of_error(&error, "bring it back from its copy; nothing opens without it")
        }
        Ok(_) if next.exists() => Finding::warn(
            format!("a change of the root key is unfinished: `{}` exists", next.display()),
            "finish it with `strongroom root-key rotate` on the running server",
        ),
        Ok(key) => Finding::ok(format!("`{}`: {}", path.display(), envelope::RootKey::id(&key))),
    }
}

/// What leads to the token is there. The token itself isn't asked: a wrong PIN would cost a try.
fn token((module, pin): &(PathBuf, PathBuf)) -> Finding {
    if !module.exists() {
        let fact = format!("PKCS #11 module `{}` does not exist", module.display());
        return Finding::fail(fact, "`root_key.module` is the shared library of the token's maker");
    }
    let shown = pin.display();
    match fs::metadata(pin) {
        Err(error) => Finding::fail(
            format!("can't look at the PIN file `{shown}`: {error}"),
            "run this as the server's user",
        ),
        Ok(found) if found.mode() & 0o077 != 0 => Finding::fail(
            format!("the PIN file `{shown}` is open to group or others"),
            format!("chmod 600 `{shown}`"),
        ),
        Ok(_) => Finding::ok(format!("in a token, by `{}`", module.display())),
    }
}

/// The certificate lasts, and its key is nobody else's.
pub(super) fn certificate(subject: &Subject) -> Finding {
    let Some((certificate, key)) = &subject.certificate else {
        return Finding::ok("none: no listener speaks TLS");
    };
    let shown = certificate.display();
    if !certificate.exists() && matches!(subject.status, Ok(None)) {
        return Finding::ok("none yet: the development server makes one when it starts");
    }
    let ends = match expiry(certificate) {
        Ok(ends) => ends,
        Err(error) => return Finding::of_error(&error, "give it a PEM file with a certificate"),
    };
    if let Some(finding) = open_to_others(key) {
        return finding;
    }
    let (now, renew) =
        (SystemClock.now(), "put a new one in its place; it is taken without a restart");
    match ends.since(now).as_secs() / 86_400 {
        _ if ends <= now => Finding::fail(format!("`{shown}` ended at {ends}"), renew),
        days if ends <= now.plus(EXPIRES_SOON) => {
            Finding::warn(format!("`{shown}` ends in {days} days, at {ends}"), renew)
        }
        days => Finding::ok(format!("`{shown}` lasts {days} days, until {ends}")),
    }
}

fn open_to_others(key: &Path) -> Option<Finding> {
    let mode = fs::metadata(key).ok()?.mode() & 0o7777;
    let shown = key.display();
    (mode & 0o007 != 0).then(|| {
        Finding::fail(
            format!("the private key `{shown}` is open to others (mode {mode:04o})"),
            format!("chmod 600 `{shown}`"),
        )
    })
}
