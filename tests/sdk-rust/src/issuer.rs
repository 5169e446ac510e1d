//! An OpenID Connect issuer whose keys the server is told, and the tokens to go with them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Nobody listens at its address: the server is given the keys.
pub struct Issuer {
    pair: EcdsaKeyPair,
}

impl Issuer {
    /// Its address, without the scheme.
    pub const NAME: &str = "issuer.example";

    /// One with a new key.
    pub fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self { pair: pair.expect("chance") }
    }

    /// Its public keys, as it would publish them.
    pub fn keys(&self) -> Value {
        // An uncompressed point: a byte that says so, then both halves.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let key = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "one", "alg": "ES256", "use": "sig" });
        json!({ "keys": [key] })
    }

    /// A token about `subject` that is good for ten minutes.
    pub fn token(&self, subject: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let claims = json!({
            "iss": format!("https://{}", Self::NAME),
            "aud": "sts.amazonaws.com",
            "sub": subject,
            "iat": now,
            "exp": now + 600,
        });
        let header = json!({ "alg": "ES256", "kid": "one" });
        let text = [header, claims].map(|it| URL_SAFE_NO_PAD.encode(it.to_string())).join(".");
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).expect("chance");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl Default for Issuer {
    fn default() -> Self {
        Self::new()
    }
}
