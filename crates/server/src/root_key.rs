//! Opening the store with the root key that the configuration names, and changing that key.
//!
//! A key in a file is changed to one in the same file: see [`file::rotate`]. Between any two other places the
//! configuration names both, the former as `root_key.previous`, and the store is moved while it is served.

use crate::config::{Config, Provider, RootKeyConfig};
use base::{Entropy, Sensitive, Timestamp};
use envelope::{Keyring, LocalRoot, RootKey as Root, Roots};
use kms::root::file::{self, FileError};
use kms::root::passphrase::Recipe;
use kms::{Found, Progress, RootNote};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// The program was built without the provider.
    #[cfg(not(feature = "pkcs11"))]
    #[error("this program was built without PKCS #11\nhint: build it with the feature `pkcs11`")]
    Unbuilt,
    /// A changed key would have to be put where this process can't write.
    #[error(
        "the root key comes from a {0}, which the server can't change by itself\n\
         hint: put the new key into [root_key] and what is there now into [root_key.previous], start, and \
         call this again"
    )]
    Unchangeable(&'static str),
}

/// The root key, and where it came from.
pub(crate) struct RootKey {
    config: RootKeyConfig,
    default_path: PathBuf,
    credentials: Option<PathBuf>,
    /// The key that takes over from the previous one, until it has.
    waiting: Mutex<Option<Arc<dyn Root>>>,
}

impl RootKey {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            config: config.root_key.clone(),
            default_path: config.server.data.join("root.key"),
            credentials: config.credentials.clone(),
            waiting: Mutex::default(),
        }
    }

    /// Opens the store, or seals a brand-new one. The flag tells that a change of the root key was
    /// interrupted and is to be finished by [`RootKey::rotate`].
    pub(crate) async fn open(
        &self,
        backend: &dyn Backend,
        entropy: &Arc<dyn Entropy>,
        now: Timestamp,
    ) -> Result<(Keyring, bool), RootKeyError> {
        let found = kms::inspect(backend).await?;
        let next = match (&found, self.config.previous.as_deref()) {
            (Found::Sealed { root, next }, Some(previous)) => {
                let own = self.load(&self.config, (root, next.as_ref()), entropy).await?;
                if own.id() != root.id || next.is_some() {
                    let former = self.load(previous, (root, None), entropy).await?;
                    let keyring = Keyring::new(Roots::both(Arc::clone(&former), Arc::clone(&own)));
                    kms::unlock(backend, &keyring).await?;
                    *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(own);
                    return Ok((keyring, next.is_some()));
                }
                tracing::info!("the root key has moved: [root_key.previous] can be removed");
                Some(own)
            }
            _ => None,
        };
        let root = match (next, self.config.provider) {
            (Some(own), _) => own,
            (None, Provider::File) => {
                let opened = file::start(backend, self.path(&self.config), &**entropy, now).await?;
                return Ok((opened.keyring, opened.unfinished));
            }
            (None, _) => {
                let (root, next) = match &found {
                    Found::Sealed { root, next } => (Some(root), next.as_ref()),
                    Found::Empty => (None, None),
                };
                let nothing = RootNote { id: String::new(), recipe: None };
                self.load_only(&self.config, (root.unwrap_or(&nothing), next), entropy).await?
            }
        };
        let keyring = Keyring::new(Roots::only(root));
        match found {
            Found::Empty => kms::initialize(backend, &keyring, &**entropy, now).await?,
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
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(new) = waiting {
            return Ok(kms::rotate_root(backend, keyring, new, entropy, progress).await?);
        }
        match self.config.provider {
            Provider::File => {
                let path = self.path(&self.config);
                Ok(file::rotate(backend, keyring, path, entropy, progress).await?)
            }
            Provider::Credential => Err(RootKeyError::Unchangeable("credential")),
            Provider::Passphrase => Err(RootKeyError::Unchangeable("passphrase")),
            Provider::Pkcs11 => Err(RootKeyError::Unchangeable("token")),
        }
    }

    /// The provider's name in the configuration.
    pub(crate) fn provider(&self) -> &'static str {
        match self.config.provider {
            Provider::Credential => "credential",
            Provider::File => "file",
            Provider::Passphrase => "passphrase",
            Provider::Pkcs11 => "pkcs11",
        }
    }

    /// The key that `config` names, one of the two `notes` of the store or neither. It is made only if the
    /// store can't need it: if it is neither.
    async fn load(
        &self,
        config: &RootKeyConfig,
        notes: (&RootNote, Option<&RootNote>),
        entropy: &Arc<dyn Entropy>,
    ) -> Result<Arc<dyn Root>, RootKeyError> {
        let (root, next) = notes;
        if config.provider == Provider::File {
            let path = self.path(config);
            return Ok(Arc::new(match file::load(path) {
                Err(FileError::Absent { .. }) if !self.is_needed(config, (root, next)) => {
                    file::create(path, &**entropy).map_err(kms::Error::from)?
                }
                found => found.map_err(kms::Error::from)?,
            }));
        }
        self.load_only(config, notes, entropy).await
    }

    /// The same for all that is not in a file of ours.
    async fn load_only(
        &self,
        config: &RootKeyConfig,
        (root, next): (&RootNote, Option<&RootNote>),
        entropy: &Arc<dyn Entropy>,
    ) -> Result<Arc<dyn Root>, RootKeyError> {
        match config.provider {
            Provider::File => {
                Ok(Arc::new(file::load(self.path(config)).map_err(kms::Error::from)?))
            }
            Provider::Credential => {
                let path = self.credential(config)?;
                Ok(Arc::new(file::load(&path).map_err(kms::Error::from)?))
            }
            Provider::Passphrase => self.stretch(config, (root, next), entropy).await,
            Provider::Pkcs11 => token(config, self.is_needed(config, (root, next)), entropy).await,
        }
    }

    /// Whether the store may need a key that `config` names, so that none may be made there.
    fn is_needed(
        &self,
        config: &RootKeyConfig,
        (root, next): (&RootNote, Option<&RootNote>),
    ) -> bool {
        let prefix = match config.provider {
            Provider::Credential => "credential:",
            Provider::File => "file:",
            Provider::Passphrase => "passphrase:",
            Provider::Pkcs11 => "pkcs11:",
        };
        // From one token or file to another of the kind: the key that takes over is the one to be made.
        let other = self.config.previous.as_ref().filter(|_| config == &self.config);
        let moves = other.is_some_and(|it| it.provider == config.provider);
        next.is_some_and(|it| it.id.starts_with(prefix)) || (!moves && root.id.starts_with(prefix))
    }

    fn path<'a>(&'a self, config: &'a RootKeyConfig) -> &'a Path {
        config.path.as_deref().unwrap_or(&self.default_path)
    }

    fn credential(&self, config: &RootKeyConfig) -> Result<PathBuf, RootKeyError> {
        let name = config.credential.as_deref().unwrap_or_default();
        let missing = || RootKeyError::Credential(name.to_owned());
        let folder = self.credentials.as_ref().ok_or_else(missing)?;
        let path = folder.join(name);
        // A name is one component: `..` would lead out of the folder.
        if path.parent() == Some(folder) && path.exists() { Ok(path) } else { Err(missing()) }
    }

    /// The root key of the passphrase: by the recipe of the store that gives the store's key, or else a
    /// fresh one.
    async fn stretch(
        &self,
        config: &RootKeyConfig,
        (root, next): (&RootNote, Option<&RootNote>),
        entropy: &Arc<dyn Entropy>,
    ) -> Result<Arc<dyn Root>, RootKeyError> {
        let path = match &config.path {
            Some(path) => path.clone(),
            None => self.credential(config)?,
        };
        let text = std::fs::read(&path).map(Sensitive::new);
        let text = text.map_err(|source| RootKeyError::Passphrase { path, source })?;
        let line = Sensitive::from(text.expose().trim_ascii_end());
        for note in [Some(root), next].into_iter().flatten() {
            let Some(recipe) = &note.recipe else { continue };
            let key = stretched(Recipe::parse(recipe).map_err(kms::Error::from)?, &line).await?;
            // Without another to move from it must be this one: `unlock` will say that it isn't.
            if key.id() == note.id || (self.config.previous.is_none() && next.is_none()) {
                return Ok(Arc::new(key));
            }
        }
        let recipe = Recipe::usual(&**entropy).map_err(kms::Error::from)?;
        Ok(Arc::new(stretched(recipe, &line).await?))
    }
}

async fn stretched(recipe: Recipe, line: &Sensitive) -> Result<LocalRoot, RootKeyError> {
    let line = Sensitive::from(line.expose());
    let stretched = tokio::task::spawn_blocking(move || recipe.root_key(&line)).await;
    Ok(stretched.map_err(|_| ended())?.map_err(kms::Error::from)?)
}

/// The key in the token that `config` names; made there, unless the store `needs` one.
#[cfg(feature = "pkcs11")]
async fn token(
    config: &RootKeyConfig,
    needs: bool,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<dyn Root>, RootKeyError> {
    use kms::root::pkcs11::{TokenPlace, load, load_or_create};
    let place = TokenPlace {
        module: config.module.clone().unwrap_or_default(),
        token: config.token.clone().unwrap_or_default(),
        key: config.key.clone().unwrap_or_default(),
        pin: config.pin.clone().unwrap_or_default(),
    };
    let entropy = Arc::clone(entropy);
    let loaded = tokio::task::spawn_blocking(move || {
        if needs { load(&place) } else { load_or_create(&place, &*entropy) }
    });
    Ok(Arc::new(loaded.await.map_err(|_| ended())?.map_err(kms::Error::from)?))
}

#[cfg(not(feature = "pkcs11"))]
#[expect(clippy::unused_async, reason = "with the feature it waits for the token")]
async fn token(
    _: &RootKeyConfig,
    _: bool,
    _: &Arc<dyn Entropy>,
) -> Result<Arc<dyn Root>, RootKeyError> {
    Err(RootKeyError::Unbuilt)
}

fn ended() -> kms::Error {
    kms::Error::from(envelope::RootError::Unavailable("the runtime ended".into()))
}
