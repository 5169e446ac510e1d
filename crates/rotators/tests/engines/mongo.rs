//! MongoDB: how its server is asked, and what only it does.

use crate::suite::change::{only, refuses};
use crate::suite::{
    Offer, Peer, administrator, connect, every_engine, fresh, secret, sensitive, trust,
};
use peers::{Authority, certificate, mongo_text as text};
use rotators::{Failure, Finding, Lease, Rotator};

struct Mongo {
    server: peers::Mongo,
    authority: Authority,
}

every_engine! { Mongo }
every_engine! { Mongo, load: alternating, single }

impl Peer for Mongo {
    fn start(offer: Offer) -> Self {
        let authority = Authority::new().expect("an authority");
        let issued = certificate(&authority).expect("issued");
        let issued = (offer == Offer::Tls).then_some(&issued);
        let server = peers::Mongo::start(issued).expect("a server");
        let permits = "[{resource: {db: 'shop', collection: 'ledger'}, actions: ['find']}]";
        let role = format!("{{role: 'reader', privileges: {permits}, roles: []}}");
        let made = format!("db.getSiblingDB('admin').createRole({role})");
        server.run(&made).expect("made");
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
        "mongo"
    }

    fn port(&self) -> u16 {
        self.server.port()
    }

    fn authority(&self) -> &Authority {
        &self.authority
    }

    fn administrator(&self) -> (String, String) {
        ("admin".to_owned(), self.server.password().to_owned())
    }

    /// Nothing can end them as long as there is the user.
    fn disconnects(&self) -> bool {
        false
    }

    fn ends_by_statements(&self) -> bool {
        false
    }

    fn create(&self, user: &str, password: &str) {
        let (user, password) = (text(user), text(password));
        self.admin(&format!("createUser({{user: {user}, pwd: {password}, roles: []}})"));
    }

    fn exists(&self, user: &str) -> bool {
        self.admin(&format!("getUser({})", text(user))) != "null"
    }

    fn accepts(&self, user: &str, password: &str) -> bool {
        self.server.run_as((user, "admin"), password, "1").is_ok()
    }

    fn permit(&self, user: &str) {
        self.admin(&format!("grantRolesToUser({}, ['reader'])", text(user)));
    }

    fn forbid(&self, user: &str) {
        self.admin(&format!("revokeRolesFromUser({}, ['reader'])", text(user)));
    }

    fn reads(&self, user: &str, password: &str) -> bool {
        let read = "db.getSiblingDB('shop').ledger.findOne()";
        self.server.run_as((user, "admin"), password, read).is_ok()
    }

    fn creation(&self) -> Vec<String> {
        vec![r#"{"db": "admin", "roles": ["reader", {"role": "read", "db": "other"}]}"#.to_owned()]
    }

    fn leave_something(&self, _user: &str, _password: &str) {}

    fn log(&self) -> String {
        self.server.log()
    }
}

impl Mongo {
    /// What `act` gives, in the database of the administrator.
    fn admin(&self, act: &str) -> String {
        self.of("admin", act)
    }

    fn of(&self, database: &str, act: &str) -> String {
        let script = format!("db.getSiblingDB({}).{act}", text(database));
        self.server.run(&script).expect("done")
    }

    /// What the server keeps of `user`, but for its name and passwords.
    fn kept(&self, user: &str) -> String {
        let show = "{showAuthenticationRestrictions: true}";
        let told = self.admin(&format!("getUser({}, {show})", text(user)));
        let told = told.lines().filter(|it| !it.contains("\"_id\"") && !it.contains("\"user\""));
        let told = told.map(str::trim).collect::<String>();
        told.split_once("\"customData\"").map_or(told.clone(), |(before, after)| {
            before.to_owned() + after.split_once("}},").expect("the mark").1
        })
    }
}

/// A user that has the right to changes its own password; who hasn't is told what to do.
#[tokio::test]
async fn the_right_to_change_ones_own_password() {
    let peer = &*SHARED.get();
    let own = "[{resource: {db: 'admin', collection: ''}, actions: ['changeOwnPassword']}]";
    peer.admin(&format!("createRole({{role: 'own', privileges: {own}, roles: []}})"));
    let user = fresh("own");
    peer.create(&user, "first");
    let mut session = connect(peer, &user, "first").await.expect("accepted");
    let refused = session.change_own(&sensitive("first"), &sensitive("canary")).await.err();
    let told = refused.expect("it has no right").to_string();
    assert!(told.contains("may not change its own password\nhint: give it"), "{told}");

    peer.admin(&format!("grantRolesToUser({}, ['own'])", text(&user)));
    let found = session.foresee(None, None).await.expect("foreseen");
    assert!(!found.iter().any(|it| matches!(it, Finding::Missing(..))), "{found:?}");
    session.change_own(&sensitive("first"), &sensitive("$second,=")).await.expect("changed");
    only(peer, &user, "$second,=", &["first"]).await;
}

/// Roles of every database and the places to come from come along, and go again; what is made is one command.
#[tokio::test]
async fn rights_are_copied() {
    let peer = &*SHARED.get();
    let like = fresh("rich");
    let user = format!("{like}_clone");
    peer.create(&like, "first");
    let mut master = administrator(peer).await;
    for change in [
        "roles: [{role: 'read', db: 'a-b'}, {role: 'readWrite', db: 'c'}, 'reader']",
        "roles: ['reader'], authenticationRestrictions: [{clientSource: ['127.0.0.0/8']}]",
        "authenticationRestrictions: [], roles: ['clusterMonitor', {role: 'dbAdmin', db: 'c'}]",
        "roles: []",
    ] {
        peer.admin(&format!("updateUser({}, {{{change}}})", text(&like)));
        master.mirror(&like, &user, &sensitive("copy")).await.expect("made");
        assert_eq!(peer.kept(&user), peer.kept(&like), "{change}");
        assert!(peer.accepts(&user, "copy") && peer.accepts(&like, "first"));
    }
    // And none of the original's are lost on the way back, whatever the copy lacks.
    peer.permit(&like);
    master.mirror(&user, &like, &sensitive("back")).await.expect("the way back");
    assert!(peer.reads(&like, "back") && !peer.reads(&user, "copy"));
}

/// A user of another database than the administrator's is that one, and no other of its name.
#[tokio::test]
async fn users_belong_to_databases() {
    let peer = &*SHARED.get();
    let user = fresh("homely");
    let create = |password: &str| {
        format!("createUser({{user: {}, pwd: {}, roles: ['read']}})", text(&user), text(password))
    };
    peer.of("shop", &create("first"));
    peer.admin(&create("other"));
    let login = |password: &str| secret(peer, &user, password, &[("dbname", "shop")]);
    let trust = trust(&[peer.authority()]);
    let rotator = peer.rotator();
    let own = login("first");
    assert_eq!(rotator.home(&own), Some("shop"));
    rotator.connect(&own, &trust).await.expect("accepted");
    let denied = rotator.connect(&login("other"), &trust).await.err();
    assert!(matches!(denied, Some(Failure::Denied(_))), "{denied:?}");

    let (name, password) = peer.administrator();
    let mut master = secret(peer, &name, &password, &[]);
    master.home = rotator.home(&own).map(str::to_owned);
    let mut master = rotator.connect(&master, &trust).await.expect("accepted");
    master.change(&user, &sensitive("second"), None).await.expect("changed");
    rotator.connect(&login("second"), &trust).await.expect("accepted");
    let clone = format!("{user}_clone");
    master.mirror(&user, &clone, &sensitive("copy")).await.expect("made");
    assert!(
        peer.server.run_as((&clone, "shop"), "copy", "db.getSiblingDB('shop').x.find()").is_ok()
    );
    assert!(peer.accepts(&user, "other") && !peer.exists(&clone));

    for database in ["$external", "nul\0"] {
        let login = secret(peer, &user, "first", &[("dbname", database)]);
        let failure = rotator.connect(&login, &trust).await.err();
        assert!(matches!(failure, Some(Failure::Invalid(_))), "{failure:?}");
    }
}

/// A lease says what its user may do as people write it elsewhere, and nothing else.
#[tokio::test]
async fn what_a_lease_may_say() {
    let peer = &*SHARED.get();
    let mut master = administrator(peer).await;
    let (user, password) = (fresh("lease"), sensitive("canary-lease"));
    for creation in [
        r#"{"roles": "read"}"#,
        r#"{"roles": [], "pwd": "x"}"#,
        r#"{"db": "shop", "roles": []}"#,
        r#"{"roles": ["no such role"]}"#,
    ] {
        let creation = [creation.to_owned()];
        let (revocation, expiration) = (&[][..], "2099-12-31 23:59:59+00");
        let (user, password) = (user.as_str(), &password);
        let lease = Lease { user, password, creation: &creation, revocation, expiration };
        refuses(master.grant(&lease).await);
        assert!(!peer.exists(user), "{creation:?}");
    }
}
