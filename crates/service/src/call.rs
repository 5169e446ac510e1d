//! One authenticated request, and the question whether it may.

use crate::context::Known;
use crate::denial::{Confidant, Denial};
use crate::rehearsal::Rehearsal;
use crate::{Access, Action, Caller, Endpoint, Event, Held, Member, Operation};
use async_trait::async_trait;
use base::{AccountId, Entropy, Region, Timestamp, Uuid};
use envelope::Keyring;
use policy::engine::{self, Attached, Context, Decision, Door, Policies, Request, Values};
use policy::{PolicyKind, Reason};
use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wire::Violations;

/// Who asks, when, from where, and what may be used to answer.
///
/// Made once per request, after the signature was checked; everything an operation learns about the
/// outside world is in here.
pub struct Call<'a> {
    /// When the request arrived. The only clock an operation sees.
    pub now: Timestamp,
    /// The id in `x-amzn-RequestId` and in the audit record.
    pub request_id: Uuid,
    /// Who signed, or whom the token is about.
    pub caller: &'a Caller,
    /// What its policies are.
    pub access: &'a Access,
    /// The service that makes this call for the caller, `secretsmanager.amazonaws.com`, if one does.
    pub via: Option<&'static str>,
    /// The Region the request was signed for.
    pub region: &'a Region,
    /// Where it came from.
    pub source: &'a Source,
    /// The only randomness an operation sees.
    pub entropy: &'a dyn Entropy,
    /// What seals and opens values.
    pub keyring: &'a Keyring,
    /// What an account may store at most.
    pub quotas: Quotas,
    /// What a service has of the machine besides: see [`Call::port`].
    port: Option<&'a (dyn Any + Send + Sync)>,
    /// What was done on the caller's behalf so far, for records of their own.
    notes: Mutex<Vec<Event>>,
    /// What seals the reasons of denials; without it nobody works them out.
    pub(crate) confidant: Option<&'a dyn Confidant>,
    /// Why the last question was answered with no.
    denial: Mutex<Option<Denial>>,
    /// Whether the call's own record tells why it was denied.
    explained: AtomicBool,
    rehearsal: Option<&'a Rehearsal>,
    gate: Option<&'a dyn Gate>,
    /// How long it has waited at the gate, in nanoseconds.
    waited: AtomicU64,
    _proof: Proof,
}

/// Holds readers of a secret up for the moment in which its password changes.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Waits until the value of the secret `arn` isn't about to change, for a moment at most, of which `before`
    /// is over. Tells how long that was, if there was anything to wait for.
    async fn pass(&self, arn: &str, before: Duration) -> Option<Duration>;

    /// Begins to listen for the end of what is called `what`, which others make. `None`: nobody makes it here.
    fn expect(&self, _what: &str) -> Option<Box<dyn Expected>> {
        None
    }
}

/// Something that others make, and that is listened for already.
#[async_trait]
pub trait Expected: Send + Sync {
    /// Waits until they are done with it, well or badly, for a moment at most; `false` if that wasn't enough.
    async fn done(self: Box<Self>) -> bool;
}

/// That a signature was right, the request's or that of a token in it; or that nothing will be permitted.
#[derive(Clone, Copy, Debug)]
pub struct Proof(());

impl Proof {
    /// For work that falls due: nobody asks for it from outside.
    pub(crate) fn of_stored_rule() -> Self {
        Self(())
    }
}

impl From<sigv4::Verified> for Proof {
    fn from(_: sigv4::Verified) -> Self {
        Self(())
    }
}

impl From<oidc::Verified> for Proof {
    fn from(_: oidc::Verified) -> Self {
        Self(())
    }
}

/// What an account may store in one Region at most; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Secrets, those scheduled for deletion included.
    pub secrets: Option<u64>,
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The peer's address, without a port; `AWS Internal`-like names for forwarded calls.
    pub address: String,
    /// The `User-Agent` header as it came, cut to 1 KB.
    pub user_agent: String,
    /// The `Referer` header as it came, cut to 1 KB, if there was one.
    pub referer: Option<String>,
    /// The private endpoint it came through, if it came through one.
    pub endpoint: Option<Arc<Endpoint>>,
    /// How the connection was protected, if it was.
    pub tls: Option<TlsDetails>,
}

/// The `tlsDetails` of an audit record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsDetails {
    /// `TLSv1.3`.
    pub tls_version: String,
    /// `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: String,
    /// The `Host` header, without a port.
    pub client_provided_host_header: String,
}

/// What a request wants to touch.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The account that owns it.
    pub account: &'a AccountId,
    /// Its ARN, or the raw name where the name leads nowhere; `None` for actions without resource.
    pub resource: Option<&'a str>,
    /// What a denial calls it, where that isn't `resource`.
    pub named: Option<&'a str>,
    /// The resource's own policies.
    pub policies: &'a [Attached<'a>],
    /// What those count for.
    pub door: Door,
    /// Whether it is a service's own, such as an AWS managed key: resource control policies leave it alone.
    pub of_service: bool,
    /// Condition keys that the resource has a value for.
    pub keys: &'a dyn Context,
    /// Whether a no is not the last word, so that nobody has to say why.
    pub tentative: bool,
}

impl<'a> Target<'a> {
    /// The resource of `account` called `resource`, of which nothing else is known.
    pub fn of(account: &'a AccountId, resource: Option<&'a str>) -> Self {
        let (named, policies, door, keys) = (None, &[], Door::Resource, &());
        let (of_service, tentative) = (false, false);
        Self { account, resource, named, policies, door, of_service, keys, tentative }
    }
}

/// Proof that the policies said yes.
#[derive(Debug)]
pub struct Permit(());

/// Why a request was turned away at the authorization stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A policy forbids it, or none permits it. The text names the kind of policy only.
    #[error("{0}")]
    Denied(String),
    /// A member breaks the model's constraints. The text lists all that do.
    #[error("{0}")]
    Invalid(String),
}

impl<'a> Call<'a> {
    /// A call by `caller`, as `proof` proves.
    pub fn new(
        proof: impl Into<Proof>,
        who: (&'a Caller, &'a Access),
        place: (&'a Region, &'a Source),
        when: (Timestamp, Uuid),
        tools: (&'a dyn Entropy, &'a Keyring),
    ) -> Self {
        Self::with(proof.into(), who, place, when, tools)
    }

    /// A call that nobody signed, and that permits nothing.
    pub(crate) fn rehearsing(
        rehearsal: &'a Rehearsal,
        who: (&'a Caller, &'a Access),
        place: (&'a Region, &'a Source),
        when: (Timestamp, Uuid),
        tools: (&'a dyn Entropy, &'a Keyring),
    ) -> Self {
        let call = Self::with(Proof(()), who, place, when, tools);
        Self { rehearsal: Some(rehearsal), ..call }
    }

    fn with(
        proof: Proof,
        (caller, access): (&'a Caller, &'a Access),
        (region, source): (&'a Region, &'a Source),
        (now, request_id): (Timestamp, Uuid),
        (entropy, keyring): (&'a dyn Entropy, &'a Keyring),
    ) -> Self {
        Self {
            now,
            request_id,
            caller,
            access,
            via: None,
            region,
            source,
            entropy,
            keyring,
            quotas: Quotas::default(),
            port: None,
            notes: Mutex::default(),
            confidant: None,
            denial: Mutex::default(),
            explained: AtomicBool::new(false),
            rehearsal: None,
            gate: None,
            waited: AtomicU64::new(0),
            _proof: proof,
        }
    }

    /// The call that `service`, such as `secretsmanager.amazonaws.com`, makes for this one's caller.
    pub fn forwarded(&self, service: &'static str) -> Call<'_> {
        Call {
            via: Some(service),
            notes: Mutex::default(),
            denial: Mutex::default(),
            explained: AtomicBool::new(false),
            waited: AtomicU64::new(0),
            ..*self
        }
    }

    /// The same call, whose denials are told to `confidant`.
    pub fn confiding(self, confidant: &'a dyn Confidant) -> Self {
        Self { confidant: Some(confidant), ..self }
    }

    /// The same call, which waits at `gate` before it reads what is about to change.
    pub fn through(self, gate: &'a dyn Gate) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// Waits until the value of the secret `arn` isn't about to change, as often as the call is begun again, and for
    /// a moment at most in all. If it tells that there was something to wait for, what was read before is old.
    pub async fn wait_for(&self, arn: &str) -> bool {
        let Some(gate) = self.gate else { return false };
        let before = Duration::from_nanos(self.waited.load(Ordering::Relaxed));
        let Some(waited) = gate.pass(arn, before).await else { return false };
        let waited = u64::try_from((before + waited).as_nanos()).unwrap_or(u64::MAX);
        self.waited.store(waited, Ordering::Relaxed);
        true
    }

    /// Begins to listen for the end of `what`, which others make.
    pub(crate) fn expect(&self, what: &str) -> Option<Box<dyn Expected>> {
        self.gate?.expect(what)
    }

    /// Why the last question was answered with no, if it was and nobody has taken it yet: for the record
    /// of what it was asked for.
    pub fn take_denial(&self) -> Option<Denial> {
        self.denial().take()
    }

    /// Has the call's own record tell why, if the call fails for it.
    pub fn keep_denial(&self, denial: Option<Denial>) {
        *self.denial() = denial;
    }

    fn denial(&self) -> MutexGuard<'_, Option<Denial>> {
        self.denial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the call's own record tells why it was denied.
    pub fn is_explained(&self) -> bool {
        self.explained.load(Ordering::Relaxed)
    }

    pub(crate) fn set_explained(&self) {
        self.explained.store(true, Ordering::Relaxed);
    }

    /// Notes something that was done on the caller's behalf: it gets a record of its own, with the call's,
    /// whatever the call ends in.
    pub fn note(&self, event: Event) {
        self.notes().push(event);
    }

    /// What was noted since it was last asked for.
    pub(crate) fn take_notes(&self) -> Vec<Event> {
        std::mem::take(&mut *self.notes())
    }

    fn notes(&self) -> MutexGuard<'_, Vec<Event>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same call under `quotas`.
    pub fn under(self, quotas: Quotas) -> Self {
        Self { quotas, ..self }
    }

    /// The same call with `port`, for the service that knows what it is.
    pub fn with_port(self, port: &'a (dyn Any + Send + Sync)) -> Self {
        Self { port: Some(port), ..self }
    }

    /// What the doors have handed in for a service, if it is a `T`.
    pub fn port<T: 'static>(&self) -> Option<&'a T> {
        self.port?.downcast_ref()
    }

    /// Lets `operation` touch `target`: asks the policies, then checks the model's constraints.
    ///
    /// In this order, so that a stranger with a malformed request learns only that it is a stranger.
    pub fn admit<O: Operation>(
        &self,
        operation: &O,
        target: Target<'_>,
    ) -> Result<Permit, Refusal> {
        let permit = self.permit(operation, O::ACTION, target)?;
        self.validate(operation)?;
        Ok(permit)
    }

    /// Asks the policies for `action`, with the condition keys that `operation` has values for.
    pub fn permit<O: Operation>(
        &self,
        operation: &O,
        action: Action,
        target: Target<'_>,
    ) -> Result<Permit, Refusal> {
        self.ask(action, &target, &Parameters(operation))
    }

    /// Checks the model's constraints. The policies come first: see [`Call::admit`].
    pub fn validate<O: Operation>(&self, operation: &O) -> Result<(), Refusal> {
        let mut found = Violations::default();
        operation.constraints(&mut found);
        match found.message() {
            Some(message) => Err(Refusal::Invalid(message)),
            None => Ok(()),
        }
    }

    /// Asks the policies alone: for actions an operation needs besides its own.
    pub fn authorize(&self, action: Action, target: Target<'_>) -> Result<Permit, Refusal> {
        self.ask(action, &target, &())
    }

    fn ask(
        &self,
        action: Action,
        target: &Target<'_>,
        parameters: &dyn Context,
    ) -> Result<Permit, Refusal> {
        let request = Request {
            caller: self.caller.of_engine(),
            action: action.0,
            resource: target.resource,
            resource_account: target.account,
            context: &Known {
                call: self,
                owner: target.resource.map(|_| target.account),
                parameters,
                resource: target.keys,
            },
        };
        let Access { identity, boundary, session, .. } = self.access;
        let attach = |held: &'a [Held]| held.iter().map(Held::attached).collect::<Vec<_>>();
        let (identity, session) = (attach(identity), session.as_deref().map(attach));
        let levels = self.member(&self.caller.account).map(|it| &*it.service_control);
        let levels: Vec<_> = levels.unwrap_or_default().iter().map(|it| attach(it)).collect();
        let levels: Vec<&[Attached<'_>]> = levels.iter().map(Vec::as_slice).collect();
        let resource_control: Vec<_> =
            self.resource_control(&request, target).iter().flat_map(|it| attach(it)).collect();
        let policies = Policies {
            service_control: &levels,
            resource_control: &resource_control,
            endpoint: self.endpoint().and_then(|it| it.policy.as_ref()).map(Held::attached),
            resource: target.policies,
            identity: &identity,
            boundary: boundary.as_ref().map(Held::attached),
            session: session.as_deref(),
            door: target.door,
        };
        self.judge((&request, target), &policies, parameters)
    }

    fn judge(
        &self,
        (request, target): (&Request<'_>, &Target<'_>),
        policies: &Policies<'_>,
        parameters: &dyn Context,
    ) -> Result<Permit, Refusal> {
        if let Some(rehearsal) = self.rehearsal {
            rehearsal.ask(self, (request, target), policies, parameters);
            return Err(Refusal::Denied(String::new()));
        }
        let decision = engine::decide(request, policies);
        let Some(reason) = told(request, policies, decision) else { return Ok(Permit(())) };
        if self.confidant.is_some() && !target.tentative {
            let of = (request, target);
            *self.denial() = Some(Denial::of(self, of, (policies, decision), parameters));
        }
        let named = target.named.or(target.resource);
        Err(Refusal::Denied(policy::denial_text(&self.caller.arn, request.action, named, reason)))
    }

    /// The place of `account` in the organization, if it has one.
    pub(crate) fn member(&self, account: &AccountId) -> Option<&'a Member> {
        self.access.organization.as_ref()?.members.get(account)
    }

    /// The resource control policies that stand over what `request` wants to touch.
    fn resource_control(&self, request: &Request<'_>, target: &Target<'_>) -> &'a [Arc<[Held]>] {
        match self.member(target.account) {
            Some(member)
                if !target.of_service && engine::is_resource_controlled(request.action) =>
            {
                &member.resource_control
            }
            _ => &[],
        }
    }

    /// The private endpoint that the caller came through. A call that a service makes for it doesn't.
    pub(crate) fn endpoint(&self) -> Option<&'a Endpoint> {
        self.source.endpoint.as_deref().filter(|_| self.via.is_none())
    }

    /// The target of an action that has no resource: the caller's own account.
    pub fn own_account(&self) -> Target<'_> {
        Target::of(&self.caller.account, None)
    }
}

/// Why not, as far as the caller is told. Who is of another account hears the same of a resource whose own
/// policy forbids it as of one that doesn't exist.
fn told(request: &Request<'_>, policies: &Policies<'_>, decision: Decision<'_>) -> Option<Reason> {
    let reason = decision.reason()?;
    let own = request.caller.account == request.resource_account;
    match reason {
        Reason::Explicit(kind @ (PolicyKind::Resource | PolicyKind::RoleTrust)) if !own => {
            let without = Policies { resource: &[], ..*policies };
            // A grant would allow it: then the key is no secret, but its policy still is.
            let reason = engine::decide(request, &without).reason();
            Some(reason.unwrap_or(Reason::Implicit(kind)))
        }
        _ => Some(reason),
    }
}

/// The condition keys that an operation's parameters have a value for.
struct Parameters<'a, O>(&'a O);

impl<O: Operation> Context for Parameters<'_, O> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        self.0.condition(key)
    }
}

impl std::fmt::Debug for Target<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = out.debug_struct("Target");
        out.field("account", self.account).field("resource", &self.resource);
        out.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Errand;
    use base::SystemEntropy;
    use envelope::{Key, LocalRoot, Roots};

    /// Shut twice for a while, and then no more; notes what it was told.
    #[derive(Default)]
    struct TwiceShut(Mutex<Vec<Duration>>);

    #[async_trait]
    impl Gate for TwiceShut {
        async fn pass(&self, _: &str, before: Duration) -> Option<Duration> {
            let mut told = self.0.lock().expect("not poisoned");
            told.push(before);
            (told.len() <= 2).then_some(Duration::from_millis(100))
        }
    }

    #[tokio::test]
    async fn a_call_that_begins_again_waits_again() {
        let root = LocalRoot::new("test", Key::random(&SystemEntropy)).expect("made");
        let keyring = Keyring::new(Roots::only(Arc::new(root)));
        let account = AccountId::from_number(1).expect("valid");
        let errand = Errand::new(&account, &"us-east-1".parse().expect("valid"), "test");
        let when = (Timestamp::from_secs(0), Uuid::random(&SystemEntropy));
        let gate = TwiceShut::default();
        let call = errand.call(when, (&SystemEntropy, &keyring)).through(&gate);
        let waited = [call.wait_for("a").await, call.wait_for("a").await, call.wait_for("a").await];
        assert_eq!(waited, [true, true, false]);
        let told = gate.0.lock().expect("not poisoned").clone();
        assert_eq!(told, [0, 100, 200].map(Duration::from_millis));
    }
}
