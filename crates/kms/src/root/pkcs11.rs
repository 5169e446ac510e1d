//! The root key in a PKCS #11 token: an AES-256 key that never leaves it.
//!
//! ```text
//! 50 ‖ 01 ‖ nonce (12) ‖ ciphertext ‖ tag (16)      CKM_AES_GCM, with the bytes of `Aad` as associated data
//! ```
//!
//! The token does the arithmetic; here are a session and the PIN that opens it. A session that the token has
//! closed is opened anew, once for each call. A PIN that was refused is never sent again by this process: a
//! token locks itself after a few.
//!
//! Source: OASIS PKCS #11 v2.40, "AES-GCM"; NIST SP 800-38D.

use crate::codec::hex;
use base::{Entropy, Sensitive};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error as Raw, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use envelope::{Aad, Key, OpenError, RootError, RootKey};
use rustix::fs::{FileType, Mode, OFlags};
use std::collections::BTreeMap;
use std::ffi::c_ulong;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroize;

/// Why a token gave no root key.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is no key of this label.
    #[error(
        "token `{token}` holds no key `{key}`\n\
         hint: name the token and the key this store was made with; without it the store can't be read"
    )]
    KeyAbsent {
        /// The label of the token.
        token: String,
        /// The label of the key.
        key: String,
    },
    /// There is a key of this label, and it is no root key.
    #[error(
        "key `{key}` {why}\nhint: it must be one AES-256 key with an id, sensitive and not extractable"
    )]
    KeyUnfit {
        /// The label of the key.
        key: String,
        /// What is wrong with it, as a predicate.
        why: &'static str,
    },
    /// The module can't be loaded.
    #[error(
        "PKCS #11 module `{path}` can't be loaded: {reason}\n\
         hint: `root_key.module` is the shared library of the token's maker"
    )]
    Module {
        /// Where it should be.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// The PIN is wrong, or the token takes none any more.
    #[error(
        "token `{token}` refuses the PIN: {why}\n\
         hint: it is not tried again, for a token locks after a few; correct the PIN file, then start"
    )]
    Pin {
        /// The label of the token.
        token: String,
        /// Why.
        why: &'static str,
    },
    /// The PIN's file is missing or open to others.
    #[error(
        "PIN file `{path}` {why}\nhint: it holds the PIN alone, belongs to this user and has mode 0600"
    )]
    PinFile {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong with it, as a predicate.
        why: String,
    },
    /// No token of this label is there.
    #[error("no token `{token}` is there\nhint: plug it in, or start what connects to it")]
    TokenAbsent {
        /// Its label.
        token: String,
    },
    /// The token failed.
    #[error("token `{token}` fails: {source}")]
    Token {
        /// Its label.
        token: String,
        /// What it said.
        source: Raw,
    },
}

/// Where a root key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPlace {
    /// The shared library that speaks to the token.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the key.
    pub key: String,
    /// The file that holds the user's PIN.
    pub pin: PathBuf,
}

/// A root key that stays in its token.
pub struct TokenRoot {
    id: String,
    place: TokenPlace,
    module: Pkcs11,
    pin: AuthPin,
    open: Mutex<State>,
}

/// What is known of the way to the key.
enum State {
    /// A session, logged in, and the key in it.
    Open(Session, ObjectHandle),
    /// The next call has to open one.
    Closed,
    /// The PIN was refused.
    Refused,
}

/// The root key at `place`.
///
/// Loads the module and logs in: not for an async task.
///
/// # Errors
///
/// [`TokenError`], each a sentence with a remedy.
pub fn load(place: &TokenPlace) -> Result<TokenRoot, TokenError> {
    find(place, None)
}

/// The root key at `place`, made if there is none. Only for a store that needs none from there yet.
///
/// # Errors
///
/// As [`load`].
pub fn load_or_create(place: &TokenPlace, entropy: &dyn Entropy) -> Result<TokenRoot, TokenError> {
    find(place, Some(entropy))
}

fn find(place: &TokenPlace, make: Option<&dyn Entropy>) -> Result<TokenRoot, TokenError> {
    let pin = read_pin(&place.pin)?;
    let module = module(&place.module)?;
    let session = login(&module, place, &pin, make.is_some())?;
    let (key, id) = match (look_up(&session, place)?, make) {
        (Some(found), _) => found,
        (None, Some(entropy)) => create(&session, place, entropy)?,
        (None, None) => {
            let TokenPlace { token, key, .. } = place.clone();
            return Err(TokenError::KeyAbsent { token, key });
        }
    };
    let id = name(&id);
    let open = Mutex::new(State::Open(session, key));
    Ok(TokenRoot { id, place: place.clone(), module, pin, open })
}

impl TokenRoot {
    /// What `act` gives in a session, which is opened anew if the token has closed it.
    fn within<T>(
        &self,
        act: impl Fn(&Session, ObjectHandle) -> Result<T, Raw>,
    ) -> Result<T, RootError> {
        let mut state = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Open(session, key) = &*state {
            match act(session, *key) {
                Err(error) if is_lost(&error) => *state = State::Closed,
                outcome => return outcome.map_err(|error| self.failed(error)),
            }
        }
        if let State::Refused = *state {
            let token = self.place.token.clone();
            return Err(unavailable(TokenError::Pin { token, why: "it was wrong before" }));
        }
        let (session, key) = self.reopen().map_err(|error| {
            if let TokenError::Pin { .. } = error {
                *state = State::Refused;
            }
            unavailable(error)
        })?;
        let outcome = act(&session, key).map_err(|error| self.failed(error));
        *state = State::Open(session, key);
        outcome
    }

    fn reopen(&self) -> Result<(Session, ObjectHandle), TokenError> {
        let session = login(&self.module, &self.place, &self.pin, false)?;
        match look_up(&session, &self.place)? {
            Some((key, id)) if self.id == name(&id) => Ok((session, key)),
            _ => {
                let TokenPlace { token, key, .. } = self.place.clone();
                Err(TokenError::KeyAbsent { token, key })
            }
        }
    }

    fn failed(&self, error: Raw) -> RootError {
        match error {
            // The last is what SoftHSM says of a wrong tag.
            Raw::Pkcs11(RvError::EncryptedDataInvalid | RvError::EncryptedDataLenRange, _)
            | Raw::Pkcs11(RvError::GeneralError, Function::Decrypt) => {
                RootError::Open(OpenError::Changed)
            }
            error => unavailable(failure(&self.place, error)),
        }
    }
}

impl RootKey for TokenRoot {
    fn id(&self) -> &str {
        &self.id
    }

    fn wrap(&self, aad: &Aad, key: &Key, entropy: &dyn Entropy) -> Result<Vec<u8>, RootError> {
        self.within(|session, handle| {
            let mut nonce: [u8; NONCE] = entropy.bytes();
            // A token may insist on a nonce of its own, and write it here.
            let params = GcmParams::new(&mut nonce, aad.as_bytes(), TAG_BITS.into())?;
            let sealed = session.encrypt(&Mechanism::AesGcm(params), handle, key.expose())?;
            Ok([&[MAGIC, VERSION][..], &nonce, &sealed].concat())
        })
    }

    fn unwrap(&self, aad: &Aad, blob: &[u8]) -> Result<Key, RootError> {
        let body = blob.strip_prefix(&[MAGIC, VERSION]).and_then(|it| it.split_first_chunk());
        let (nonce, sealed) = body.ok_or(OpenError::Foreign)?;
        if sealed.len() != Key::LEN + TAG {
            return Err(OpenError::Foreign.into());
        }
        let mut opened = self.within(|session, handle| {
            let mut nonce: [u8; NONCE] = *nonce;
            let params = GcmParams::new(&mut nonce, aad.as_bytes(), TAG_BITS.into())?;
            session.decrypt(&Mechanism::AesGcm(params), handle, sealed)
        })?;
        let key = opened
            .as_slice()
            .try_into()
            .map(|bytes: &[u8; Key::LEN]| Key::fill_with(|it| it.copy_from_slice(bytes)));
        opened.zeroize();
        key.map_err(|_| OpenError::Foreign.into())
    }
}

impl std::fmt::Debug for TokenRoot {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TokenRoot").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The module at `path`. A module is one for the whole process, and stays.
fn module(path: &Path) -> Result<Pkcs11, TokenError> {
    static LOADED: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = loaded.get(path) {
        return Ok(module.clone());
    }
    let refused =
        |reason: Raw| TokenError::Module { path: path.to_owned(), reason: reason.to_string() };
    let module = Pkcs11::new(path).map_err(refused)?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Raw::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => (),
        Err(error) => return Err(refused(error)),
    }
    loaded.insert(path.to_owned(), module.clone());
    Ok(module)
}

/// The slot of the token called `place.token`.
fn slot(module: &Pkcs11, place: &TokenPlace) -> Result<Slot, TokenError> {
    let failed = |error| failure(place, error);
    for slot in module.get_slots_with_token().map_err(failed)? {
        // A token that is being pulled out has no information.
        let Ok(token) = module.get_token_info(slot) else { continue };
        if token.label() != place.token {
            continue;
        }
        let refused = |why| Err(TokenError::Pin { token: place.token.clone(), why });
        if token.user_pin_locked() {
            return refused("it is locked");
        }
        // The last try is left to a person: a service that is started again and again would use it up.
        if token.user_pin_final_try() {
            return refused("one try is left before it locks");
        }
        return Ok(slot);
    }
    Err(TokenError::TokenAbsent { token: place.token.clone() })
}

fn login(
    module: &Pkcs11,
    place: &TokenPlace,
    pin: &AuthPin,
    writes: bool,
) -> Result<Session, TokenError> {
    let failed = |error| failure(place, error);
    let slot = slot(module, place)?;
    let session = if writes { module.open_rw_session(slot) } else { module.open_ro_session(slot) };
    let session = session.map_err(failed)?;
    let refused = |why| Err(TokenError::Pin { token: place.token.clone(), why });
    match session.login(UserType::User, Some(pin)) {
        Ok(()) | Err(Raw::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(Raw::Pkcs11(RvError::PinLocked, _)) => refused("it is locked"),
        Err(Raw::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
            refused("it is wrong")
        }
        Err(Raw::Pkcs11(RvError::PinExpired, _)) => refused("it has expired"),
        Err(error) => Err(failed(error)),
    }
}

/// The key called `place.key` and its id, if it is there and fit for a root key.
fn look_up(
    session: &Session,
    place: &TokenPlace,
) -> Result<Option<(ObjectHandle, Vec<u8>)>, TokenError> {
    let failed = |error| failure(place, error);
    let unfit = |why| Err(TokenError::KeyUnfit { key: place.key.clone(), why });
    let wanted = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Token(true),
        Attribute::Label(place.key.clone().into_bytes()),
    ];
    let found = session.find_objects(&wanted).map_err(failed)?;
    let key = match found.as_slice() {
        [] => return Ok(None),
        [key] => *key,
        _ => return unfit("is there more than once"),
    };
    let asked = [
        AttributeType::KeyType,
        AttributeType::ValueLen,
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::Id,
    ];
    let told = session.get_attributes(key, &asked).map_err(failed)?;
    if !told.contains(&Attribute::KeyType(KeyType::AES))
        || !told.contains(&Attribute::ValueLen(KEY_BYTES.into()))
    {
        return unfit("is no AES-256 key");
    }
    if !told.contains(&Attribute::Sensitive(true)) || told.contains(&Attribute::Extractable(true)) {
        return unfit("can be taken out of its token");
    }
    let id = told.into_iter().find_map(|it| match it {
        Attribute::Id(id) => Some(id),
        _ => None,
    });
    match id {
        Some(id) if (1..=MAX_ID).contains(&id.len()) => Ok(Some((key, id))),
        _ => unfit("has no id, or one that is too long"),
    }
}

fn create(
    session: &Session,
    place: &TokenPlace,
    entropy: &dyn Entropy,
) -> Result<(ObjectHandle, Vec<u8>), TokenError> {
    let id = entropy.bytes::<8>().to_vec();
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen(KEY_BYTES.into()),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Id(id.clone()),
        Attribute::Label(place.key.clone().into_bytes()),
    ];
    let made = session.generate_key(&Mechanism::AesKeyGen, &template);
    Ok((made.map_err(|error| failure(place, error))?, id))
}

/// The PIN in the file at `path`: one line, which nobody else can read.
fn read_pin(path: &Path) -> Result<AuthPin, TokenError> {
    let refused = |why: String| TokenError::PinFile { path: path.to_owned(), why };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    let file = File::from(opened.map_err(|error| refused(format!("can't be opened: {error}")))?);
    let stat = rustix::fs::fstat(&file).map_err(|error| refused(error.to_string()))?;
    let mode = stat.st_mode & 0o7777;
    match () {
        () if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile => {
            return Err(refused("is no regular file".to_owned()));
        }
        () if stat.st_uid != rustix::process::geteuid().as_raw() => {
            return Err(refused("belongs to another user".to_owned()));
        }
        () if mode & 0o077 != 0 => {
            return Err(refused(format!("is open to group or others (mode {mode:04o})")));
        }
        () => (),
    }
    let mut bytes = Sensitive::new(vec![0; MAX_PIN]);
    let length = (&file).read(bytes.expose_mut()).map_err(|error| refused(error.to_string()))?;
    let line = bytes.expose().get(..length).and_then(|it| str::from_utf8(it).ok());
    let line = line.map(str::trim_end);
    match line {
        Some(line) if !line.is_empty() => Ok(AuthPin::new(line.to_owned().into_boxed_str())),
        _ => Err(refused("holds no PIN".to_owned())),
    }
}

/// Whether the session is gone, and a new one may help.
fn is_lost(error: &Raw) -> bool {
    matches!(
        error,
        Raw::Pkcs11(
            RvError::SessionHandleInvalid
                | RvError::SessionClosed
                | RvError::UserNotLoggedIn
                | RvError::ObjectHandleInvalid
                | RvError::KeyHandleInvalid
                | RvError::DeviceError
                | RvError::DeviceRemoved
                | RvError::TokenNotPresent,
            _
        )
    )
}

fn failure(place: &TokenPlace, source: Raw) -> TokenError {
    TokenError::Token { token: place.token.clone(), source }
}

fn unavailable(error: TokenError) -> RootError {
    RootError::Unavailable(Box::new(error))
}

fn name(id: &[u8]) -> String {
    format!("{KIND}:{}", hex::encode(id))
}

/// What the ids of these keys begin with.
pub const KIND: &str = "pkcs11";
const MAGIC: u8 = b'P';
const VERSION: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
const TAG_BITS: c_ulong = 128;
const KEY_BYTES: c_ulong = 32;
const MAX_ID: usize = 32;
const MAX_PIN: usize = 256;
