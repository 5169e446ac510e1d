//! The keys of an issuer, and what each can check.

use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;

/// The keys of an issuer. Those of kinds that nobody takes, or for other uses, are left out.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<Key>);

/// A text that is no set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON Web Key Set")]
pub struct NoKeys;

/// How tokens may be signed.
///
/// Source: RFC 7518, section 3.1; RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// RSA, with PKCS #1 or PSS.
    Rsa(Algorithm),
    /// ECDSA over P-256 or P-384.
    Curve(Algorithm),
    /// ECDSA over P-521, which the JWT library lacks.
    P521,
    /// EdDSA over Curve25519.
    Edwards,
}

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    /// What it is for, if it says so.
    scheme: Option<Scheme>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Rsa(DecodingKey),
    P256(DecodingKey),
    P384(DecodingKey),
    P521(Vec<u8>),
    Ed25519(DecodingKey),
}

/// A key as its document has it.
#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// The most bytes of a document.
    pub const MAX_LEN: usize = 128 << 10;
    /// The most keys of an issuer; further ones are left out.
    const MOST: usize = 100;
    /// The most keys that one token is held against.
    const TRIED: usize = 8;

    /// Reads a JSON Web Key Set.
    ///
    /// # Errors
    ///
    /// [`NoKeys`]: it is none, or too long. An empty one is one.
    pub fn parse(document: &[u8]) -> Result<Self, NoKeys> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        if document.len() > Self::MAX_LEN {
            return Err(NoKeys);
        }
        let set: Set = serde_json::from_slice(document).map_err(|_| NoKeys)?;
        let written = |it| serde_json::from_value::<Written>(it).ok();
        let keys = set.keys.into_iter().filter_map(written).filter_map(Key::new);
        Ok(Self(keys.take(Self::MOST).collect()))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the keys has signed `message`; `None` if there is none that could have.
    pub(crate) fn verify(
        &self,
        (scheme, id): (Scheme, Option<&str>),
        message: &str,
        signature: &str,
    ) -> Option<bool> {
        let fits = |key: &&Key| {
            let named = id.is_none() || key.id.is_none() || key.id.as_deref() == id;
            named && key.scheme.is_none_or(|it| it == scheme) && key.material.fits(scheme)
        };
        let mut fitting = self.0.iter().filter(fits).take(Self::TRIED).peekable();
        fitting.peek()?;
        Some(fitting.any(|it| it.material.verify(scheme, message, signature)))
    }
}

impl Scheme {
    /// The scheme called `name`. `none` and shared secrets are no schemes.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "ES256" => Self::Curve(Algorithm::ES256),
            "ES384" => Self::Curve(Algorithm::ES384),
            "ES512" => Self::P521,
            "EdDSA" => Self::Edwards,
            "PS256" => Self::Rsa(Algorithm::PS256),
            "PS384" => Self::Rsa(Algorithm::PS384),
            "PS512" => Self::Rsa(Algorithm::PS512),
            "RS256" => Self::Rsa(Algorithm::RS256),
            "RS384" => Self::Rsa(Algorithm::RS384),
            "RS512" => Self::Rsa(Algorithm::RS512),
            _ => return None,
        })
    }
}

impl Key {
    fn new(written: Written) -> Option<Self> {
        let material = Material::new(&written)?;
        let Written { kid, r#use, alg, .. } = written;
        if r#use.is_some_and(|it| it != "sig") {
            return None;
        }
        // A key for a scheme that nobody takes is for nothing.
        let scheme = match alg {
            Some(name) => Some(Scheme::parse(&name)?),
            None => None,
        };
        Some(Self { id: kid, scheme, material })
    }
}

impl Material {
    fn new(it: &Written) -> Option<Self> {
        let (x, y) = (it.x.as_deref(), it.y.as_deref());
        match (it.kty.as_str(), it.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (it.n.as_deref()?, it.e.as_deref()?);
                DecodingKey::from_rsa_components(n, e).ok().map(Self::Rsa)
            }
            ("EC", Some("P-256")) => point((x?, y?), 32).map(Self::P256),
            ("EC", Some("P-384")) => point((x?, y?), 48).map(Self::P384),
            ("EC", Some("P-521")) => uncompressed((x?, y?), 66).map(Self::P521),
            ("OKP", Some("Ed25519")) => {
                let x = x.filter(|it| bytes(it).is_some_and(|it| it.len() == 32))?;
                DecodingKey::from_ed_components(x).ok().map(Self::Ed25519)
            }
            _ => None,
        }
    }

    /// Whether a key like this signs by `scheme`.
    fn fits(&self, scheme: Scheme) -> bool {
        match (self, scheme) {
            (Self::Rsa(_), Scheme::Rsa(_))
            | (Self::P521(_), Scheme::P521)
            | (Self::Ed25519(_), Scheme::Edwards) => true,
            (Self::P256(_), Scheme::Curve(it)) => it == Algorithm::ES256,
            (Self::P384(_), Scheme::Curve(it)) => it == Algorithm::ES384,
            _ => false,
        }
    }

    fn verify(&self, scheme: Scheme, message: &str, signature: &str) -> bool {
        let by = |key, algorithm| {
            crypto::verify(signature, message.as_bytes(), key, algorithm).unwrap_or(false)
        };
        match (self, scheme) {
            (Self::Rsa(key), Scheme::Rsa(algorithm))
            | (Self::P256(key) | Self::P384(key), Scheme::Curve(algorithm)) => by(key, algorithm),
            (Self::Ed25519(key), Scheme::Edwards) => by(key, Algorithm::EdDSA),
            (Self::P521(point), Scheme::P521) => bytes(signature).is_some_and(|it| {
                let key = UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point);
                key.verify(message.as_bytes(), &it).is_ok()
            }),
            _ => false,
        }
    }
}

impl std::fmt::Debug for Material {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Rsa(_) => "RSA",
            Self::P256(_) => "P-256",
            Self::P384(_) => "P-384",
            Self::P521(_) => "P-521",
            Self::Ed25519(_) => "Ed25519",
        })
    }
}

fn point((x, y): (&str, &str), length: usize) -> Option<DecodingKey> {
    uncompressed((x, y), length)?;
    DecodingKey::from_ec_components(x, y).ok()
}

/// A point of a curve whose coordinates have `length` bytes.
///
/// Source: SEC 1, section 2.3.3.
fn uncompressed((x, y): (&str, &str), length: usize) -> Option<Vec<u8>> {
    let coordinate = |it| bytes(it).filter(|it| it.len() == length);
    Some([&[4][..], &coordinate(x)?, &coordinate(y)?].concat())
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
