//! Why a call is denied: worked out at the stop that denies, sealed for its record.
//!
//! Nothing of this happens on the way of a call that is allowed.

use crate::context::Known;
use crate::{Call, Kind, Target};
use async_trait::async_trait;
use base::AccountId;
use policy::engine::{Context, Decision, Policies, Request};
use policy::message::{Asker, Message, Side};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// Seals what only an account's own principals may read.
#[async_trait]
pub trait Confidant: Send + Sync {
    /// `message` for the principals of `account`, as text; `None` if it can't be sealed, or if there is no
    /// such account.
    async fn seal(&self, call: &Call<'_>, account: &AccountId, message: &[u8]) -> Option<String>;
}

/// Why a call is denied, for its record: the messages to seal, one for each account that is concerned.
#[derive(Clone, Debug)]
pub struct Denial(Arc<Kept>);

#[derive(Debug)]
enum Kept {
    /// The record of another event of the same call tells it.
    Elsewhere(Value),
    Here {
        /// For the caller's account, and for the resource's if that is another.
        messages: Vec<(AccountId, Vec<u8>)>,
        sealed: OnceLock<Value>,
    },
}

impl Denial {
    /// A denial that the record of the event `name` of `source` tells, with the same request id.
    pub fn elsewhere(source: &str, name: &str) -> Self {
        let told = json!({ "explainedBy": { "eventSource": source, "eventName": name } });
        Self(Arc::new(Kept::Elsewhere(told)))
    }

    /// Why `request` ended in `decision`.
    pub(crate) fn of(
        call: &Call<'_>,
        (request, target): (&Request<'_>, &Target<'_>),
        (policies, decision): (&Policies<'_>, Decision<'_>),
        parameters: &dyn Context,
    ) -> Self {
        let id = call.request_id.to_string();
        let asker = asker(call, &id);
        let message = if target.account == &call.caller.account {
            Message::of(request, policies, asker, (Side::Both, decision))
        } else {
            // What stands with somebody else's resource, and whether there is one, is not the caller's.
            let context = Known { call, owner: None, parameters, resource: &() };
            let resource = target.named.or(target.resource);
            let request = Request { resource, context: &context, ..*request };
            let own = Policies { resource: &[], resource_control: &[], ..*policies };
            Message::of(&request, &own, asker, (Side::Caller, decision))
        };
        let mut messages = vec![(call.caller.account.clone(), message.to_bytes())];
        if target.account != &call.caller.account && !target.policies.is_empty() {
            let theirs = Policies {
                service_control: &[],
                endpoint: None,
                identity: &[],
                boundary: None,
                session: None,
                ..*policies
            };
            let message = Message::of(request, &theirs, asker, (Side::Owner, decision));
            messages.push((target.account.clone(), message.to_bytes()));
        }
        Self(Arc::new(Kept::Here { messages, sealed: OnceLock::new() }))
    }

    /// Seals the messages, for [`Denial::shown`].
    pub(crate) async fn seal(&self, call: &Call<'_>) {
        let (Kept::Here { messages, sealed }, Some(confidant)) = (&*self.0, call.confidant) else {
            return;
        };
        let mut told = serde_json::Map::new();
        for (account, message) in messages {
            let name = if *account == call.caller.account { MESSAGE } else { OWNERS_MESSAGE };
            if let Some(text) = confidant.seal(call, account, message).await {
                told.insert(name.to_owned(), text.into());
            }
        }
        if !told.is_empty() {
            let _once = sealed.set(Value::Object(told));
        }
    }

    /// The `additionalEventData` of the record.
    pub(crate) fn shown(&self) -> Option<&Value> {
        match &*self.0 {
            Kept::Elsewhere(told) => Some(told),
            Kept::Here { sealed, .. } => sealed.get(),
        }
    }
}

/// The caller of `call`, as messages know it.
pub(crate) fn asker<'a>(call: &'a Call<'_>, id: &'a str) -> Asker<'a> {
    let is_user = call.caller.kind == Kind::User;
    Asker {
        request_id: id,
        at: call.now,
        id: &call.caller.principal_id,
        name: is_user.then_some(call.caller.user_name.as_str()),
    }
}

/// The member of `additionalEventData` with the message for the caller's account.
pub const MESSAGE: &str = "encodedAuthorizationMessage";
/// The same for the account of the resource, if that is another.
pub const OWNERS_MESSAGE: &str = "ownerEncodedAuthorizationMessage";
