//! Whom an account's trust anchors believe.
//!
//! The door asks [`caller`] before there is a call, so that who shows a certificate of no authority is
//! turned away like who signs with an unknown key. `CreateSession` asks again, in its own transaction,
//! and looks at the anchor's switch and its revocation lists.

use crate::chain::Path;
use crate::kept::{self, Kept};
use crate::rows::{Crl, TrustAnchor};
use crate::{Certificate, Error, HOST, bundle, certificate};
use base::{AccountId, Arn, Region, Timestamp};
use serde::Deserialize;
use service::{Call, Caller, Kind};
use store::Txn;

/// What the door needs of a request's members.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    trust_anchor_arn: Option<String>,
    certificate_chain: Option<String>,
}

/// The service as the caller, in the account of the trust anchor that a request of CreateSession, as one
/// JSON object, names; or what the client is told: nothing of whether there is such an anchor.
///
/// # Errors
///
/// The store's.
pub async fn caller(
    txn: &mut Txn<'_>,
    (leaf, members): (&Certificate, &[u8]),
    region: &Region,
    now: Timestamp,
) -> Result<Result<Caller, Error>, store::Error> {
    if let Err(unfit) = leaf.check_time(now) {
        return Ok(Err(unfit.into()));
    }
    let asked = serde_json::from_slice::<Asked>(members).ok();
    let anchor = asked.as_ref().and_then(|it| named(it.trust_anchor_arn.as_deref()?, region));
    let Some((account, id)) = anchor else { return Ok(Err(untrusted())) };
    let found = txn.find(&kept::table::<TrustAnchor>(), &(&account, region, &*id)).await?;
    let chain = asked.and_then(|it| certificate::chain(it.certificate_chain.as_deref()).ok());
    let (Some(anchor), Some(chain)) = (found, chain) else { return Ok(Err(untrusted())) };
    let path = Path { leaf, intermediates: &chain, now };
    let authorities = bundle::authorities(&anchor.what.bundle).unwrap_or_default();
    if !path.leads_to(&authorities) {
        return Ok(Err(untrusted()));
    }
    Ok(Ok(Caller {
        // Each certificate has its own rate.
        principal_id: format!("{account}:{}", leaf.serial()),
        account,
        arn: HOST.to_owned(),
        user_name: String::new(),
        access_key_id: leaf.serial().to_owned(),
        kind: Kind::Service { name: HOST },
        session: None,
    }))
}

/// The account and the id in the ARN of a trust anchor of `region`.
fn named(arn: &str, region: &Region) -> Option<(AccountId, String)> {
    let parsed = Arn::parse(arn).ok()?;
    let (word, id) = parsed.resource.split_once('/')?;
    let is_anchor = parsed.service == "rolesanywhere"
        && parsed.region == region.as_str()
        && word == "trust-anchor"
        && kept::is_id(id);
    Some((parsed.account()?, id.to_owned())).filter(|_| is_anchor)
}

/// The trust anchor `id`, if it believes the certificate `path` begins with, and lets it in.
///
/// # Errors
///
/// [`Error::Denied`]: to whom no path leads, whether there is an anchor stays untold.
pub(crate) async fn believed(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    id: Option<&str>,
    path: Path<'_>,
) -> Result<Kept<TrustAnchor>, Error> {
    path.leaf.check_time(call.now)?;
    let anchor = match id {
        Some(id) => kept::find::<TrustAnchor>(call, txn, id).await?,
        None => None,
    };
    let bundle = anchor.as_ref().map(|it| bundle::authorities(&it.what.bundle).unwrap_or_default());
    let authorities = bundle.unwrap_or_default();
    let anchor = anchor.filter(|_| path.leads_to(&authorities)).ok_or_else(untrusted)?;
    if !anchor.enabled {
        return Err(Error::Denied("Trust anchor is disabled".to_owned()));
    }
    for id in &anchor.what.crls {
        // A list that isn't there any more revokes nothing: it was deleted.
        let Some(crl) = kept::find::<Crl>(call, txn, id).await? else { continue };
        if crl.enabled && path.is_revoked(&authorities, &crl.what.lists()) {
            return Err(Error::Denied("Certificate has been revoked".to_owned()));
        }
    }
    Ok(anchor)
}

fn untrusted() -> Error {
    Error::Denied(UNTRUSTED.to_owned())
}

/// What a certificate is told that leads to no trust anchor.
pub const UNTRUSTED: &str = "Untrusted signing certificate";
