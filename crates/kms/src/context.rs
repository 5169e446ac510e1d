//! Encryption contexts as they come in requests.

use crate::exception::Exception;
use crate::limits;
use std::collections::BTreeMap;
use wire::members::Text;

/// Names and values, as given.
pub(crate) type ContextGiven = BTreeMap<String, Text>;

/// The pairs of `given`, sorted by the bytes of their names; none if nothing was given.
pub(crate) fn pairs(given: Option<&ContextGiven>) -> Vec<(&str, &str)> {
    let given = given.into_iter().flatten();
    given.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Refuses a context longer than anything is bound to.
pub(crate) fn check(pairs: &[(&str, &str)]) -> Result<(), Exception> {
    let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes <= limits::CONTEXT {
        return Ok(());
    }
    Err(Exception::Invalid(format!("EncryptionContext exceeds {} bytes.", limits::CONTEXT)))
}
