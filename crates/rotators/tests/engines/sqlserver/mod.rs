//! SQL Server. None can be had, so these tests ask a peer of our own: it speaks the server's protocol with the
//! driver, TLS included, checks passwords, and does to a small world what our statements say. That a real server
//! understands them as it does is not shown here.

mod server;
mod tsql;
mod wire;
mod world;

use crate::suite::change::{only, refuses};
use crate::suite::{
    Offer, Peer, administrator, connect, every_engine, lease, secret, sensitive, trust,
};
use peers::Authority;
use rotators::{Failure, Finding, Rotator};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use server::{Server, ask};
use std::sync::Arc;
use wire::Login;
use world::{Database, Principal, World};

/// One whose users are logins, or, if they are `CONTAINED`, users whose passwords their database keeps.
struct SqlServer<const CONTAINED: bool> {
    server: Server,
    authority: Authority,
}

mod logins {
    use super::*;
    every_engine! { SqlServer<false> }
}

mod contained {
    use super::*;
    every_engine! { SqlServer<true> }
}

const PASSWORD: &str = "an-administrators";
const DATABASE: &str = "app]db";
const ENTERPRISE: u32 = 3;
const AZURE: u32 = 5;

impl<const CONTAINED: bool> SqlServer<CONTAINED> {
    fn new(offer: Offer, edition: u32) -> Self {
        let authority = Authority::new().expect("an authority");
        let issued = authority.issue(&["localhost"]).expect("issued");
        let mut world = World { edition, ..World::default() };
        let roles = ["sysadmin".to_owned()].into();
        let password = Some(PASSWORD.to_owned());
        let admin = Principal { sid: "0x01".to_owned(), password, roles, ..Principal::default() };
        world.logins.insert("sa".to_owned(), admin);
        for name in ["master", DATABASE, "other"] {
            world.databases.insert(name.to_owned(), Database::default());
        }
        let tls = (offer == Offer::Tls).then(|| {
            let chain = CertificateDer::pem_slice_iter(issued.chain.as_bytes());
            let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
            let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key");
            // As real ones do, within this protocol.
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[&rustls::version::TLS12])
                .expect("a version")
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .expect("a certificate")
        });
        Self { server: Server::start(world, tls), authority }
    }

    /// Runs `batch` as the administrator, in `database`.
    fn sql(&self, database: &str, batch: &str) {
        let login = Self::login("sa", PASSWORD, database);
        let session = self.server.shared.world().admit(&login, 0);
        ask(&self.server.shared, &mut session.expect("the administrator"), batch).expect("done");
    }

    fn login(user: &str, password: &str, database: &str) -> Login {
        let [user, password, database] = [user, password, database].map(str::to_owned);
        Login { user, password, database }
    }
}

impl<const CONTAINED: bool> Peer for SqlServer<CONTAINED> {
    fn start(offer: Offer) -> Self {
        Self::new(offer, ENTERPRISE)
    }

    fn crash(&mut self) {
        self.server.crash();
    }

    fn resume(&mut self) {
        self.server.resume();
    }

    fn rotator(&self) -> &'static dyn Rotator {
        rotators::of_engine(self.engine()).expect("built in")
    }

    fn engine(&self) -> &'static str {
        "sqlserver"
    }

    fn database(&self) -> Option<&'static str> {
        Some(DATABASE)
    }

    fn tls(&self) -> &'static str {
        "TLSv1.2"
    }

    fn port(&self) -> u16 {
        self.server.address.port()
    }

    fn authority(&self) -> &Authority {
        &self.authority
    }

    fn administrator(&self) -> (String, String) {
        ("sa".to_owned(), PASSWORD.to_owned())
    }

    fn can_be(&self, user: &str) -> bool {
        !user.ends_with(' ')
    }

    fn create(&self, user: &str, password: &str) {
        let (user, password) = (tsql::bracketed(user), password.replace('\'', "''"));
        let made = format!("WITH PASSWORD = N'{password}'");
        if CONTAINED {
            return self.sql(DATABASE, &format!("CREATE USER {user} {made}"));
        }
        self.sql(
            DATABASE,
            &format!("CREATE LOGIN {user} {made}; CREATE USER {user} FOR LOGIN {user}"),
        );
    }

    fn exists(&self, user: &str) -> bool {
        let world = self.server.shared.world();
        world.logins.contains_key(user)
            || world.databases.values().any(|it| it.users.contains_key(user))
    }

    fn accepts(&self, user: &str, password: &str) -> bool {
        let world = self.server.shared.world();
        // A login of a lease may be nobody's user.
        [DATABASE, "master"]
            .iter()
            .any(|it| world.admit(&Self::login(user, password, it), 0).is_ok())
    }

    fn permit(&self, user: &str) {
        let user = tsql::bracketed(user);
        self.sql(DATABASE, &format!("GRANT SELECT ON OBJECT::[dbo].[ledger] TO {user}"));
    }

    fn forbid(&self, user: &str) {
        let user = tsql::bracketed(user);
        self.sql(DATABASE, &format!("REVOKE SELECT ON OBJECT::[dbo].[ledger] FROM {user}"));
    }

    fn reads(&self, user: &str, password: &str) -> bool {
        let session = self.server.shared.world().admit(&Self::login(user, password, DATABASE), 0);
        session
            .is_ok_and(|mut it| ask(&self.server.shared, &mut it, "SELECT 1 FROM ledger").is_ok())
    }

    fn creation(&self) -> Vec<String> {
        let all: &[_] = if CONTAINED {
            &["create  user {{name}} WITH PASSWORD = {{password}}"]
        } else {
            &[
                "CREATE LOGIN {{name}} WITH PASSWORD = {{password}}",
                "CREATE USER {{name}} FOR LOGIN {{name}}",
            ]
        };
        let grant = ["GRANT SELECT ON OBJECT::[dbo].[ledger] TO {{name}}"];
        all.iter().chain(&grant).map(|it| (*it).to_owned()).collect()
    }

    fn leave_something(&self, user: &str, _password: &str) {
        let user = tsql::bracketed(user);
        self.sql(DATABASE, &format!("CREATE SCHEMA {user} AUTHORIZATION {user}"));
    }

    fn log(&self) -> String {
        self.server.shared.world().log.clone()
    }
}

/// What a server says of a login decides what is done next: only a wrong password leads to another one.
#[tokio::test]
async fn refused_logins_are_told_apart() {
    type Expected = fn(&Failure) -> bool;
    let peer = SqlServer::<false>::new(Offer::Tls, ENTERPRISE);
    peer.create("app", "right");
    let denied: Expected = |it| matches!(it, Failure::Denied(_));
    let unreachable: Expected = |it| matches!(it, Failure::Unreachable(_));
    let refused: Expected = |it| matches!(it, Failure::Refused(_));
    #[rustfmt::skip]
    let cases = [
        (18456, denied), (18470, denied), (18486, denied), (18487, denied), (18488, denied),
        (18401, unreachable), (17142, unreachable), (40613, unreachable), (49918, unreachable), (983, unreachable),
        (40615, refused), (18452, refused),
    ];
    for (number, expected) in cases {
        peer.server.shared.world().logins.get_mut("app").expect("made").barred = Some(number);
        let failure = connect(&peer, "app", "right").await.err().expect("refused");
        assert!(expected(&failure), "{number}: {failure:?}");
        // A wrong password is one, whatever else is the matter.
        let failure = connect(&peer, "app", "wrong").await.err().expect("refused");
        assert!(denied(&failure), "{number}: {failure:?}");
    }
    peer.server.shared.world().logins.get_mut("app").expect("made").barred = None;
    let elsewhere = secret(&peer, "app", "right", &[("dbname", "nowhere")]);
    let trusted = trust(&[peer.authority()]);
    refuses(peer.rotator().connect(&elsewhere, &trusted).await);
}

/// What a login may comes along and goes again: on the server, and in every database where it is a user.
#[tokio::test]
async fn rights_are_followed_everywhere() {
    let peer = SqlServer::<false>::new(Offer::Tls, ENTERPRISE);
    peer.create("o'app", "first");
    let mut master = administrator(&peer).await;
    for (database, batch) in [
        (
            "master",
            "GRANT VIEW SERVER STATE TO [o'app]; ALTER SERVER ROLE [##r##] ADD MEMBER [o'app]",
        ),
        (
            DATABASE,
            "ALTER ROLE [db_data]]reader] ADD MEMBER [o'app]; GRANT CONTROL ON SCHEMA::[a]]b] TO [o'app] WITH GRANT OPTION",
        ),
        (
            DATABASE,
            "GRANT SELECT ON OBJECT::[dbo].[t] TO [o'app]; DENY SELECT ON OBJECT::[dbo].[t] ([c]]d]) TO [o'app]",
        ),
        (
            "other",
            "CREATE USER [elsewhere] FOR LOGIN [o'app] WITH DEFAULT_SCHEMA = [s]]1]; DENY VIEW DEFINITION TO [elsewhere]",
        ),
        (
            DATABASE,
            "REVOKE CONTROL ON SCHEMA::[a]]b] FROM [o'app] CASCADE; GRANT CONTROL ON SCHEMA::[a]]b] TO [o'app]",
        ),
        (
            DATABASE,
            "DENY SELECT ON OBJECT::[dbo].[t] TO [o'app]; ALTER USER [o'app] WITH DEFAULT_SCHEMA = [x]",
        ),
        ("other", "DROP USER [elsewhere]"),
        (
            "master",
            "REVOKE VIEW SERVER STATE FROM [o'app]; ALTER SERVER ROLE [##r##] DROP MEMBER [o'app]",
        ),
        ("master", "ALTER LOGIN [o'app] WITH DEFAULT_DATABASE = [other], CHECK_POLICY = OFF"),
    ] {
        peer.sql(database, batch);
        let foreseen = master.foresee(Some("o'app_clone"), Some("o'app")).await.expect("foreseen");
        assert!(foreseen.iter().any(|it| matches!(it, Finding::Statement(it) if it.starts_with("GRANT")
            || it.starts_with("DENY") || it.starts_with("ALTER") || it.starts_with("REVOKE") || it.starts_with("DROP"))));
        master.mirror("o'app", "o'app_clone", &sensitive("copy")).await.expect("made");
        let world = peer.server.shared.world();
        let same = |one: Option<&Principal>, other: Option<&Principal>| {
            let kept =
                |it: &Principal| (it.settings.clone(), it.roles.clone(), it.permissions.clone());
            assert_eq!(one.map(kept), other.map(kept), "{batch}");
        };
        let (one, other) = (&world.logins["o'app"], &world.logins["o'app_clone"]);
        assert_eq!((&one.roles, &one.permissions), (&other.roles, &other.permissions), "{batch}");
        for database in world.databases.values() {
            let user = |sid: &str| database.users.values().find(|it| it.sid == sid);
            same(user(&one.sid), user(&other.sid));
        }
    }
    let settings = peer.server.shared.world().logins["o'app_clone"].settings.clone();
    assert_eq!(settings["DEFAULT_DATABASE"], "other");
    assert_eq!(settings["CHECK_POLICY"], "OFF");
    only(&peer, "o'app_clone", "copy", &["first"]).await;
}

/// Until it has all rights, nobody can log in with what it was made with.
#[tokio::test]
async fn half_made_is_shut() {
    let peer = SqlServer::<false>::new(Offer::Tls, ENTERPRISE);
    peer.create("app", "first");
    // It takes the name, and isn't this login's: so the second statement is never said.
    peer.sql(DATABASE, "CREATE USER [app_clone] WITH DEFAULT_SCHEMA = [dbo]");
    let mut master = administrator(&peer).await;
    refuses(master.mirror("app", "app_clone", &sensitive("second")).await);
    assert!(peer.server.shared.world().logins.contains_key("app_clone"));
    assert!(!peer.accepts("app_clone", "second"));
    peer.sql(DATABASE, "DROP USER [app_clone]");
    master.mirror("app", "app_clone", &sensitive("second")).await.expect("made");
    only(&peer, "app_clone", "second", &[]).await;
}

/// Azure SQL changes logins only in `master`, and shows one database; users of a database are changed there.
#[tokio::test]
async fn azure_is_narrow() {
    let peer = SqlServer::<true>::new(Offer::Tls, AZURE);
    peer.create("kept", "first");
    peer.sql("master", "CREATE LOGIN [app] WITH PASSWORD = N'first'");
    let mut master = administrator(&peer).await;
    refuses(master.change("app", &sensitive("second"), None).await);
    master.change("kept", &sensitive("second"), None).await.expect("changed");
    master.mirror("kept", "kept_clone", &sensitive("second")).await.expect("made");
    only(&peer, "kept_clone", "second", &["first"]).await;
    let (user, password) = peer.administrator();
    let login = secret(&peer, &user, &password, &[("dbname", "master")]);
    let mut there =
        peer.rotator().connect(&login, &trust(&[peer.authority()])).await.expect("open");
    there.change("app", &sensitive("second"), None).await.expect("changed");
    there.mirror("app", "app_clone", &sensitive("second")).await.expect("made");
    assert!(peer.accepts("app_clone", "second") && peer.accepts("app", "second"));
}

/// A backslash before a line's end would vanish from a password on its way.
#[tokio::test]
async fn a_password_the_server_would_read_otherwise_is_refused() {
    let peer = SqlServer::<false>::new(Offer::Tls, ENTERPRISE);
    peer.create("app", "first");
    let mut session = connect(&peer, "app", "first").await.expect("accepted");
    for password in ["a\\\nb", "a\\\r\nb", &"p".repeat(129)] {
        let failure = session.change_own(&sensitive("first"), &sensitive(password)).await;
        assert!(matches!(failure, Err(Failure::Invalid(_))), "{failure:?}");
    }
    only(&peer, "app", "first", &[]).await;
}

/// What a lease's user owns is never handed to the database's owner, whose rights modules would have.
#[tokio::test]
async fn what_was_planted_is_nobody_elses() {
    let peer = SqlServer::<true>::new(Offer::Tls, ENTERPRISE);
    let (password, creation) = (sensitive("leased"), peer.creation());
    let lease = lease::lease("gardener", &password, &creation);
    let mut master = administrator(&peer).await;
    master.grant(&lease).await.expect("made");
    peer.leave_something("gardener", "leased");
    let filled = |on: bool| {
        let mut world = peer.server.shared.world();
        let there = world.databases.get_mut(DATABASE).expect("there");
        there.filled = on.then(|| "gardener".to_owned()).into_iter().collect();
        there.schemas.get("gardener").cloned()
    };
    filled(true);
    let told = master.revoke(&lease).await.expect_err("something is left").to_string();
    assert!(told.contains("is still there") && told.contains("`revocation`"), "{told}");
    assert!(peer.exists("gardener") && !peer.accepts("gardener", "leased"));
    assert_eq!(filled(false).as_deref(), Some("gardener"));
    master.revoke(&lease).await.expect("removed");
    assert!(!peer.exists("gardener"));
    assert_eq!(filled(false), None);
}
