//! Who was given sessions: one row for each subject, whatever certificates it shows.

use crate::kept::{self, Kept};
use crate::rows::{Shown, Subject};
use crate::{Certificate, Error};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::Call;
use std::collections::BTreeMap;
use store::Txn;

/// Notes that the subject of `leaf` was given a session; answers its ARN.
pub(crate) async fn seen(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    leaf: &Certificate,
) -> Result<String, Error> {
    let id = subject_id(&leaf.subject_hash);
    let shown = Shown {
        serial: leaf.serial().to_owned(),
        issuer: leaf.issuer.clone(),
        certificate: STANDARD.encode(&leaf.der),
        seen: call.now,
    };
    let mut subject = kept::find::<Subject>(call, txn, &id).await?.unwrap_or_else(|| Kept {
        arn: kept::arn::<Subject>(call, &id),
        id,
        name: String::new(),
        enabled: true,
        created: call.now,
        updated: call.now,
        tags: BTreeMap::new(),
        what: Subject {
            distinguished: leaf.subject.clone(),
            seen: call.now,
            credentials: Vec::new(),
        },
    });
    let credentials = &mut subject.what.credentials;
    credentials.retain(|it| it.certificate != shown.certificate);
    credentials.push(shown);
    let excess = credentials.len().saturating_sub(MOST_CREDENTIALS);
    credentials.drain(..excess);
    subject.what.seen = call.now;
    Ok(subject.saved(call, txn)?.arn)
}

/// A UUID (version 8) made of a hash, so that one subject has one id.
fn subject_id(hash: &[u8; 32]) -> String {
    let number = hash.iter().take(16).fold(0_u128, |number, it| number << 8 | u128::from(*it));
    let number = number & !(0xf << 76) & !(3 << 62) | 8 << 76 | 2 << 62;
    let digits = format!("{number:032x}");
    let part = |from, to| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// Certificates that a subject is known by, at most.
const MOST_CREDENTIALS: usize = 10;
