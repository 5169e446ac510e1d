//! Attributes of a certificate as tags of a session.
//!
//! A value that can't be a tag's (too long, or with other characters than tags have) is left out, and a
//! condition on it doesn't hold. Of two values under one name the first counts.
//!
//! Source: IAM Roles Anywhere User Guide, "Certificate attribute mapping", default rules.

use std::collections::BTreeMap;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::X509Name;

/// All tags of a session.
pub(crate) fn tags(parsed: &X509Certificate<'_>) -> BTreeMap<String, String> {
    let mut found = Tags::default();
    found.name("x509Subject", parsed.subject());
    found.name("x509Issuer", parsed.issuer());
    let alternatives = parsed.subject_alternative_name().ok().flatten();
    for name in alternatives.iter().flat_map(|it| &it.value.general_names) {
        match name {
            GeneralName::DNSName(text) => found.add("x509SAN/DNS", text),
            GeneralName::URI(text) => found.add("x509SAN/URI", text),
            GeneralName::DirectoryName(name) => found.name("x509SAN/Name", name),
            _ => (),
        }
    }
    found.0
}

/// The first common name, if it can be a source identity.
pub(crate) fn common_name(subject: &X509Name<'_>) -> Option<String> {
    let name = subject.iter_common_name().next()?.as_str().ok()?;
    let fits = |it: &str| (2..=64).contains(&it.len()) && it.bytes().all(is_of_identity);
    Some(name.to_owned()).filter(|it| fits(it))
}

/// Whether a session's name or a source identity may have it.
pub(crate) fn is_of_identity(it: u8) -> bool {
    it.is_ascii_alphanumeric() || b"_+=,.@-".contains(&it)
}

#[derive(Default)]
struct Tags(BTreeMap<String, String>);

impl Tags {
    fn name(&mut self, field: &str, name: &X509Name<'_>) {
        for attribute in name.iter_attributes() {
            let oid = attribute.attr_type().to_id_string();
            if let Some((_, short)) = NAMES.iter().find(|it| it.0 == oid)
                && let Ok(value) = attribute.as_str()
            {
                self.add(&format!("{field}/{short}"), value);
            }
        }
    }

    fn add(&mut self, name: &str, value: &str) {
        let is_of_tag =
            |it: char| it.is_alphanumeric() || it.is_whitespace() || "_.:/=+-@".contains(it);
        let fits = value.chars().count() <= 256 && value.chars().all(is_of_tag);
        if fits && self.0.len() < MOST && !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// The most tags of one session.
const MOST: usize = 50;

/// Object identifiers and the names that tags have for them.
const NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "T"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "I"),
    ("2.5.4.44", "GENERATION"),
    ("2.5.4.46", "DN"),
    ("2.5.4.65", "PSEUDONYM"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "E"),
];
