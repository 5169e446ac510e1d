//! MariaDB and MySQL: how their servers are asked, and what only they do.

use crate::suite::change::{only, refuses};
use crate::suite::{
    Offer, Peer, administrator, connect, every_engine, fresh, lease, secret, sensitive, trust,
};
use peers::{Authority, Maker, certificate};
use rotators::{Finding, Rotator};

/// A server, and what secrets call it.
trait Kind: Send + Sync + 'static {
    const MAKER: Maker;
    const ENGINE: &'static str;
}

/// A server of `K`.
struct Real<K> {
    server: peers::MySql,
    authority: Authority,
    kind: std::marker::PhantomData<K>,
}

/// A test of what only these two do.
macro_rules! own {
    ($peer:ty) => { own! { $peer, rights_are_copied, two_passwords_and_no_third, one_name_of_several_accounts, what_was_planted_is_dead } };
    ($peer:ty, $($scenario:ident),+) => { $(
        #[tokio::test]
        async fn $scenario() {
            super::$scenario(&*SHARED.get()).await;
        }
    )+ };
}

mod mariadb {
    use super::*;

    pub(super) struct MariaDb;

    impl Kind for MariaDb {
        const MAKER: Maker = Maker::MariaDb;
        const ENGINE: &'static str = "mariadb";
    }

    every_engine! { Real<MariaDb> }
    own! { Real<MariaDb> }

    /// The secret's `engine` may say what its users say.
    #[tokio::test]
    async fn is_found_behind_mysqls_name() {
        let peer = &*SHARED.get();
        let user = fresh("called");
        peer.create(&user, "first");
        let mysql = rotators::of_engine("mysql").expect("built in");
        let trust = trust(&[peer.authority()]);
        let login = secret(peer, &user, "first", &[("engine", "mysql")]);
        let mut session = mysql.connect(&login, &trust).await.expect("accepted");
        session.change_own(&sensitive("first"), &sensitive("second")).await.expect("changed");
        only(peer, &user, "second", &["first"]).await;
    }

    /// A way in that isn't a password isn't taken away unasked.
    #[tokio::test]
    async fn other_ways_in_are_kept() {
        let peer = &*SHARED.get();
        let user = fresh("ways");
        let ways = "mysql_native_password USING PASSWORD('first') OR unix_socket";
        peer.server
            .sql(&format!("CREATE USER {user}@'127.0.0.%' IDENTIFIED VIA {ways}"))
            .expect("made");
        refuses(administrator(peer).await.change(&user, &sensitive("second"), None).await);
        assert!(peer.accepts(&user, "first"));
    }
}

/// Its servers can't be had from a stable Debian: see `peers::Maker`.
#[cfg(feature = "test-mysql")]
mod mysqld {
    use super::*;

    pub(super) struct MySql;

    impl Kind for MySql {
        const MAKER: Maker = Maker::MySql;
        const ENGINE: &'static str = "mysql";
    }

    every_engine! { Real<MySql> }
    own! { Real<MySql> }

    /// Who must say the current password says it.
    #[tokio::test]
    async fn the_current_password_is_said_where_it_must_be() {
        let peer = &*SHARED.get();
        let user = fresh("asked");
        peer.create(&user, "first");
        let require = format!("ALTER USER {user}@'127.0.0.%' PASSWORD REQUIRE CURRENT");
        peer.server.sql(&require).expect("done");
        let mut session = connect(peer, &user, "first").await.expect("accepted");
        refuses(session.change_own(&sensitive("canary-other"), &sensitive("canary-next")).await);
        session.change_own(&sensitive("first"), &sensitive("second")).await.expect("changed");
        only(peer, &user, "second", &["first"]).await;
    }
}

impl<K: Kind> Peer for Real<K> {
    fn start(offer: Offer) -> Self {
        let authority = Authority::new().expect("an authority");
        let issued = certificate(&authority).expect("issued");
        let issued = (offer == Offer::Tls).then_some(&issued);
        let server = peers::MySql::start(K::MAKER, issued, &[]).expect("a server");
        server.sql("CREATE DATABASE test; CREATE TABLE test.ledger (a INT)").expect("made");
        Self { server, authority, kind: std::marker::PhantomData }
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
        K::ENGINE
    }

    fn port(&self) -> u16 {
        self.server.port()
    }

    /// The server forgets a blank at the end.
    fn can_be(&self, user: &str) -> bool {
        !user.ends_with(' ')
    }

    fn authority(&self) -> &Authority {
        &self.authority
    }

    fn administrator(&self) -> (String, String) {
        ("admin".to_owned(), self.server.password().to_owned())
    }

    fn create(&self, user: &str, password: &str) {
        let (user, password) = (name(user), text(password));
        let statement = format!("CREATE USER {user}@'127.0.0.%' IDENTIFIED BY {password}");
        self.server.sql(&statement).expect("made");
    }

    fn exists(&self, user: &str) -> bool {
        let asked = format!("SELECT COUNT(*) FROM mysql.user WHERE User = {}", text(user));
        self.server.sql(&asked).expect("asked") != "0"
    }

    fn accepts(&self, user: &str, password: &str) -> bool {
        self.server.sql_as(user, password, "SELECT 1").is_ok()
    }

    fn permit(&self, user: &str) {
        let statement = format!("GRANT SELECT ON test.ledger TO {}@'127.0.0.%'", name(user));
        self.server.sql(&statement).expect("done");
    }

    fn forbid(&self, user: &str) {
        let statement = format!("REVOKE SELECT ON test.ledger FROM {}@'127.0.0.%'", name(user));
        // What isn't granted can't be revoked.
        let _ = self.server.sql(&statement);
    }

    fn reads(&self, user: &str, password: &str) -> bool {
        self.server.sql_as(user, password, "SELECT * FROM test.ledger").is_ok()
    }

    fn creation(&self) -> Vec<String> {
        let made = "CREATE USER {{name}}@'127.0.0.%' IDENTIFIED BY {{password}}";
        let granted = "GRANT SELECT, CREATE ON test.* TO {{name}}@'127.0.0.%'";
        vec![made.to_owned(), granted.to_owned()]
    }

    fn leave_something(&self, user: &str, password: &str) {
        let made = format!("CREATE TABLE test.{} (a INT)", name(user));
        self.server.sql_as(user, password, &made).expect("made");
    }

    fn log(&self) -> String {
        self.server.log().expect("told")
    }
}

fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// With the server's usual mode, in which a backslash escapes.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Everything that can be granted, and the conditions of connections, come along and go again.
async fn rights_are_copied<K: Kind>(peer: &Real<K>) {
    let like = fresh("rich");
    let (user, account) = (format!("{like}_clone"), format!("{like}@'127.0.0.%'"));
    let role = fresh("role");
    let server = &peer.server;
    peer.create(&like, "first");
    let default = match K::MAKER {
        Maker::MariaDb => format!("SET DEFAULT ROLE {role} FOR {account}"),
        Maker::MySql => format!("SET DEFAULT ROLE {role} TO {account}"),
    };
    let told = format!(
        "CREATE DATABASE `d ON {like}`; CREATE TABLE `d ON {like}`.t (a INT, `b, TO c` INT); \
         CREATE PROCEDURE `d ON {like}`.p() SELECT 1; CREATE ROLE {role}; \
         GRANT SELECT (a, `b, TO c`), INSERT ON `d ON {like}`.t TO {account}; \
         GRANT SELECT, UPDATE ON `d ON {like}`.* TO {account} WITH GRANT OPTION; \
         GRANT EXECUTE ON PROCEDURE `d ON {like}`.p TO {account}; GRANT PROCESS ON *.* TO {account}; \
         GRANT {role} TO {account} WITH ADMIN OPTION; {default}; \
         ALTER USER {account} REQUIRE CIPHER 'x''y' ISSUER '/CN=z' WITH MAX_USER_CONNECTIONS 7"
    );
    server.sql(&told).expect("granted");
    let mut master = administrator(peer).await;
    for (round, change) in [
        String::new(),
        format!("REVOKE SELECT (a), INSERT ON `d ON {like}`.t FROM {account}"),
        format!("REVOKE GRANT OPTION ON `d ON {like}`.* FROM {account}"),
        format!("GRANT ALL ON `d ON {like}`.* TO {account}"),
        format!(
            "REVOKE ALL ON `d ON {like}`.* FROM {account}; REVOKE PROCESS ON *.* FROM {account}"
        ),
        format!("REVOKE {role} FROM {account}; ALTER USER {account} REQUIRE SSL"),
    ]
    .into_iter()
    .enumerate()
    {
        server.sql(&change).expect("changed");
        let password = sensitive(&format!("copy{round}"));
        master
            .mirror(&like, &user, &password)
            .await
            .unwrap_or_else(|it| panic!("{change}: {it:?}"));
        let wanted = described(peer, &like).replace(&like, "it");
        assert_eq!(
            described(peer, &user).replace(&user, "it").replace(&like, "it"),
            wanted,
            "{change}"
        );
        assert!(round != 0 || wanted.contains("WITH GRANT OPTION") && wanted.contains("SPECIFIED"));
    }
    // And none of the original's rights are lost on the way back, whatever the copy lacks.
    server.sql(&format!("GRANT PROCESS ON *.* TO {account}")).expect("granted");
    master.mirror(&user, &like, &sensitive("back")).await.expect("the way back");
    assert!(described(peer, &like).contains("PROCESS"));
}

/// What the server says of `user`, without passwords and marks.
fn described<K: Kind>(peer: &Real<K>, user: &str) -> String {
    let roles = match K::MAKER {
        Maker::MariaDb => "SELECT default_role FROM mysql.user",
        Maker::MySql => "SELECT DEFAULT_ROLE_USER FROM mysql.default_roles",
    };
    let told = peer.server.sql(&format!(
        "SELECT Host, ssl_type, CONVERT(ssl_cipher USING utf8mb4), CONVERT(x509_issuer USING utf8mb4), \
         max_questions, max_updates, max_connections, max_user_connections \
         FROM mysql.user WHERE User = '{user}'; {roles} WHERE User = '{user}'; \
         SHOW GRANTS FOR {user}@'127.0.0.%'"
    ));
    let told = told.expect("told");
    let words = told.split(' ').filter(|it| !it.contains("'*"));
    let ways = ["OR", "VIA", "BY", "PASSWORD", "USING", "mysql_native_password"];
    words.filter(|it| !ways.contains(it)).collect::<Vec<_>>().join(" ")
}

/// After a change two passwords are accepted and no third, whatever was before; also when it is done again.
async fn two_passwords_and_no_third<K: Kind>(peer: &Real<K>) {
    let user = fresh("two");
    peer.create(&user, "p0");
    let mut master = administrator(peer).await;
    for (to, keep, dead) in [
        ("p1", Some("p0"), vec!["p2"]),
        ("p1", Some("p0"), vec!["p2"]),
        ("p2", Some("p1"), vec!["p0"]),
        ("p3", Some("p1"), vec!["p0", "p2"]), // not the one that is first
        ("p4", Some("p9"), vec!["p1", "p3"]), // one that it never had
        ("p4", None, vec!["p9", "p3"]),
        ("p5", Some("p4"), vec!["p9"]),
        ("p4", None, vec!["p5"]), // the one that is second
    ] {
        let kept = keep.map(sensitive);
        master.change(&user, &sensitive(to), kept.as_ref()).await.expect("changed");
        assert!(peer.accepts(&user, to), "{to}, {keep:?}");
        assert!(keep.is_none_or(|it| peer.accepts(&user, it)), "{to}, {keep:?}");
        for it in dead {
            assert!(!peer.accepts(&user, it), "{to}, {keep:?}: {it}");
        }
    }
    // A user that was made here is still known as that.
    let copy = format!("{user}_clone");
    master.mirror(&user, &copy, &sensitive("c1")).await.expect("made");
    master.change(&copy, &sensitive("c2"), Some(&sensitive("c1"))).await.expect("changed");
    assert!(peer.accepts(&copy, "c1") && peer.accepts(&copy, "c2"));
    master.mirror(&user, &copy, &sensitive("c3")).await.expect("known");
    only(peer, &copy, "c3", &["c1", "c2"]).await;
}

/// A secret names no host, so a name of two accounts isn't guessed at.
async fn one_name_of_several_accounts<K: Kind>(peer: &Real<K>) {
    let user = fresh("several");
    peer.create(&user, "first");
    peer.server.sql(&format!("CREATE USER {user}@'10.0.0.1' IDENTIFIED BY 'x'")).expect("made");
    let mut master = administrator(peer).await;
    refuses(master.change(&user, &sensitive("second"), None).await);
    let found = master.foresee(Some(&user), None).await.expect("foreseen");
    assert!(
        found
            .iter()
            .any(|it| matches!(it, Finding::Missing(told, _) if told.contains("2 accounts")))
    );
    // The user itself is one of them.
    let mut own = connect(peer, &user, "first").await.expect("accepted");
    own.change_own(&sensitive("first"), &sensitive("second")).await.expect("changed");
    assert!(peer.accepts(&user, "second"));
}

/// What acts with the rights of who made it acts with nobody's when that one is gone.
async fn what_was_planted_is_dead<K: Kind>(peer: &Real<K>) {
    let (user, password) = (fresh("gardener"), sensitive("leased"));
    let mut creation = peer.creation();
    creation.push("GRANT CREATE VIEW, CREATE ROUTINE ON test.* TO {{name}}@'127.0.0.%'".to_owned());
    let lease = lease::lease(&user, &password, &creation);
    let mut master = administrator(peer).await;
    master.grant(&lease).await.expect("made");
    let made = format!(
        "CREATE VIEW test.v_{user} AS SELECT * FROM test.ledger; \
         CREATE PROCEDURE test.p_{user}() SELECT * FROM test.ledger"
    );
    peer.server.sql_as(&user, "leased", &made).expect("planted");
    let acts = [format!("SELECT * FROM test.v_{user}"), format!("CALL test.p_{user}()")];
    for it in &acts {
        peer.server.sql(it).expect("alive");
    }
    master.revoke(&lease).await.expect("removed");
    for it in &acts {
        assert!(peer.server.sql(it).is_err(), "{it}");
    }
    let definers = format!(
        "SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_NAME = 'v_{user}' \
         UNION SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_NAME = 'p_{user}'"
    );
    assert_eq!(peer.server.sql(&definers).expect("asked"), format!("{user}@127.0.0.%"));
}
