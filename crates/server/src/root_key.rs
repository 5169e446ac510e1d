//! Opening the store with the root key that the configuration names, and changing that key.

use crate::config::{Config, Provider, RootKeyConfig};
use base::{Entropy, Sensitive, Timestamp};
use envelope::{Keyring, LocalRoot, Roots};
use kms::root::file;
use kms::root::passphrase::Recipe;
use kms::{Found, Progress};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Backend;

/// Why the root key can't be had, or opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// No credentials were handed to the process.
    #[error(
        "credential `{0}` was not handed to this process\n\
         hint: name it in the unit with `LoadCredential=` or `LoadCredentialEncrypted=`"
    )]
    Credential(String),
    /// The key is missing or unfit, or is not the one the store needs.
    #[error(transparent)]
    Kms(#[from] kms::Error),
    /// A passphrase can't be read.
    #[error("can't read the passphrase from `{}`: {source}", path.display())]
    Passphrase {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A changed key would have to be put where this process can't write.
    #[error("the root key comes from a {0}, which the server can't change by itself")]
    Unchangeable(&'static str),
}

/// The root key, and where it came from.
pub(crate) struct RootKey {
    config: RootKeyConfig,
    default_path: PathBuf,
    credentials: Option<PathBuf>,
}

impl RootKey {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            config: config.root_key.clone(),
            default_path: config.server.data.join("root.key"),
            credentials: config.credentials.clone(),
        }
    }

    /// Opens the store, or seals a brand-new one. The flag tells that a change of the root key was
    /// interrupted and is to be finished by [`RootKey::rotate`].
    pub(crate) async fn open(
        &self,
        backend: &dyn Backend,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<(Keyring, bool), RootKeyError> {
        let root = match self.config.provider {
            Provider::File => {
                let opened = file::start(backend, self.path(), entropy, now).await?;
                return Ok((opened.keyring, opened.unfinished));
            }
            Provider::Credential => file::load(&self.credential()?).map_err(kms::Error::from)?,
            Provider::Passphrase => self.stretch(backend, entropy).await?,
        };
        let keyring = Keyring::new(Roots::only(Arc::new(root)));
        match kms::inspect(backend).await? {
            Found::Empty => kms::initialize(backend, &keyring, entropy, now).await?,
            Found::Sealed { .. } => kms::unlock(backend, &keyring).await?,
        }
        Ok((keyring, false))
    }

    /// Changes the root key to a new one, or finishes an interrupted change.
    pub(crate) async fn rotate(
        &self,
        backend: &dyn Backend,
        keyring: &Keyring,
        entropy: &dyn Entropy,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), RootKeyError> {
        match self.config.provider {
            Provider::Credential => Err(RootKeyError::Unchangeable("credential")),
            Provider::File => {
                Ok(file::rotate(backend, keyring, self.path(), entropy, progress).await?)
            }
            Provider::Passphrase => Err(RootKeyError::Unchangeable("passphrase")),
        }
    }

    /// The provider's name in the configuration.
    pub(crate) fn provider(&self) -> &'static str {
        match self.config.provider {
            Provider::Credential => "credential",
            Provider::File => "file",
            Provider::Passphrase => "passphrase",
        }
    }

    fn path(&self) -> &Path {
        self.config.path.as_deref().unwrap_or(&self.default_path)
    }

    fn credential(&self) -> Result<PathBuf, RootKeyError> {
        let name = self.config.credential.as_deref().unwrap_or_default();
        let missing = || RootKeyError::Credential(name.to_owned());
        let folder = self.credentials.as_ref().ok_or_else(missing)?;
        let path = folder.join(name);
        // A name is one component: `..` would lead out of the folder.
        if path.parent() == Some(folder) && path.exists() { Ok(path) } else { Err(missing()) }
    }

    /// The root key of the passphrase, by the store's recipe or, for a brand-new store, a fresh one.
    async fn stretch(
        &self,
        backend: &dyn Backend,
        entropy: &dyn Entropy,
    ) -> Result<LocalRoot, RootKeyError> {
        let path = match &self.config.path {
            Some(path) => path.clone(),
            None => self.credential()?,
        };
        let text = std::fs::read(&path).map(Sensitive::new);
        let text = text.map_err(|source| RootKeyError::Passphrase { path, source })?;
        let line = Sensitive::from(text.expose().trim_ascii_end());
        let recipe = match kms::inspect(backend).await? {
            Found::Sealed { root, .. } => match root.recipe {
                Some(recipe) => Recipe::parse(&recipe),
                // Sealed under another kind of key: `unlock` will say so.
                None => Recipe::usual(entropy),
            },
            Found::Empty => Recipe::usual(entropy),
        };
        let recipe = recipe.map_err(kms::Error::from)?;
        let stretched = tokio::task::spawn_blocking(move || recipe.root_key(&line)).await;
        let stretched = stretched.map_err(|_| {
            let ended = "the runtime ended".into();
            kms::Error::from(envelope::RootError::Unavailable(ended))
        })?;
        Ok(stretched.map_err(kms::Error::from)?)
    }
}
