//! The data folder, and where things are in it.

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// Where the server keeps everything.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DataFolder {
    /// Data folder of the server
    #[arg(
        long = "data",
        value_name = "DIR",
        global = true,
        env = "STRONGROOM_DATA",
        default_value = ".strongroom",
        hide_env_values = true
    )]
    folder: PathBuf,
}

impl DataFolder {
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Where the running server listens for operators.
    pub(crate) fn admin_socket(&self) -> PathBuf {
        self.folder.join("admin.sock")
    }

    /// The root key, where it is kept in a file.
    pub(crate) fn root_key(&self) -> PathBuf {
        self.folder.join("root.key")
    }

    /// The audit journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// The audit journal, if there is one.
    pub(crate) fn require_journal(&self) -> Result<PathBuf> {
        let journal = self.journal();
        if journal.is_dir() {
            return Ok(journal);
        }
        bail!(
            "no audit journal in `{}`\nhint: name the server's data folder with --data",
            self.shown()
        )
    }

    /// The certificate authority of a development server.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.join("tls/ca.pem")
    }

    /// The certificate of a development server.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("tls/cert.pem")
    }

    /// The key of that certificate.
    pub(crate) fn certificate_key(&self) -> PathBuf {
        self.folder.join("tls/key.pem")
    }

    /// The folder as one would type it again.
    pub(crate) fn shown(&self) -> String {
        self.folder.display().to_string()
    }
}

impl<P: Into<PathBuf>> From<P> for DataFolder {
    fn from(folder: P) -> Self {
        Self { folder: folder.into() }
    }
}
