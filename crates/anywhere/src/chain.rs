//! From a certificate to an authority that somebody trusts, and whether it was revoked on the way.

use crate::Certificate;
use base::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{
    ALL_VERIFICATION_ALGS, BorrowedCertRevocationList, CertRevocationList, EndEntityCert,
    ExtendedKeyUsageValidator, KeyPurposeIdIter, RevocationCheckDepth, RevocationOptions,
    RevocationOptionsBuilder, UnknownStatusPolicy,
};
use x509_parser::parse_x509_certificate;
use x509_parser::time::ASN1Time;

/// A certificate and those it came with.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    pub(crate) leaf: &'a Certificate,
    /// As DER, in any order.
    pub(crate) intermediates: &'a [Vec<u8>],
    pub(crate) now: Timestamp,
}

/// Any extended key usage: the service asks for none.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

impl Path<'_> {
    /// Whether it leads to one of `authorities`, DER, with everything on it valid now.
    pub(crate) fn leads_to(self, authorities: &[Vec<u8>]) -> bool {
        self.build(authorities, None).is_ok()
    }

    /// Whether one of `lists`, DER, has revoked something on the path; also if a list that speaks of the
    /// path can't be believed.
    pub(crate) fn is_revoked(self, authorities: &[Vec<u8>], lists: &[Vec<u8>]) -> bool {
        // One by one: of two lists of one issuer only the first would be looked at.
        lists.iter().any(|list| {
            let Ok(list) = BorrowedCertRevocationList::from_der(list) else { return true };
            let list = CertRevocationList::from(list);
            let lists = [&list];
            let Ok(options) = RevocationOptionsBuilder::new(&lists) else { return true };
            let options = options
                .with_depth(RevocationCheckDepth::Chain)
                .with_status_policy(UnknownStatusPolicy::Allow)
                .build();
            self.build(authorities, Some(options)).is_err()
        })
    }

    fn build(
        self,
        authorities: &[Vec<u8>],
        revocation: Option<RevocationOptions<'_>>,
    ) -> Result<(), webpki::Error> {
        let seconds = u64::try_from(self.now.secs()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let authorities: Vec<_> = authorities
            .iter()
            .filter(|it| is_valid(it, self.now))
            .map(|it| CertificateDer::from(it.as_slice()))
            .collect();
        let anchors: Vec<TrustAnchor<'_>> =
            authorities.iter().filter_map(|it| webpki::anchor_from_trusted_cert(it).ok()).collect();
        let intermediates: Vec<_> =
            self.intermediates.iter().map(|it| CertificateDer::from(it.as_slice())).collect();
        let leaf = CertificateDer::from(self.leaf.der.as_slice());
        let leaf = EndEntityCert::try_from(&leaf)?;
        let algorithms = ALL_VERIFICATION_ALGS;
        leaf.verify_for_usage(algorithms, &anchors, &intermediates, now, AnyUsage, revocation, None)
            .map(drop)
    }
}

/// Whether the authority itself is valid: a trust anchor ends with its certificate.
fn is_valid(authority: &[u8], now: Timestamp) -> bool {
    let at = ASN1Time::from_timestamp(now.secs());
    let parsed = parse_x509_certificate(authority);
    at.is_ok_and(|at| parsed.is_ok_and(|(_, it)| it.validity().is_valid_at(at)))
}
