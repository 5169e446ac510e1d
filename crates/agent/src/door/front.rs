//! From a request to a rule, to a session, to an answer.

use super::imds_token::Mint;
use super::reply::{self, Reply};
use super::{From, container, guard, imds};
use crate::config::Kind;
use crate::keys::{IssueError, Keys, Wanted};
use crate::rules::{Proof, Rule, Rules};
use crate::session::{Means, Session, Unavailable};
use base::{Sensitive, Timestamp};
use http::{Request, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;

/// Answers the requests of all listeners.
pub(crate) struct Front {
    rules: Rules,
    /// A session for each rule; none where callers bring tokens of their own.
    own: Vec<Option<Arc<Session>>>,
    passing: Mutex<Passing>,
    tasks: Mutex<JoinSet<()>>,
    pub(super) means: Means,
    pub(super) mint: Mint,
    /// The second in which the last refusal was logged.
    told: AtomicI64,
}

/// Sessions of callers' own tokens, by rule and hash of the token.
type Passing = BTreeMap<(usize, [u8; 32]), Arc<Session>>;

/// Why a caller gets no keys.
#[derive(Debug)]
pub(super) enum NoKeys {
    /// No rule fits.
    Stranger,
    /// The server refuses the session.
    Refused,
    /// Not now.
    Later,
    /// The request is malformed.
    Malformed(&'static str),
    /// Its method is not GET.
    Method,
}

impl Front {
    /// Starts a task for each session that the agent fetches by its own identity.
    pub(crate) fn new(rules: Rules, means: Means) -> Self {
        let mut tasks = JoinSet::new();
        let own = rules.iter().map(|rule| {
            let name = rule.workload.session_name.clone();
            let name = name.filter(|_| rule.workload.service_account.is_none())?;
            let session = Session::new(wanted(rule, name, None));
            tasks.spawn(Arc::clone(&session).tend(means.clone(), false));
            Some(session)
        });
        let own = own.collect();
        Self {
            rules,
            own,
            passing: Mutex::default(),
            tasks: Mutex::new(tasks),
            mint: Mint::new(&*means.entropy),
            means,
            told: AtomicI64::new(i64::MIN),
        }
    }

    /// The answer to `request` at a listener that offers `offers`.
    pub(super) async fn answer<B>(
        &self,
        request: &Request<B>,
        from: &From,
        offers: &BTreeSet<Kind>,
    ) -> Reply {
        if let Err(refused) = guard::check(request.uri(), request.headers(), from.local) {
            self.tell_refused(from, refused.1);
            return reply::text(refused.0, format!("{}\n", refused.1));
        }
        let kind = match request.uri().path() {
            "/credentials" => Kind::Container,
            "/v1/credentials" => Kind::PodIdentity,
            path if path.starts_with("/latest/") => Kind::Imds,
            _ => return reply::text(StatusCode::NOT_FOUND, String::new()),
        };
        if !offers.contains(&kind) {
            return reply::text(StatusCode::NOT_FOUND, String::new());
        }
        match kind {
            Kind::Container => container::answer(self, request, from).await,
            Kind::PodIdentity => container::answer_pod(self, request, from).await,
            Kind::Imds => imds::answer(self, request, from).await,
        }
    }

    /// The place of the rule that fits the caller.
    pub(super) fn find(&self, kind: Kind, from: &From, proof: &Proof<'_>) -> Result<usize, NoKeys> {
        self.rules.find(kind, &from.caller, proof).ok_or_else(|| {
            self.tell_refused(from, "no workload fits the caller");
            NoKeys::Stranger
        })
    }

    pub(super) fn rule(&self, place: usize) -> Option<&Rule> {
        self.rules.iter().nth(place)
    }

    /// The keys of the rule at `place`, with what they are for.
    pub(super) async fn keys(
        &self,
        place: usize,
        from: &From,
    ) -> Result<(Arc<Session>, Arc<Keys>), NoKeys> {
        let session = self.own.get(place).and_then(Option::as_ref).ok_or(NoKeys::Stranger)?;
        let keys = session.keys(&*self.means.clock).await.map_err(|it| NoKeys::of(&it))?;
        tell_handed_out(session, &keys, from);
        Ok((Arc::clone(session), keys))
    }

    /// The keys that `token` is exchanged for, as the rule at `place` has it.
    pub(super) async fn exchanged(
        &self,
        place: usize,
        (token, name): (&Sensitive, &str),
        from: &From,
    ) -> Result<(Arc<Session>, Arc<Keys>), NoKeys> {
        loop {
            let session = self.passing(place, token, name)?;
            match session.keys(&*self.means.clock).await {
                Ok(keys) => {
                    tell_handed_out(&session, &keys, from);
                    return Ok((session, keys));
                }
                Err(Unavailable::Ended) => (),
                Err(error) => return Err(NoKeys::of(&error)),
            }
        }
    }

    /// The session of `token`, known or new.
    fn passing(&self, place: usize, token: &Sensitive, name: &str) -> Result<Arc<Session>, NoKeys> {
        let rule = self.rule(place).ok_or(NoKeys::Stranger)?;
        let mut passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        passing.retain(|_, it| !it.has_ended());
        let key = (place, sigv4::body_hash(token.expose()));
        if let Some(session) = passing.get(&key) {
            return Ok(Arc::clone(session));
        }
        if MOST_PASSING <= passing.len() {
            return Err(NoKeys::Later);
        }
        let token = Sensitive::from(token.expose());
        let session = Session::new(wanted(rule, name.to_owned(), Some(token)));
        session.ask(self.means.clock.now());
        passing.insert(key, Arc::clone(&session));
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(Arc::clone(&session).tend(self.means.clone(), true));
        Ok(session)
    }

    /// Logs a refusal, one a second at most: strangers don't fill the log.
    fn tell_refused(&self, from: &From, reason: &'static str) {
        let second = self.means.clock.now().secs();
        if self.told.swap(second, Relaxed) != second {
            let (place, caller) = (&from.place, &from.caller);
            tracing::warn!(place, ?caller, reason, "refused");
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.means.clock.now()
    }
}

impl NoKeys {
    fn of(error: &Unavailable) -> Self {
        match error {
            Unavailable::Failed(IssueError::Refused { .. }) => Self::Refused,
            Unavailable::Failed(_) | Unavailable::Ended => Self::Later,
        }
    }
}

fn wanted(rule: &Rule, session_name: String, web_token: Option<Sensitive>) -> Wanted {
    let workload = &rule.workload;
    let seconds = u32::try_from(workload.duration.as_secs()).unwrap_or(u32::MAX);
    Wanted { role_arn: workload.role_arn.clone(), session_name, seconds, web_token }
}

fn tell_handed_out(session: &Session, keys: &Keys, from: &From) {
    let Wanted { role_arn: role, session_name: name, .. } = session.wanted();
    let (key, uid, pid) = (&keys.access_key_id, from.caller.uid, from.caller.pid);
    tracing::info!(role, name, key, place = from.place, uid, pid, "handed out");
}

/// Tokens whose sessions are held at the same time. Kubernetes runs some hundred pods on a node.
const MOST_PASSING: usize = 1024;
