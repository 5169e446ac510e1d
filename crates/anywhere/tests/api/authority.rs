//! Authorities that issue whatever a test wants, good or bad.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

/// An authority, with what its certificate says.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    der: Vec<u8>,
}

/// What a leaf says; the default is a good one.
pub(crate) struct Leaf {
    pub(crate) serial: u64,
    pub(crate) names: Vec<(DnType, &'static str)>,
    pub(crate) alternatives: Vec<SanType>,
    pub(crate) usages: Vec<KeyUsagePurpose>,
    pub(crate) is_ca: IsCa,
    /// The years it is valid in: from the first of January to the first of January.
    pub(crate) years: (i32, i32),
}

impl Default for Leaf {
    fn default() -> Self {
        Self {
            serial: 0x47_11,
            names: vec![(DnType::CommonName, "web-1"), (DnType::OrganizationalUnitName, "Shop")],
            alternatives: Vec::new(),
            usages: vec![KeyUsagePurpose::DigitalSignature],
            is_ca: IsCa::ExplicitNoCa,
            years: (2026, 2027),
        }
    }
}

impl Authority {
    /// One that has signed itself.
    pub(crate) fn root(name: &str) -> Self {
        Self::valid(name, (2025, 2030), None)
    }

    /// One that this one has signed.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self::valid(name, (2025, 2030), Some(self))
    }

    pub(crate) fn valid(name: &str, years: (i32, i32), issuer: Option<&Self>) -> Self {
        let usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let mut params = params((name.len() as u64, years), usages);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let made = match issuer {
            Some(issuer) => params.signed_by(&key, &issuer.issuer()),
            None => params.self_signed(&key),
        };
        Self { der: made.expect("signed").der().to_vec(), params, key }
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    /// The certificate in PEM.
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// The certificate as a header carries it.
    pub(crate) fn header(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// A leaf, as a header carries it.
    pub(crate) fn issue(&self, leaf: Leaf) -> String {
        self.issue_for(leaf, &KeyPair::generate().expect("a key"))
    }

    pub(crate) fn issue_for(&self, leaf: Leaf, key: &KeyPair) -> String {
        let mut params = params((leaf.serial, leaf.years), leaf.usages);
        for (kind, value) in leaf.names {
            params.distinguished_name.push(kind, value);
        }
        params.subject_alt_names = leaf.alternatives;
        params.is_ca = leaf.is_ca;
        STANDARD.encode(params.signed_by(key, &self.issuer()).expect("signed").der())
    }

    /// A revocation list with these serial numbers, in PEM.
    pub(crate) fn revoke(&self, serials: &[u64]) -> String {
        let revoked = serials.iter().map(|it| RevokedCertParams {
            serial_number: SerialNumber::from(*it),
            revocation_time: date_time_ymd(2026, 1, 2),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 2),
            next_update: date_time_ymd(2026, 1, 3),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        pem("X509 CRL", params.signed_by(&self.issuer()).expect("signed").der())
    }
}

fn params((serial, years): (u64, (i32, i32)), usages: Vec<KeyUsagePurpose>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params.key_usages = usages;
    params
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|it| str::from_utf8(it).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
