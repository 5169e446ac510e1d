//! Who signs the servers' certificates.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::fmt;

/// An authority of its own, that nobody else knows.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Issued {
    /// The certificate, and the authority's after it.
    pub chain: String,
    /// The private key.
    pub key: String,
}

impl fmt::Debug for Issued {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Issued").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new one.
    pub fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "authority of a private server");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// A certificate for a server that is called `names`: names or addresses.
    pub fn issue(&self, names: &[&str]) -> Result<Issued, rcgen::Error> {
        let names: Vec<_> = names.iter().copied().map(str::to_owned).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "a private server");
        let key = KeyPair::generate()?;
        let own = params.signed_by(&key, &self.issuer)?;
        let chain = own.pem() + &self.issuer.pem();
        Ok(Issued { chain, key: key.serialize_pem() })
    }

    /// Its own certificate, as PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Its own certificate, as DER.
    pub fn der(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }
}
