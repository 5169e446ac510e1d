//! Db2's wire and the procedures of RDS, against a server of Apache Derby that has those procedures. No Db2 was asked.

mod translator;

use crate::suite::change::{only, refuses};
use crate::suite::{
    Offer, Peer, administrator, connect, every_engine, fresh, secret, sensitive, trust,
};
use peers::{Authority, Derby};
use rotators::{Failure, Finding, Rotator};
use translator::Translator;

/// Derby, behind somebody who speaks TLS and knows Db2's words.
struct Db2 {
    server: Derby,
    translator: Translator,
    authority: Authority,
}

static SHARED: crate::suite::Shared<Db2> = crate::suite::Shared::new();

every_engine! { Db2, login: proof, wrong_password, plaintext_where_none_is_offered }
every_engine! { Db2, login: untrusted_authority, wrong_name }
every_engine! { Db2, change: own, own_twice, nasty_passwords, nasty_names, by_an_administrator }
every_engine! { Db2, change: without_the_right, nothing_is_logged, sessions_survive }
every_engine! { Db2, mirror: follows, there_and_back, refuses_what_is_not_ours, foreseen }
every_engine! { Db2, mirror: refuses_without_an_original, nasty_pairs, made_at_once }
every_engine! { Db2 => login: server_down, tls_where_none_is_offered }

impl Db2 {
    /// What was granted to `user`, in alphabetical order of the columns.
    fn granted(&self, user: &str) -> String {
        let asked = format!("SELECT * FROM shim.dbauth WHERE grantee = '{}'", user.to_uppercase());
        let row = self.server.sql(&asked).expect("asked");
        row.trim_end().split('\t').skip(3).collect()
    }

    /// Grants (`Y`) or revokes (`N`) `authority`.
    fn say(&self, given: &str, authority: &str, user: &str) {
        let user = user.to_uppercase();
        let said = format!("CALL shim.authority('{given}', '{authority}', '{user}')");
        self.server.sql(&said).expect("done");
    }
}

/// Each authority has the name that `GRANT` knows it by, and what was taken is taken.
#[tokio::test]
async fn every_authority_is_copied_and_taken() {
    let peer = &*SHARED.get();
    let (like, user) = (fresh("rich"), fresh("rich") + "_clone");
    peer.create(&like, "first");
    let all = [
        "ACCESSCTRL",
        "BINDADD",
        "CONNECT",
        "CREATE_SECURE_OBJECT",
        "CREATETAB",
        "DATAACCESS",
        "DBADM",
    ];
    let more = [
        "EXPLAIN",
        "CREATE_EXTERNAL_ROUTINE",
        "IMPLICIT_SCHEMA",
        "LOAD",
        "CREATE_NOT_FENCED_ROUTINE",
    ];
    let rest = ["QUIESCE_CONNECT", "SECADM", "SQLADM", "WLMADM"];
    let all = || all.into_iter().chain(more).chain(rest);
    all().for_each(|it| peer.say("Y", it, &like));
    let mut master = administrator(peer).await;
    master.mirror(&like, &user, &sensitive("second")).await.expect("made");
    assert_eq!(peer.granted(&user), "Y".repeat(16));
    all().filter(|it| *it != "LOAD").for_each(|it| peer.say("N", it, &like));
    master.mirror(&like, &user, &sensitive("third")).await.expect("made");
    assert_eq!(
        (peer.granted(&user), peer.granted(&like)),
        (peer.granted(&like), "NNNNNNNNNNYNNNNN".to_owned())
    );
    let statements = master.foresee(Some(&user), Some(&like)).await.expect("foreseen");
    let statements: Vec<_> =
        statements.iter().filter(|it| matches!(it, Finding::Statement(_))).collect();
    let change = format!("CALL rdsadmin.change_password('{user}', <password>)");
    assert_eq!(statements, [&Finding::Statement(change)]);
}

/// More rows than a server sends at once.
#[tokio::test]
async fn long_answers_come_in_pieces() {
    let peer = &*SHARED.get();
    let mut master = administrator(peer).await;
    let users: Vec<_> = (0..40).map(|it| format!("{}{it}", fresh(&"u".repeat(24)))).collect();
    for it in &users {
        peer.create(it, "first");
    }
    for it in &users {
        let found = master.foresee(Some(it), None).await.expect("foreseen");
        assert!(!found.iter().any(|it| matches!(it, Finding::Missing(..))), "{found:?}");
    }
}

/// Passwords are parameters: a statement never holds one.
#[tokio::test]
async fn statements_hold_no_password() {
    let peer = &*SHARED.get();
    let user = fresh("quiet");
    peer.create(&user, "first");
    let mut master = administrator(peer).await;
    master.change(&user, &sensitive("canary-parameter"), None).await.expect("changed");
    only(peer, &user, "canary-parameter", &["first"]).await;
    let said = peer.translator.said();
    assert!(said.contains("CALL rdsadmin.change_password(?, ?)") && !said.contains("canary"));
}

/// A database that isn't there is no wrong password, and a user that may not log in for a while isn't made.
#[tokio::test]
async fn what_cant_be_is_told_as_that() {
    let peer = &*SHARED.get();
    let user = fresh("lost");
    peer.create(&user, "first");
    let login = |more: &[(&str, &str)]| secret(peer, &user, "first", more);
    let trusted = trust(&[peer.authority()]);
    let missing = login(&[("dbname", "nowhere")]);
    refuses(peer.rotator().connect(&missing, &trusted).await);
    for dbname in ["", "a;create=true", "longer than any may be"] {
        let failure = peer.rotator().connect(&login(&[("dbname", dbname)]), &trusted).await.err();
        assert!(matches!(failure, Some(Failure::Invalid(_))), "{failure:?}");
    }
    let mut master = administrator(peer).await;
    refuses(master.disconnect(&user).await);
    connect(peer, &user, "first").await.expect("as before");
}

impl Peer for Db2 {
    fn start(offer: Offer) -> Self {
        let authority = Authority::new().expect("an authority");
        let issued = authority.issue(&["localhost"]).expect("issued");
        let server = Derby::start().expect("a server");
        let translator = Translator::to(server.port(), (offer == Offer::Tls).then_some(&issued));
        Self { server, translator, authority }
    }

    fn crash(&mut self) {
        self.server.crash();
    }

    fn resume(&mut self) {
        self.server.resume().expect("the server");
    }

    fn rotator(&self) -> &'static dyn Rotator {
        rotators::of_engine(self.engine()).expect("built in")
    }

    fn engine(&self) -> &'static str {
        "db2"
    }

    fn database(&self) -> Option<&'static str> {
        Some("app")
    }

    fn port(&self) -> u16 {
        self.translator.port
    }

    fn plain_port(&self) -> u16 {
        self.translator.plain_port
    }

    fn authority(&self) -> &Authority {
        &self.authority
    }

    fn administrator(&self) -> (String, String) {
        ("admin".to_owned(), self.server.password().to_owned())
    }

    fn can_be(&self, user: &str) -> bool {
        // Db2's rules, and no word of SQL, which Derby doesn't take.
        let usual = |it: char| it.is_ascii_alphanumeric() || it == '_';
        user != "select"
            && user.starts_with(|it: char| it.is_ascii_alphabetic())
            && user.chars().all(usual)
    }

    fn create(&self, user: &str, password: &str) {
        self.server.create(user, password).expect("made");
    }

    fn exists(&self, user: &str) -> bool {
        self.server.exists(user).expect("asked")
    }

    fn accepts(&self, user: &str, password: &str) -> bool {
        self.server.sql_as(user, password, "VALUES 1").is_ok()
    }

    fn permit(&self, user: &str) {
        self.say("Y", "DATAACCESS", user);
    }

    fn forbid(&self, user: &str) {
        self.say("N", "DATAACCESS", user);
    }

    fn reads(&self, user: &str, password: &str) -> bool {
        self.server.sql_as(user, password, "SELECT n FROM shim.ledger").is_ok()
    }

    fn creation(&self) -> Vec<String> {
        Vec::new()
    }

    fn leave_something(&self, _user: &str, _password: &str) {}

    fn log(&self) -> String {
        self.server.log().expect("its log") + &self.translator.said()
    }
}
