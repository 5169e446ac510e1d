//! How a login proves that both sides know the password, without either saying it. No connection is used here.
//!
//! Source: RFC 5802, RFC 7677; MongoDB driver specification, "Authentication".

use crate::Failure;
use crate::marker::hexadecimal;
use aws_lc_rs::digest::{self, digest};
use aws_lc_rs::{hmac, pbkdf2};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// By which hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// Of all servers.
    Sha1,
    /// Since MongoDB 4.0.
    Sha256,
}

/// Between these a password is hashed: fewer times would let a listener try passwords, and more keep this machine busy.
const ROUNDS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;

/// What a server may say in one step.
const LONGEST: usize = 4096;

/// A login on its way.
pub(super) struct Exchange {
    mechanism: Mechanism,
    nonce: String,
    /// The first message without its head, which is signed later.
    first: String,
    password: Zeroizing<String>,
    /// What the server's last message is, if it knows the password.
    expected: Option<(hmac::Key, Vec<u8>)>,
}

impl Mechanism {
    /// As servers call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
        }
    }

    /// What is hashed in place of the password.
    fn prepared(self, user: &str, password: &str) -> Result<Zeroizing<String>, Failure> {
        match self {
            Self::Sha1 => Ok(digested(user, password)),
            Self::Sha256 => {
                let prepared = stringprep::saslprep(password);
                let told = "the password has a character that no password may have";
                let prepared = prepared.map_err(|_| Failure::Invalid(told.to_owned()))?;
                Ok(Zeroizing::new(prepared.into_owned()))
            }
        }
    }

    fn salted(self, password: &str, salt: &[u8], rounds: NonZeroU32) -> Zeroizing<Vec<u8>> {
        let (algorithm, length) = match self {
            Self::Sha1 => (pbkdf2::PBKDF2_HMAC_SHA1, digest::SHA1_OUTPUT_LEN),
            Self::Sha256 => (pbkdf2::PBKDF2_HMAC_SHA256, digest::SHA256_OUTPUT_LEN),
        };
        let mut out = Zeroizing::new(vec![0; length]);
        pbkdf2::derive(algorithm, rounds, salt, password.as_bytes(), &mut out);
        out
    }

    fn key(self, bytes: &[u8]) -> hmac::Key {
        hmac::Key::new(
            match self {
                Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                Self::Sha256 => hmac::HMAC_SHA256,
            },
            bytes,
        )
    }

    fn hash(self, bytes: &[u8]) -> digest::Digest {
        match self {
            Self::Sha1 => digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes),
            Self::Sha256 => digest(&digest::SHA256, bytes),
        }
    }
}

/// What servers before 4.0 take for a password.
pub(super) fn digested(user: &str, password: &str) -> Zeroizing<String> {
    let whole = Md5::new().chain_update(user).chain_update(":mongo:").chain_update(password);
    Zeroizing::new(hexadecimal(&whole.finalize()))
}

impl Exchange {
    /// Begins one. `nonce` was never used before, and has no comma.
    pub(super) fn new(
        mechanism: Mechanism,
        (user, password): (&str, &str),
        nonce: String,
    ) -> Result<Self, Failure> {
        let password = mechanism.prepared(user, password)?;
        let name = user.replace('=', "=3D").replace(',', "=2C");
        let first = format!("n={name},r={nonce}");
        Ok(Self { mechanism, nonce, first, password, expected: None })
    }

    /// What is said first.
    pub(super) fn first(&self) -> Vec<u8> {
        format!("n,,{}", self.first).into_bytes()
    }

    /// What is said to the server's first message. Takes a while: see [`ROUNDS`].
    pub(super) fn answer(&mut self, said: &[u8]) -> Result<Vec<u8>, Failure> {
        let told = "the server's part of the login can't be understood";
        let unclear = || Failure::Untrusted(told.to_owned());
        let challenge = Challenge::parse(said).ok_or_else(unclear)?;
        let own = challenge.nonce.strip_prefix(self.nonce.as_str());
        if own.is_none_or(str::is_empty) {
            return Err(unclear());
        }
        let mechanism = self.mechanism;
        let salted = mechanism.salted(&self.password, &challenge.salt, challenge.rounds);
        let salted = mechanism.key(&salted);
        let client = Zeroizing::new(hmac::sign(&salted, b"Client Key").as_ref().to_vec());
        let stored = mechanism.hash(&client);
        let last = format!("c=biws,r={}", challenge.nonce);
        let signed = [self.first.as_bytes(), b",", said, b",", last.as_bytes()].concat();
        let signature = hmac::sign(&mechanism.key(stored.as_ref()), &signed);
        let proof: Vec<_> = client.iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        let server = mechanism.key(hmac::sign(&salted, b"Server Key").as_ref());
        self.expected = Some((server, signed));
        Ok(format!("{last},p={}", BASE64_STANDARD.encode(proof)).into_bytes())
    }

    /// Whether the server's last message proves that it knows the password, too.
    pub(super) fn proves(&self, said: &[u8]) -> bool {
        let signature = str::from_utf8(said).ok().and_then(|it| it.strip_prefix("v="));
        let signature = signature.and_then(|it| BASE64_STANDARD.decode(it.split(',').next()?).ok());
        let both = signature.zip(self.expected.as_ref());
        both.is_some_and(|(it, (key, signed))| hmac::verify(key, signed, &it).is_ok())
    }
}

/// The server's first message.
struct Challenge<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    rounds: NonZeroU32,
}

impl<'a> Challenge<'a> {
    fn parse(said: &'a [u8]) -> Option<Self> {
        let text = str::from_utf8(said).ok().filter(|it| it.len() <= LONGEST)?;
        let mut parts = text.split(',');
        let nonce = parts.next()?.strip_prefix("r=")?;
        let salt = BASE64_STANDARD.decode(parts.next()?.strip_prefix("s=")?).ok()?;
        let rounds = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        let fits = !salt.is_empty() && ROUNDS.contains(&rounds);
        fits.then_some(Self { nonce, salt, rounds: NonZeroU32::new(rounds)? })
    }
}

/// Reads `bytes` as either message of a server.
pub(super) fn read(bytes: &[u8]) {
    let nonce = Challenge::parse(bytes).map(|it| it.nonce.to_owned());
    let own = Exchange::new(Mechanism::Sha256, ("user", "pencil"), nonce.unwrap_or_default());
    drop(own.map(|it| it.proves(bytes)));
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Vector {
        mechanism: Mechanism,
        nonce: &'static str,
        asked: &'static str,
        answered: &'static str,
        proven: &'static str,
    }

    /// RFC 7677 §3; and the driver specification's of SHA-1, user `user`, password `pencil`.
    const VECTORS: &[Vector] = &[
        Vector {
            mechanism: Mechanism::Sha256,
            nonce: "rOprNGfwEbeRWgbNEkqO",
            asked: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            answered: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            proven: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        },
        Vector {
            mechanism: Mechanism::Sha1,
            nonce: "fyko+d2lbbFgONRv9qkxdawL",
            asked: "r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,s=rQ9ZY3MntBeuP3E1TDVC4w==,i=10000",
            answered: "c=biws,r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,p=MC2T8BvbmWRckDw8oWl5IVghwCY=",
            proven: "v=UMWeI25JD1yNYZRMpZ4VHvhZ9e0=",
        },
    ];

    fn begun(it: &Vector) -> Exchange {
        let login = ("user", "pencil");
        Exchange::new(it.mechanism, login, it.nonce.to_owned()).expect("a login")
    }

    #[test]
    fn both_sides_prove_that_they_know_the_password() {
        for it in VECTORS {
            let mut exchange = begun(it);
            assert_eq!(exchange.first(), format!("n,,n=user,r={}", it.nonce).into_bytes());
            assert!(!exchange.proves(it.proven.as_bytes()), "before anything is asked");
            let answered = exchange.answer(it.asked.as_bytes()).expect("an answer");
            assert_eq!(String::from_utf8(answered).expect("text"), it.answered);
            assert!(exchange.proves(it.proven.as_bytes()));
            for wrong in ["", "v=", "v=AAAA", "e=other-error", &it.proven.replace('U', "V")] {
                assert_eq!(exchange.proves(wrong.as_bytes()), wrong == it.proven, "{wrong}");
            }
        }
    }

    #[test]
    fn a_server_that_makes_it_easy_or_endless_is_refused() {
        for it in VECTORS {
            let rounds = it.asked.rsplit_once(",i=").expect("rounds").1;
            for (from, to) in [
                (rounds, "4095"),
                (rounds, "1000001"),
                (rounds, "-1"),
                (rounds, "99999999999999999999"),
                ("r=", "m=x,r="),
                (it.nonce, "another"),
                (",s=", ",s=*"),
                (",i=", ",x="),
            ] {
                let asked = it.asked.replacen(from, to, 1);
                assert!(begun(it).answer(asked.as_bytes()).is_err(), "{asked}");
            }
            let echoed = format!("r={},s=AAAA,i=10000", it.nonce);
            assert!(begun(it).answer(echoed.as_bytes()).is_err(), "nothing of the server's own");
            let long = it.asked.replace(",s=", &format!(",s={}", "A".repeat(LONGEST)));
            assert!(begun(it).answer(long.as_bytes()).is_err(), "too long");
        }
    }

    #[test]
    fn names_and_passwords_are_prepared() {
        let it = Exchange::new(Mechanism::Sha1, ("a=b,c", "p"), "n".to_owned()).expect("a login");
        assert_eq!(it.first(), b"n,,n=a=3Db=2Cc,r=n");
        assert_eq!(digested("user", "pencil").as_str(), "1c33006ec1ffd90f9cadcbcc0e118200");
        // RFC 4013, §3.
        let prepared = |it| Mechanism::Sha256.prepared("u", it).map(|it| it.to_string());
        assert_eq!(prepared("I\u{ad}X").as_deref(), Ok("IX"));
        assert_eq!(prepared("\u{2168}").as_deref(), Ok("IX"));
        assert!(matches!(prepared("\u{7}"), Err(Failure::Invalid(_))));
    }
}
