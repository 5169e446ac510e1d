//! State: the server, the store, the audit trail.

use super::{Finding, Subject};
use crate::{trail_verify, version};
use anyhow::Result;
use envelope::{Keyring, Roots};
use std::path::Path;
use std::sync::Arc;
use store::backends::embedded::{Embedded, Options};

/// Whether a server runs on the folder, and which.
pub(super) fn server(subject: &Subject) -> Finding {
    match &subject.status {
        Ok(None) => Finding::ok("not running; its files are examined"),
        Ok(Some(status)) if status.version != version::NUMBER => Finding::warn(
            format!("running with version {}, this is {}", status.version, version::NUMBER),
            "restart it with the installed version",
        ),
        Ok(Some(status)) => Finding::ok(format!(
            "{} {} running as process {}",
            status.mode, status.version, status.pid
        )),
        Err(error) => Finding::of_error(
            &format!("{error:#}"),
            "see its log; if it hangs, send it SIGTERM and start it again",
        ),
    }
}

/// Everything in the store is readable, and opens with the root key.
pub(super) fn store(subject: &Subject) -> Finding {
    match &subject.status {
        Ok(Some(status)) => {
            let revision = status.store_revision;
            return Finding::ok(format!(
                "in use at revision {revision}; stop the server to examine it"
            ));
        }
        Err(_) => return Finding::warn("not examined", "stop the server to examine it"),
        Ok(None) => (),
    }
    let folder = subject.data.path();
    // Opening makes what is missing, and a check must not.
    if !folder.join("store.redb").exists() {
        return Finding::warn("there is none", "name the server's data folder with --data");
    }
    let remedy = "restore it from a backup with `strongroom restore`";
    let health = match Embedded::check(folder, Options::default()) {
        Ok(health) => health,
        Err(error) => return Finding::of_error(&error, remedy),
    };
    let whole = format!("whole at revision {}", health.revision.0);
    match subject.root_key.as_deref().map(load).transpose() {
        Err(_) => Finding::warn(format!("{whole}, but no root key to open it with"), "see above"),
        Ok(Some(roots)) => match opens(folder, roots) {
            Err(error) => Finding::of_error(&format!("{error:#}"), remedy),
            Ok(()) if !health.tree_was_whole => Finding::warn(
                format!("had to be mended; {whole}, opens with the root key"),
                "look for the cause: a failing disk, or a process that was killed",
            ),
            Ok(()) => Finding::ok(format!("{whole}, opens with the root key")),
        },
        Ok(None) => Finding::ok(whole),
    }
}

/// The root key in `file`, and the one that is about to take over.
fn load(file: &Path) -> Result<Roots> {
    let root = Arc::new(kms::root::file::load(file)?);
    let next = kms::root::file::load(&kms::root::file::next_path(file)).ok().map(Arc::new);
    Ok(match next {
        Some(next) => Roots::both(root, next),
        None => Roots::only(root),
    })
}

/// Whether `roots` open the store in `folder`.
fn opens(folder: &Path, roots: Roots) -> Result<()> {
    let store = Embedded::open(folder, Options::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(kms::unlock(&store, &Keyring::new(roots)))?)
}

/// The audit trail's chain and signed heads hold.
pub(super) fn trail(subject: &Subject) -> Finding {
    let folder = subject.data.journal();
    if !folder.is_dir() {
        return Finding::warn("there is none", "name the server's data folder with --data");
    }
    match trail_verify::check(&folder, None) {
        Ok(finding @ trail::Finding::Whole(_)) => Finding::ok(trail_verify::text(&finding)),
        Ok(finding @ trail::Finding::Broken(_)) => Finding::fail(
            trail_verify::text(&finding),
            "somebody or something changed it: keep a copy, and compare it with a backup",
        ),
        Err(error) => Finding::of_error(&format!("{error:#}"), "run this as the server's user"),
    }
}
