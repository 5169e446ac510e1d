//! What every engine must do. A scenario is a function of a [`Peer`]; [`every_engine`] makes tests of them all.

pub(crate) mod change;
pub(crate) mod lease;
#[cfg(feature = "test-mongo")]
pub(crate) mod load;
pub(crate) mod login;
pub(crate) mod mirror;
pub(crate) mod wire;

use base::Sensitive;
use peers::Authority;
use rotators::{Credential, Failure, Roots, Rotator, Session, Trust};
use rustls::pki_types::CertificateDer;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A real server, and what is asked of it beside the rotator: through its own client program.
pub(crate) trait Peer: Send + Sync + Sized + 'static {
    /// Starts one that offers TLS, or one that doesn't.
    fn start(offer: Offer) -> Self;
    /// Ends it as a crash would.
    fn crash(&mut self);
    /// Starts it again on the same port.
    fn resume(&mut self);
    /// What changes its passwords.
    fn rotator(&self) -> &'static dyn Rotator;
    /// What a secret's `engine` says.
    fn engine(&self) -> &'static str;
    /// The database that logins open.
    fn database(&self) -> Option<&'static str> {
        self.rotator().dialect().database
    }
    /// Its port on the loopback.
    fn port(&self) -> u16;
    /// Its port for who wants no TLS.
    fn plain_port(&self) -> u16 {
        self.port()
    }
    /// The TLS that it speaks.
    fn tls(&self) -> &'static str {
        "TLSv1.3"
    }
    /// Who signed its certificate for `localhost`.
    fn authority(&self) -> &Authority;
    /// Name and password of an administrator who isn't limited by anything.
    fn administrator(&self) -> (String, String);
    /// How long a user's name is at most, if the rotator appends to it.
    fn longest_name(&self) -> usize {
        self.rotator().dialect().longest_name
    }
    /// Whether a user of this name can be.
    fn can_be(&self, _user: &str) -> bool {
        true
    }
    /// Whether an administrator can end the connections of a user that stays.
    fn disconnects(&self) -> bool {
        true
    }
    /// Whether people's own statements can go before a login's end.
    fn ends_by_statements(&self) -> bool {
        true
    }
    /// Makes a user that may log in, and nothing else.
    fn create(&self, user: &str, password: &str);
    /// Whether there is a user of this name.
    fn exists(&self, user: &str) -> bool;
    /// Whether this login is accepted.
    fn accepts(&self, user: &str, password: &str) -> bool;
    /// Lets `user` read the one thing that there is to read.
    fn permit(&self, user: &str);
    /// Takes that right away.
    fn forbid(&self, user: &str);
    /// Whether the login may read it.
    fn reads(&self, user: &str, password: &str) -> bool;
    /// Statements of a lease whose user may read it.
    fn creation(&self) -> Vec<String>;
    /// As the login: makes something that stays, if users of this engine own things.
    fn leave_something(&self, user: &str, password: &str);
    /// All that the server has logged until now, statements included.
    fn log(&self) -> String;
}

/// What a server offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Tls,
    Plain,
}

/// A test of each scenario, for the engine `$peer`.
macro_rules! every_engine {
    ($peer:ty) => {
        static SHARED: $crate::suite::Shared<$peer> = $crate::suite::Shared::new();

        every_engine! { $peer, login: proof, wrong_password, plaintext_where_none_is_offered }
        every_engine! { $peer, login: untrusted_authority, wrong_name }
        every_engine! { $peer, change: own, own_twice, nasty_passwords, nasty_names, by_an_administrator }
        every_engine! { $peer, change: without_the_right, nothing_is_logged, sessions_survive }
        every_engine! { $peer, mirror: follows, there_and_back, refuses_what_is_not_ours, foreseen }
        every_engine! { $peer, mirror: refuses_without_an_original, nasty_pairs, made_at_once }
        every_engine! { $peer, lease: made_and_removed, leased_at_once, refuses_a_users_user, made_whole_or_not, disconnected }
        every_engine! { $peer, lease: locked_whatever_fails }
        every_engine! { $peer => login: server_down, tls_where_none_is_offered }
    };
    ($peer:ty, $module:ident: $($scenario:ident),+) => { $(
        #[tokio::test]
        async fn $scenario() {
            $crate::suite::$module::$scenario(&*SHARED.get()).await;
        }
    )+ };
    ($peer:ty => $module:ident: $($scenario:ident),+) => { $(
        #[tokio::test]
        async fn $scenario() {
            $crate::suite::$module::$scenario::<$peer>().await;
        }
    )+ };
}
pub(crate) use every_engine;

/// The server of all tests that don't need one of their own; it ends with the last that uses it.
pub(crate) struct Shared<P>(Mutex<Weak<P>>);

impl<P: Peer> Shared<P> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    pub(crate) fn get(&self) -> Arc<P> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let fresh = Arc::new(P::start(Offer::Tls));
            *shared = Arc::downgrade(&fresh);
            fresh
        })
    }
}

/// A name that no other scenario uses.
pub(crate) fn fresh(name: &str) -> String {
    static NUMBERS: AtomicU32 = AtomicU32::new(1);
    format!("{name}{}", NUMBERS.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn sensitive(text: &str) -> Sensitive {
    Sensitive::from(text.to_owned())
}

/// The secret of a login, with `more` members.
pub(crate) fn secret(
    peer: &impl Peer,
    user: &str,
    password: &str,
    more: &[(&str, &str)],
) -> Credential {
    let mut members = serde_json::json!({
        "engine": peer.engine(), "host": "localhost", "port": peer.port(),
        "username": user, "password": password, "dbname": peer.database(),
    });
    for (name, value) in more {
        members[*name] = (*value).into();
    }
    Credential::parse(&sensitive(&members.to_string())).expect("a login")
}

/// Believes in these authorities only.
pub(crate) fn trust(authorities: &[&Authority]) -> Trust {
    let roots = authorities.iter().map(|it| CertificateDer::from(it.der()));
    Trust { platform: Roots::new(roots), pinned: BTreeMap::new() }
}

/// Logs in as `user`.
pub(crate) async fn connect(
    peer: &impl Peer,
    user: &str,
    password: &str,
) -> Result<Box<dyn Session>, Failure> {
    let trust = trust(&[peer.authority()]);
    peer.rotator().connect(&secret(peer, user, password, &[]), &trust).await
}

/// Logs in as the administrator.
pub(crate) async fn administrator(peer: &impl Peer) -> Box<dyn Session> {
    let (user, password) = peer.administrator();
    connect(peer, &user, &password).await.expect("the administrator")
}

/// Passwords that a careless hand would break: every character that can be typed, and some that can't.
pub(crate) fn nasty_passwords() -> Vec<String> {
    let printable: String = (' '..='~').collect();
    let halves = printable.chars().rev().collect();
    let own =
        ["'", "\"", "\\", "\\'", "''; DROP TABLE ledger; --", "$1 %s %(x)s ${x} {{name}} :x ?"];
    let more =
        ["  blanks  ", "grüße-Ωμέγα-密码-🔑", "tab\tnew\nline", "#hash >plus <minus", "null"];
    let all = own.into_iter().chain(more).map(str::to_owned);
    all.chain([printable, halves]).collect()
}

/// Names that a careless hand would break.
pub(crate) fn nasty_names(peer: &impl Peer, longest: usize) -> Vec<String> {
    let own = ["O'Brien", "quo\"ted", "back\\slash", "select", "Mixed Case", "x; DROP ROLE y; --"];
    let more = ["$1", "%s", "grüße", "{{name}}", "a@b", "--", "tab\there", " lead and trail "];
    let long = fresh(&"n".repeat(longest - 4));
    let all = own.into_iter().chain(more).map(str::to_owned).chain([long]);
    all.filter(|it| peer.can_be(it)).collect()
}
