//! Asking again what was asked before: the same questions, and nothing that comes after them.

use crate::context::Known;
use crate::denial::asker;
use crate::{Access, Call, Caller, Held, Source, Target};
use base::{Entropy, Region, Timestamp, Uuid};
use envelope::Keyring;
use policy::engine::{Attached, Context, Policies, Request, Values, decide};
use policy::message::{Message, Side};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A call that is made again in order to learn what the policies say now. Nobody signed it, so it permits
/// nothing: whatever is asked, its operation hears a refusal, and the answer is kept here.
#[derive(Debug)]
pub struct Rehearsal {
    /// Stands in for a resource's own policies: whose, and what it would say.
    instead: Option<(String, Held)>,
    /// Whether to say why.
    explains: bool,
    /// Keys in lower case, or prefixes of keys with a `/` at their end, of which nobody knows any more
    /// what they were.
    unknown: Vec<&'static str>,
    answer: Mutex<Option<Answered>>,
}

/// What the policies say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whether it may happen.
    pub allowed: bool,
    /// The action that was asked for.
    pub action: String,
    /// What for.
    pub resource: Option<String>,
    /// Condition keys that decide and that nobody knows any more.
    pub unknown: BTreeSet<String>,
    /// Why, if that was wanted.
    pub why: Option<Box<Message>>,
}

impl Rehearsal {
    /// What the policies said to the last question.
    pub fn answer(&self) -> Option<Answered> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Nothing asked yet. `unknown` are keys in lower case, or prefixes that end in `/`.
    pub fn new(
        instead: Option<(String, Held)>,
        explains: bool,
        unknown: Vec<&'static str>,
    ) -> Self {
        Self { instead, explains, unknown, answer: Mutex::default() }
    }

    /// A call by `caller` that only asks. `place` is where it is said to come from, `when` its instant and
    /// its id.
    pub fn call<'a>(
        &'a self,
        (caller, access): (&'a Caller, &'a Access),
        (region, source): (&'a Region, &'a Source),
        (now, request_id): (Timestamp, Uuid),
        (entropy, keyring): (&'a dyn Entropy, &'a Keyring),
    ) -> Call<'a> {
        let (who, place) = ((caller, access), (region, source));
        Call::rehearsing(self, who, place, (now, request_id), (entropy, keyring))
    }

    /// Keeps what `policies` say to `request`.
    pub(crate) fn ask(
        &self,
        call: &Call<'_>,
        (request, target): (&Request<'_>, &Target<'_>),
        policies: &Policies<'_>,
        parameters: &dyn Context,
    ) {
        let instead = self.instead.as_ref().filter(|it| target.resource == Some(it.0.as_str()));
        let own = instead.map(|it| it.1.attached());
        let own: Option<[Attached<'_>; 1]> = own.map(|it| [it]);
        let resource = own.as_ref().map_or(policies.resource, |it| it);
        let policies = Policies { resource, ..*policies };
        let owner = target.resource.map(|_| target.account);
        let known = Known { call, owner, parameters, resource: target.keys };
        let watch = Watch { known, rehearsal: self, unknown: RefCell::default() };
        let watched = Request { context: &watch, ..*request };
        let decision = decide(&watched, &policies);
        let id = call.request_id.to_string();
        let why = || Message::of(request, &policies, asker(call, &id), (Side::Both, decision));
        let answered = Answered {
            allowed: decision.is_allow(),
            action: request.action.to_owned(),
            resource: target.named.or(target.resource).map(str::to_owned),
            why: self.explains.then(|| Box::new(why())),
            unknown: watch.unknown.into_inner(),
        };
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answered);
    }
}

/// Remembers which of the unknown keys were asked for.
struct Watch<'a> {
    known: Known<'a>,
    rehearsal: &'a Rehearsal,
    unknown: RefCell<BTreeSet<String>>,
}

impl Context for Watch<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        let is = |it: &&str| key == *it || it.ends_with('/') && key.starts_with(*it);
        if self.rehearsal.unknown.iter().any(is) {
            self.unknown.borrow_mut().insert(key.to_owned());
        }
        self.known.find(key)
    }
}

/// The parameters of a record as a client sends them: names begin with a capital letter. The names in an
/// encryption context are the client's own.
pub(crate) fn as_sent(recorded: &Value) -> Value {
    match recorded {
        Value::Array(list) => list.iter().map(as_sent).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, it)| {
                let own = name.starts_with("encryptionContext");
                (capital(name), if own { it.clone() } else { as_sent(it) })
            })
            .collect(),
        Value::Null => Value::Object(serde_json::Map::new()),
        other => other.clone(),
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|it| it.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn recorded_parameters_become_a_request_again() {
        for (recorded, sent) in [
            (json!(null), json!({})),
            (
                json!({ "secretId": "a", "tags": [{ "key": "k" }] }),
                json!({ "SecretId": "a", "Tags": [{ "Key": "k" }] }),
            ),
            (
                json!({ "encryptionContext": { "tenant": "x" }, "dryRun": true }),
                json!({ "EncryptionContext": { "tenant": "x" }, "DryRun": true }),
            ),
        ] {
            assert_eq!(as_sent(&recorded), sent);
        }
    }
}
