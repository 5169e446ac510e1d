//! Recorded calls, asked again with today's policies: by the operations' own code, which is told no
//! whatever it asks for, so that nothing is read out, changed or recorded.

mod caller;
mod proposal;

pub(super) use caller::{Recorded, owner};
pub(super) use proposal::{Part, Proposal};

use super::Admin;
use crate::front::Front;
use base::{Timestamp, Uuid};
use policy::message::Message;
use service::rehearsal::Answered;
use service::{Access, Action, Caller, Kind, Rehearsal};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a recorded call can't be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unjudged {
    /// The record doesn't tell what it was about.
    Content,
    /// A condition asks for what the record doesn't tell.
    Context,
    /// The user or role is no longer there.
    Gone,
    /// What the caller had isn't known any more: policies of the session, a token, a certificate, a private
    /// endpoint.
    Session,
}

impl Unjudged {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Content => "the record does not tell what the call was about",
            Self::Context => "a condition asks for what the record does not tell",
            Self::Gone => "the user or role is no longer there",
            Self::Session => "the record does not tell all that the caller had",
        }
    }
}

/// What callers may do, gathered once for many records.
#[derive(Default)]
pub(super) struct Known(BTreeMap<String, Option<Arc<Access>>>);

/// More callers are gathered anew.
const MOST_KNOWN: usize = 1000;

impl Admin {
    /// What the policies say to `recorded`, made at `now`, with `proposal` in its place.
    pub(super) async fn replay(
        &self,
        (recorded, now): (&Recorded, Timestamp),
        proposal: Option<&Proposal>,
        (known, explains): (&mut Known, bool),
    ) -> Result<Answered, Unjudged> {
        let caller = recorded.caller().ok_or(Unjudged::Session)?;
        let access = known.access(&self.front, &caller).await.ok_or(Unjudged::Gone)?;
        let access = proposal.map_or_else(|| Arc::clone(&access), |it| it.given(&caller, &access));
        let instead = proposal.and_then(Proposal::instead);
        let rehearsal = Rehearsal::new(instead, explains, unknown(&caller, recorded));
        let front = &self.front;
        let (region, source) = (recorded.region().ok_or(Unjudged::Content)?, recorded.source());
        let id = Uuid::random(&*front.entropy);
        let place = (&region, &source);
        let tools = (&*front.entropy, &*front.keyring);
        let call = rehearsal.call((&caller, &access), place, (now, id), tools);
        ask(front, &call, recorded).await.ok_or(Unjudged::Content)?;
        rehearsal.answer().ok_or(Unjudged::Content)
    }

    /// The messages in `recorded`, opened.
    pub(super) async fn messages(&self, recorded: &Recorded) -> Vec<Message> {
        let front = &self.front;
        let (account, region) = crate::start::nowhere();
        let scope = self.scope(front.clock.now(), (&account, &region));
        let mut opened: Vec<Message> = Vec::new();
        for (text, account) in recorded.sealed() {
            let Some(account) = account.or_else(|| owner(opened.first())) else { continue };
            let mut txn = store::begin(&*front.backend);
            let message = identity::authorization::open(&mut txn, &scope, &account, text).await;
            opened.extend(message.ok().flatten());
        }
        opened
    }
}

impl Known {
    async fn access(&mut self, front: &Front, caller: &Caller) -> Option<Arc<Access>> {
        // A role's sessions have the same policies.
        let key = match &caller.kind {
            Kind::RoleSession { role_id, .. } => role_id,
            _ => &caller.principal_id,
        };
        if let Some(access) = self.0.get(key) {
            return access.clone();
        }
        let mut txn = store::begin(&*front.backend);
        let gathered = identity::gather(&mut txn, caller).await.ok().flatten().map(Arc::new);
        if MOST_KNOWN <= self.0.len() {
            self.0.clear();
        }
        self.0.insert(key.clone(), gathered.clone());
        gathered
    }
}

/// Asks for what `recorded` had asked for.
async fn ask(front: &Front, call: &service::Call<'_>, recorded: &Recorded) -> Option<()> {
    let (source, name) = (&*recorded.event_source, &*recorded.event_name);
    if source == KMS && recorded.on_behalf() {
        return ask_for_key(front, &call.forwarded(SECRETS), recorded).await;
    }
    let row = front.routes.find_recorded(source, name)?;
    row.rehearse(call, &recorded.request_parameters, &*front.backend).await.ok()
}

/// The use of a key that a service made for the caller.
async fn ask_for_key(front: &Front, call: &service::Call<'_>, recorded: &Recorded) -> Option<()> {
    let action = match &*recorded.event_name {
        "Decrypt" => Action("kms:Decrypt"),
        "Encrypt" => Action("kms:Encrypt"),
        "GenerateDataKey" => Action("kms:GenerateDataKey"),
        _ => return None,
    };
    let mut txn = store::begin(&*front.backend);
    let key = kms::find_key(&mut txn, &recorded.resources.first()?.arn).await.ok()??;
    let context = recorded.request_parameters.get("encryptionContext")?.as_object()?;
    let context: Vec<_> =
        context.iter().filter_map(|(name, it)| Some((name.as_str(), it.as_str()?))).collect();
    let _refused = kms::authorize(call, &mut txn, (&key, None), action, &context).await;
    Some(())
}

/// The condition keys that nobody knows any more.
fn unknown(caller: &Caller, recorded: &Recorded) -> Vec<&'static str> {
    let mut unknown = vec!["aws:referer"];
    if caller.session.is_some() {
        unknown.push("aws:multifactorauthage");
    }
    // Whether the code was right isn't recorded, and neither is the code.
    if recorded.request_parameters.get("serialNumber").is_some() {
        unknown.extend(["aws:multifactorauthpresent", "aws:multifactorauthage"]);
    }
    if matches!(caller.kind, Kind::RoleSession { .. }) {
        unknown.push("aws:principaltag/");
    }
    if recorded.on_behalf() && recorded.event_source != KMS {
        unknown.push("aws:sourceip");
    }
    if recorded.on_behalf() {
        unknown.extend(["aws:useragent", "aws:securetransport"]);
    }
    unknown
}

const KMS: &str = "kms.amazonaws.com";
const SECRETS: &str = "secretsmanager.amazonaws.com";
