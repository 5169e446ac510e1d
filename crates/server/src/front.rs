//! The front door: one request from its head to its answer.
//!
//! The stops in order, in [`Front::process`], [`Front::serve`] and [`Front::answer`]: route, read the body,
//! authenticate, make the call, throttle, serve. What comes after is the operation's and `service::execute`'s.

use crate::authenticate::{Authenticator, Refused, Signed, reason};
use crate::body::{self, BodyError};
use crate::config::LimitsConfig;
use crate::connection::Answer;
use crate::drain::Drain;
use crate::hush::{Hush, Last};
use crate::issuers::Issuers;
use crate::last_use::Uses;
use crate::metrics::{Metrics, Outcome, Reason};
use crate::peer::Peer;
use crate::respond::{Dates, TOO_LARGE, TOO_SLOW, UNAVAILABLE, bare, name_authorization, respond};
use crate::route::{Head, Protocol, Route, Routes};
use crate::throttle::{Asker, Group, Throttle};
use base::{Clock, Entropy, Region, Timestamp, Uuid};
use bytes::Bytes;
use envelope::Keyring;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use identity::sts;
use service::{Call, Kind, Ports, Quotas, Reply, Trail, Turns};
use sigv4::Rejection;
use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use store::Backend;
use tokio::sync::Notify;
use tokio::time::{Instant as Deadline, timeout, timeout_at};
use wire::Code;
use wire::query::Parameters;

/// Everything requests are answered with. Shared by all connections.
pub(crate) struct Front {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) trail: Arc<dyn Trail>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) routes: Routes,
    pub(crate) authenticator: Authenticator,
    /// Who issues tokens.
    pub(crate) issuers: Issuers,
    /// The Region that unsigned requests are served in.
    pub(crate) home: Region,
    pub(crate) throttle: Option<Throttle>,
    /// What functions need of this machine.
    pub(crate) functions: functions::Machine,
    /// The records that were written.
    pub(crate) records: cloudtrail::Asker,
    pub(crate) finder: Arc<trail::lookup::Finder>,
    /// What an account may store at most.
    pub(crate) quotas: Quotas,
    pub(crate) limits: LimitsConfig,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) dates: Dates,
    /// For strangers' failures.
    pub(crate) hush: Hush,
    /// Woken when something may fall due earlier than was known.
    pub(crate) sooner: Arc<Notify>,
    /// Woken when a rotation may be due earlier than was known.
    pub(crate) rotates: Arc<Notify>,
    /// Where readers of a secret wait whose password is just changing.
    pub(crate) barrier: Arc<rotation::Barrier>,
    /// Access keys and roles that were used.
    pub(crate) uses: Uses,
    /// Begun when the server is to stop.
    pub(crate) draining: Drain,
}

/// The front door as one connection sees it.
pub(crate) struct Door {
    pub(crate) front: Arc<Front>,
    pub(crate) peer: Peer,
}

/// Headers a request may have: what HTTP/1.1 is held to before it gets here. An h2 head of few bytes
/// can unfold to thousands, which would be kept until the body is there.
const MOST_HEADERS: usize = 100;

/// A request on its way: what is known of it from the start.
pub(crate) struct Arrival<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) peer: &'a Peer,
    pub(crate) now: Timestamp,
    pub(crate) id: Uuid,
    pub(crate) deadline: Deadline,
    protocol: Protocol,
    /// How long the answer waits after its record: it turns away one of too many.
    hold: OnceLock<Duration>,
    /// Whether the record tells why the call was denied.
    explained: OnceLock<()>,
}

impl Answer for Door {
    type Body = Full<Bytes>;

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (begun, front) = (Instant::now(), &*self.front);
        let now = front.clock.now();
        let id = Uuid::random(&*front.entropy);
        let (parts, body) = request.into_parts();
        let head = front.routes.find(&parts);
        let arrival = Arrival {
            parts: &parts,
            peer: &self.peer,
            now,
            id,
            deadline: Deadline::from_std(begun) + front.limits.request_timeout + head.room().1,
            protocol: head.protocol(),
            hold: OnceLock::new(),
            explained: OnceLock::new(),
        };
        let (reply, route) = front.process(&arrival, head, body).await;
        front.note(&arrival, &reply, route, begun);
        if let Some(hold) = arrival.hold.get() {
            // The body is dropped by now. Who waits here doesn't hold up the stop.
            let _either = timeout(*hold, front.draining.begun()).await;
        }
        let mut response = respond(reply, arrival.protocol, id, front.dates.at(now));
        if arrival.explained.get().is_some() {
            name_authorization(&mut response);
        }
        response
    }

    fn is_known(&self) -> bool {
        self.peer.has_signed()
    }
}

impl Front {
    /// The answer, and the operation it is of, if there was one.
    async fn process(
        &self,
        arrival: &Arrival<'_>,
        head: Head,
        body: Incoming,
    ) -> (Reply, Option<Route>) {
        if MOST_HEADERS < arrival.parts.headers.len() {
            return (bare(431, "TooManyHeaders"), None);
        }
        match head {
            Head::Unknown => return (Reply::fault(Code::UNKNOWN_OPERATION, ""), None),
            Head::WrongMethod => return (bare(405, "MethodNotAllowed"), None),
            Head::Json(_) | Head::Query | Head::Rest(_) => (),
        }
        let (wanted, patience) = head.room();
        let limit = usize::try_from(self.limits.body_bytes).unwrap_or(usize::MAX).max(wanted);
        // Nobody has signed yet: only a package may take longer to come than other bodies.
        let slow = if body::is_large(limit) { Duration::ZERO } else { patience };
        let body = match timeout_at(arrival.deadline - slow, body::read(body, limit)).await {
            Ok(Ok(body)) => body,
            Ok(Err(BodyError::TooLarge)) => {
                let text = format!("The request body is longer than {limit} bytes.");
                return (arrival.fault(TOO_LARGE, &text), None);
            }
            Ok(Err(BodyError::Broken)) => return (bare(400, "BrokenBody"), None),
            Err(_) => {
                let text = "The request body did not arrive in time.";
                return (arrival.fault(TOO_SLOW, text), None);
            }
        };
        let body = body.as_slice();
        if let Head::Rest(route) = head {
            return match route.gather(arrival.parts, body) {
                Ok(members) => {
                    (self.serve(arrival, route, (body, members.as_slice())).await, Some(route))
                }
                Err(error) => (arrival.fault(Code::SERIALIZATION, &error.to_string()), None),
            };
        }
        // A Query request by GET has its parameters in the URL.
        let form = match (arrival.protocol, arrival.parts.uri.query()) {
            (Protocol::Query, Some(query)) if body.is_empty() => query.as_bytes(),
            _ => body,
        };
        let route = match head {
            Head::Json(route) => Ok(route),
            _ => self.routes.find_action(&Parameters::parse(form)),
        };
        match route {
            Ok(route) => (self.serve(arrival, route, (body, form)).await, Some(route)),
            Err(message) => (arrival.fault(Code::query("InvalidAction", 400), &message), None),
        }
    }

    /// Answers a request with the body `body`, whose operation is asked for by `form`.
    async fn serve(
        &self,
        arrival: &Arrival<'_>,
        route: Route,
        (body, form): (&[u8], &[u8]),
    ) -> Reply {
        if route.is_by_token() {
            return self.serve_token(arrival, route, form).await;
        }
        let signed = (arrival.parts, sigv4::body_hash(body));
        let (backend, authenticator) = (&*self.backend, &self.authenticator);
        let outcome = if route.is_signed_by_certificate() {
            let asked = (route.api, form);
            authenticator.authenticate_certificate(backend, signed, asked, arrival.now).await
        } else {
            authenticator.authenticate(backend, signed, route.api, arrival.now).await
        };
        let Signed { proof, caller, region, access, key } = match outcome {
            Ok(signed) => signed,
            Err(Refused::Rejected(rejection)) => return self.reject(arrival, route, &rejection),
            Err(Refused::Untrusted(text)) => return self.distrust(arrival, route, &text),
            Err(Refused::Failed(cause)) => return arrival.internal(route, cause),
        };
        arrival.peer.note_signed();
        if let Some(key) = key {
            self.uses.note(&key, arrival.now);
        }
        let source = arrival.peer.source(arrival.parts);
        let (who, from) = ((&*caller, &*access), (&region, &*source));
        let (when, tools) = ((arrival.now, arrival.id), (&*self.entropy, &*self.keyring));
        let call = Call::new(proof, who, from, when, tools).under(self.quotas);
        let call = self.confide(call.with_port(self.port(route)).through(&*self.barrier));
        self.answer(arrival, route, form, &call).await
    }

    /// What the services of `route` need of this machine.
    fn port(&self, route: Route) -> &(dyn Any + Send + Sync) {
        if route.row.source == cloudtrail::HOST { &self.records } else { &self.functions }
    }

    /// Answers `call`, whoever proved how that it is one.
    pub(crate) async fn answer(
        &self,
        arrival: &Arrival<'_>,
        route: Route,
        form: &[u8],
        call: &Call<'_>,
    ) -> Reply {
        let ports = Ports { backend: &*self.backend, trail: &*self.trail, turns: &self.turns };
        if route.api.is_iam() && !identity::session::may_call_iam(call.caller) {
            return not_with_session(call, route, ports).await;
        }
        if let Some(hold) = self.turns_away(call, route) {
            self.metrics.throttled.add(1);
            let _once = arrival.hold.set(hold);
            if asker(call).stranger {
                // The trail of the account is not for strangers to fill.
                return route.fault(route.row.busy(), "Rate exceeded", arrival.id);
            }
            return throttled(call, route, ports).await;
        }
        match timeout_at(arrival.deadline, route.row.serve(call, form, ports)).await {
            Ok(reply) => {
                if call.is_explained() {
                    if let Some(throttle) = &self.throttle {
                        throttle.explained(asker(call), call.now);
                    }
                    let _once = arrival.explained.set(());
                }
                reply
            }
            Err(_) => out_of_time(arrival, call, route, ports).await,
        }
    }

    /// `call`, of which it is kept why it is denied, unless its caller is denied all the time.
    pub(crate) fn confide<'a>(&'a self, call: Call<'a>) -> Call<'a> {
        let explains = |it: &Throttle| it.explains(asker(&call), call.now);
        if self.throttle.as_ref().is_none_or(explains) { call.confiding(self) } else { call }
    }

    /// For a call beyond its rate, how long its answer is held.
    fn turns_away(&self, call: &Call<'_>, route: Route) -> Option<Duration> {
        let throttle = self.throttle.as_ref()?;
        let asker = asker(call);
        let admitted = throttle.admit(asker, Group::of(route.row.name), call.now);
        (!admitted).then(|| throttle.hold(asker, call.now))
    }

    fn reject(&self, arrival: &Arrival<'_>, route: Route, rejection: &Rejection) -> Reply {
        self.metrics.rejected(reason(rejection));
        self.tell(arrival, &rejection.to_string());
        let answer = match arrival.protocol {
            Protocol::Json => rejection.json(),
            Protocol::Query => rejection.query(),
            Protocol::Rest => rejection.rest(),
        };
        match (answer.code, arrival.protocol) {
            ("", _) => bare(answer.status, "MalformedRequest"),
            (name, Protocol::Json) => {
                let code = Code { status: answer.status, ..Code::protocol(name) };
                Reply::fault(code, &answer.message)
            }
            (name, Protocol::Rest) => {
                let code = Code { status: answer.status, ..Code::protocol(name) };
                route.fault(code, &answer.message, arrival.id)
            }
            (name, Protocol::Query) => {
                let code = Code::query(name, answer.status);
                route.fault(code, &answer.message, arrival.id)
            }
        }
    }

    /// The answer to one whose certificate nobody believes, or whose signature isn't the certificate's.
    fn distrust(&self, arrival: &Arrival<'_>, route: Route, text: &str) -> Reply {
        self.metrics.rejected(Reason::UnknownKey);
        self.tell(arrival, text);
        let code = Code { status: 403, ..Code::ACCESS_DENIED };
        route.fault(code, text, arrival.id)
    }

    /// Logs why somebody isn't authenticated, as long as there aren't too many.
    fn tell(&self, arrival: &Arrival<'_>, reason: &str) {
        if let Some(Last(last)) = self.hush.tells(arrival.now) {
            let address = arrival.peer.address();
            tracing::warn!(request_id = %arrival.id, address, reason, last, "not authenticated");
        }
    }

    /// Counts and logs an answer.
    fn note(&self, arrival: &Arrival<'_>, reply: &Reply, route: Option<Route>, begun: Instant) {
        let operation = route.map_or("-", |it| it.row.name);
        if let Some(cause) = &reply.cause {
            tracing::error!(request_id = %arrival.id, operation, cause, "request failed");
        }
        let took = begun.elapsed();
        let error = reply.error.unwrap_or_default();
        tracing::debug!(request_id = %arrival.id, operation, status = reply.status, error, ?took, "answered");
        let Some(route) = route else { return };
        self.metrics.served(route.place, Outcome::of(reply.status, reply.error), took);
        if FALLS_DUE.contains(&route.row.name) && reply.error.is_none() {
            self.sooner.notify_one();
        }
        if ROTATES.contains(&route.row.name) {
            self.rotates.notify_one();
        }
        if ENDS_LEASES.contains(&route.row.name) && reply.error.is_none() {
            self.barrier.wake();
        }
    }
}

/// Operations after which something may fall due sooner than what was known of.
const FALLS_DUE: [&str; 3] = ["DeleteImportedKeyMaterial", "DeleteSecret", "ImportKeyMaterial"];

/// Operations after which a rotation may be due: one that is refused has the one before go on.
const ROTATES: [&str; 4] = ["PutSecretValue", "RestoreSecret", "RotateSecret", "UpdateSecret"];

/// Operations after which users of databases may have to go.
const ENDS_LEASES: [&str; 4] =
    ["DeleteSecret", "PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage"];

/// The answer to a call that took too long, after its record: a commit may have been under way.
async fn out_of_time(
    arrival: &Arrival<'_>,
    call: &Call<'_>,
    route: Route,
    ports: Ports<'_>,
) -> Reply {
    let text = "The request was not answered in time. Try again.";
    let reply = service::refuse(call, &route.row, UNAVAILABLE, text, ports).await;
    let cause = reply.cause.or_else(|| Some("the request's time was over".to_owned()));
    Reply { cause, ..route.fault(UNAVAILABLE, text, arrival.id) }
}

/// The answer to a session that may not call IAM, whatever its policies say.
async fn not_with_session(call: &Call<'_>, route: Route, ports: Ports<'_>) -> Reply {
    let text = format!("Cannot call {} with session credentials", route.row.name);
    service::refuse(call, &route.row, Code::query("AccessDenied", 403), &text, ports).await
}

/// Whom `call` counts for.
fn asker<'a>(call: &Call<'a>) -> Asker<'a> {
    Asker {
        account: &call.caller.account,
        region: call.region,
        principal: &call.caller.principal_id,
        stranger: matches!(call.caller.kind, Kind::WebIdentity { .. }),
    }
}

async fn throttled(call: &Call<'_>, route: Route, ports: Ports<'_>) -> Reply {
    service::refuse(call, &route.row, route.row.busy(), "Rate exceeded", ports).await
}

impl Arrival<'_> {
    /// The error `code` in the protocol of the request.
    fn fault(&self, code: Code, message: &str) -> Reply {
        match self.protocol {
            Protocol::Json => Reply::fault(code, message),
            // Which service was meant isn't known yet.
            Protocol::Query => sts::fault(code.name, code.status, message, &self.id.to_string()),
            Protocol::Rest => {
                let body = code.rest(message);
                Reply::told(code, body)
            }
        }
    }

    pub(crate) fn internal(&self, route: Route, cause: String) -> Reply {
        let text = "An error occurred on the server side.";
        Reply { cause: Some(cause), ..route.fault(Code::INTERNAL, text, self.id) }
    }
}
