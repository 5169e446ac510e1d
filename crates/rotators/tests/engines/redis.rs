//! Redis: how its server is asked, and what only it does.

use crate::suite::change::{only, refuses};
use crate::suite::{Offer, Peer, administrator, connect, every_engine, fresh, sensitive};
use peers::{Authority, certificate};
use rotators::{Finding, Rotator};

struct Redis {
    server: peers::Redis,
    authority: Authority,
}

every_engine! { Redis }

impl Peer for Redis {
    fn start(offer: Offer) -> Self {
        let authority = Authority::new().expect("an authority");
        let issued = certificate(&authority).expect("issued");
        let issued = (offer == Offer::Tls).then_some(&issued);
        let server = peers::Redis::start(issued, &["aclfile users.acl"]).expect("a server");
        Self { server, authority }
    }

    fn crash(&mut self) {
        self.server.crash();
    }

    fn resume(&mut self) {
        self.server.resume().expect("started again");
    }

    fn rotator(&self) -> &'static dyn Rotator {
        rotators::of_engine(self.engine()).expect("built in")
    }

    fn engine(&self) -> &'static str {
        "redis"
    }

    fn port(&self) -> u16 {
        self.server.port()
    }

    fn plain_port(&self) -> u16 {
        self.server.plain_port()
    }

    /// Rules are words.
    fn can_be(&self, user: &str) -> bool {
        !user.contains(char::is_whitespace)
    }

    fn authority(&self) -> &Authority {
        &self.authority
    }

    fn administrator(&self) -> (String, String) {
        ("admin".to_owned(), self.server.password().to_owned())
    }

    fn ends_by_statements(&self) -> bool {
        false
    }

    fn create(&self, user: &str, password: &str) {
        let password = format!(">{password}");
        self.server
            .run(&["ACL", "SETUSER", user, "reset", "on", &password, "+ping"])
            .expect("made");
        self.server.run(&["ACL", "SAVE"]).expect("saved");
    }

    fn exists(&self, user: &str) -> bool {
        !self.server.run(&["ACL", "GETUSER", user]).expect("asked").is_empty()
    }

    fn accepts(&self, user: &str, password: &str) -> bool {
        let told = self.server.run(&["AUTH", user, password]);
        told.is_ok_and(|it| it == "OK")
    }

    fn permit(&self, user: &str) {
        self.server.run(&["ACL", "SETUSER", user, "%R~ledger", "+get"]).expect("done");
    }

    fn forbid(&self, user: &str) {
        self.server.run(&["ACL", "SETUSER", user, "resetkeys", "-get"]).expect("done");
    }

    fn reads(&self, user: &str, password: &str) -> bool {
        self.server.run_as(user, password, &["GET", "ledger"]).is_ok()
    }

    fn creation(&self) -> Vec<String> {
        vec!["%R~ledger +get".to_owned(), "+ping".to_owned()]
    }

    fn leave_something(&self, _user: &str, _password: &str) {}

    fn log(&self) -> String {
        self.server.log().expect("told")
    }
}

/// After a change two passwords are accepted and no third; a user that was made here is still known as that.
#[tokio::test]
async fn two_passwords_and_no_third() {
    let peer = &*SHARED.get();
    let user = fresh("two");
    peer.create(&user, "p0");
    let mut master = administrator(peer).await;
    for (to, keep, dead) in [("p1", Some("p0"), "p2"), ("p2", Some("p1"), "p0"), ("p3", None, "p2")]
    {
        let kept = keep.map(sensitive);
        master.change(&user, &sensitive(to), kept.as_ref()).await.expect("changed");
        assert!(peer.accepts(&user, to) && keep.is_none_or(|it| peer.accepts(&user, it)), "{to}");
        assert!(!peer.accepts(&user, dead), "{to}: {dead}");
    }
    let copy = format!("{user}_clone");
    master.mirror(&user, &copy, &sensitive("c1")).await.expect("made");
    master.change(&copy, &sensitive("c2"), Some(&sensitive("c1"))).await.expect("changed");
    master.mirror(&user, &copy, &sensitive("c3")).await.expect("known");
    only(peer, &copy, "c3", &["c1", "c2"]).await;
}

/// Keys, channels, commands and selectors come along, and go again.
#[tokio::test]
async fn rules_are_copied() {
    let peer = &*SHARED.get();
    let like = fresh("rich");
    let user = format!("{like}_clone");
    peer.create(&like, "first");
    let mut master = administrator(peer).await;
    for rules in [
        vec![
            "~a:*",
            "%R~b:*",
            "&news",
            "+@read",
            "-keys",
            "+config|get",
            "(~s:* +set)",
            "skip-sanitize-payload",
        ],
        vec!["clearselectors", "resetkeys", "~c", "resetchannels", "-@all", "+ping"],
        vec!["allkeys", "allchannels", "+@all"],
    ] {
        let command = [&["ACL", "SETUSER", like.as_str()][..], &rules].concat();
        peer.server.run(&command).expect("done");
        master.mirror(&like, &user, &sensitive("copy")).await.expect("made");
        assert_eq!(rules_of(peer, &user), rules_of(peer, &like), "{rules:?}");
    }
}

fn rules_of(peer: &Redis, user: &str) -> String {
    let all = peer.server.run(&["ACL", "LIST"]).expect("told");
    let head = format!("user {user} ");
    let line = all.lines().find_map(|it| it.strip_prefix(&head)).expect("a user");
    let rules: Vec<_> = line.split(' ').filter(|it| !it.starts_with('#')).collect();
    rules.join(" ")
}

/// A change outlives the server: in its ACL file, or else in its configuration.
#[tokio::test]
async fn changes_are_kept() {
    for settings in ["aclfile users.acl", "user admin on >an-administrators ~* &* +@all"] {
        let authority = Authority::new().expect("an authority");
        let server = peers::Redis::start(None, &[settings]).expect("a server");
        let mut peer = Redis { server, authority };
        peer.server.run(&["ACL", "SETUSER", "app", "on", ">first"]).expect("made");
        let mut master = administrator(&peer).await;
        let found = master.foresee(Some("app"), None).await.expect("foreseen");
        assert!(!found.iter().any(|it| matches!(it, Finding::Missing(..))), "{found:?}");
        master.change("app", &sensitive("second"), None).await.expect("changed");
        peer.crash();
        peer.resume();
        assert!(peer.accepts("app", "second") && !peer.accepts("app", "first"), "{settings}");
    }
}

/// Who may change users but not have them written down changes none: a restart would bring the old password back.
#[tokio::test]
async fn what_cant_be_kept_isnt_begun() {
    let peer = &*SHARED.get();
    let (half, user) = (fresh("half"), fresh("kept"));
    peer.create(&half, "first");
    peer.create(&user, "first");
    peer.server.run(&["ACL", "SETUSER", &half, "+acl|setuser", "+acl|list"]).expect("done");
    let mut session = connect(peer, &half, "first").await.expect("accepted");
    refuses(session.change(&user, &sensitive("second"), None).await);
    assert!(peer.accepts(&user, "first") && !peer.accepts(&user, "second"));
}
