//! PostgreSQL: how its server is asked, and what only it does.

use crate::suite::{
    Offer, Peer, administrator, change, connect, every_engine, lease, secret, sensitive, trust,
};
use peers::{Authority, Setup};
use rotators::{Failure, Finding, Lease, Rotator, Session};

pub(crate) struct Postgres {
    pub(crate) server: peers::Postgres,
    authority: Authority,
}

impl Postgres {
    /// A server that keeps passwords as MD5, or as servers do today.
    pub(crate) fn keeping(md5: bool, offer: Offer) -> Self {
        let authority = Authority::new().expect("an authority");
        let setup = match offer {
            Offer::Tls => Setup::tls(&authority).expect("issued"),
            Offer::Plain => Setup::default(),
        };
        let server = peers::Postgres::start(&Setup { md5, ..setup }).expect("a server");
        server.sql("CREATE TABLE ledger (); REVOKE ALL ON ledger FROM public").expect("made");
        Self { server, authority }
    }
}

every_engine! { Postgres }

impl Peer for Postgres {
    fn start(offer: Offer) -> Self {
        Self::keeping(false, offer)
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
        "postgres"
    }

    fn port(&self) -> u16 {
        self.server.port()
    }

    fn authority(&self) -> &Authority {
        &self.authority
    }

    fn administrator(&self) -> (String, String) {
        ("postgres".to_owned(), self.server.password().to_owned())
    }

    fn create(&self, user: &str, password: &str) {
        let (user, password) = (quoted(user, '"'), quoted(password, '\''));
        self.server.sql(&format!("CREATE ROLE {user} LOGIN PASSWORD {password}")).expect("made");
    }

    fn exists(&self, user: &str) -> bool {
        let asked = format!("SELECT count(*) FROM pg_roles WHERE rolname = {}", quoted(user, '\''));
        self.server.sql(&asked).expect("asked") == "1"
    }

    fn accepts(&self, user: &str, password: &str) -> bool {
        self.server.sql_as(user, password, "SELECT 1").is_ok()
    }

    fn permit(&self, user: &str) {
        self.server.sql(&format!("GRANT SELECT ON ledger TO {}", quoted(user, '"'))).expect("done");
    }

    fn forbid(&self, user: &str) {
        let asked = format!("REVOKE SELECT ON ledger FROM {}", quoted(user, '"'));
        self.server.sql(&asked).expect("done");
    }

    fn reads(&self, user: &str, password: &str) -> bool {
        self.server.sql_as(user, password, "SELECT FROM ledger").is_ok()
    }

    fn creation(&self) -> Vec<String> {
        let made = "CREATE ROLE {{name}} LOGIN PASSWORD {{password}} VALID UNTIL {{expiration}}";
        let granted =
            "GRANT SELECT ON ledger TO {{name}}; GRANT CREATE ON SCHEMA public TO {{name}}";
        vec![made.to_owned(), granted.to_owned()]
    }

    fn leave_something(&self, user: &str, password: &str) {
        let made = format!("CREATE TABLE {} ()", quoted(user, '"'));
        self.server.sql_as(user, password, &made).expect("made");
    }

    fn log(&self) -> String {
        self.server.log().expect("told")
    }
}

/// As the engine quotes; settings are as they come, so a backslash means itself.
fn quoted(text: &str, mark: char) -> String {
    format!("{mark}{}{mark}", text.replace(mark, &format!("{mark}{mark}")))
}

/// What an alternate makes belongs to the original, whose attributes and settings it has.
#[tokio::test]
async fn an_alternate_acts_as_the_original() {
    let peer = SHARED.get();
    peer.create("shop", "first");
    let sql = |statements: &str| peer.server.sql(statements).expect("done");
    sql(r#"CREATE SCHEMA shop AUTHORIZATION shop; CREATE ROLE auditors;
        ALTER ROLE shop CREATEDB CONNECTION LIMIT 7 VALID UNTIL '2099-01-01';
        ALTER ROLE shop SET search_path TO "$user", public;
        ALTER ROLE shop IN DATABASE postgres SET my.tenant TO 'it''s \ 7'"#);
    let mut master = administrator(&*peer).await;
    let mirror = async |session: &mut Box<dyn Session>, password: &str| {
        session.mirror("shop", "shop_clone", &sensitive(password)).await.expect("made");
    };
    mirror(&mut master, "second").await;
    let asked = "SELECT current_user, session_user, current_setting('my.tenant')";
    let asked = peer.server.sql_as("shop_clone", "second", asked).expect("asked");
    assert_eq!(asked, r"shop|shop_clone|it's \ 7");
    peer.server.sql_as("shop_clone", "second", "CREATE TABLE orders ()").expect("made");
    let owner = "SELECT tableowner FROM pg_tables WHERE schemaname = 'shop'";
    assert_eq!(sql(owner), "shop");
    let traits = "SELECT rolcreatedb, rolconnlimit, rolvaliduntil::date, rolsuper FROM pg_roles
        WHERE rolname = 'shop_clone'";
    assert_eq!(sql(traits), "t|7|2099-01-01|f");

    // What strays is brought back.
    sql("ALTER ROLE shop NOCREATEDB VALID UNTIL 'infinity'; ALTER ROLE shop RESET search_path;
        GRANT auditors TO shop_clone; ALTER ROLE shop_clone SET work_mem TO '1GB'");
    mirror(&mut master, "third").await;
    assert_eq!(sql(traits), "f|7|infinity|f");
    let settings = "SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting s
        JOIN pg_roles r ON r.oid = s.setrole WHERE rolname = 'shop_clone' AND setdatabase = 0";
    assert_eq!(sql(settings), "role=shop");
    let members =
        "SELECT roleid::regrole FROM pg_auth_members WHERE member = 'shop_clone'::regrole";
    assert_eq!(sql(members), "shop");
    // The alternate changes its own password, though it starts as another.
    let mut own = connect(&*peer, "shop_clone", "third").await.expect("accepted");
    own.change_own(&sensitive("third"), &sensitive("fourth")).await.expect("changed");
    assert!(peer.accepts("shop_clone", "fourth") && peer.accepts("shop", "first"));
}

/// A role's settings can't bend what our statements mean.
#[tokio::test]
async fn settings_of_a_role_dont_get_in_the_way() {
    let peer = SHARED.get();
    peer.create("bent", "first");
    let sql = |statements: &str| peer.server.sql(statements).expect("done");
    sql("CREATE ROLE powerless; GRANT powerless TO bent; CREATE SCHEMA trap;
        GRANT USAGE ON SCHEMA trap TO public;
        CREATE FUNCTION trap.quote_ident(text) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
        ALTER ROLE bent SET role TO powerless; ALTER ROLE bent SET search_path TO trap, pg_catalog;
        ALTER ROLE bent SET default_transaction_read_only TO on;
        ALTER ROLE bent SET standard_conforming_strings TO off;
        ALTER ROLE bent SET quote_all_identifiers TO on");
    let mut session = connect(&*peer, "bent", "first").await.expect("accepted");
    session.change_own(&sensitive("first"), &sensitive(r"back\slash")).await.expect("changed");
    assert!(peer.accepts("bent", r"back\slash") && !peer.accepts("bent", "first"));
    // What the server keeps is of the kind that it is set to keep.
    sql("ALTER ROLE bent SET password_encryption TO md5");
    let mut session = connect(&*peer, "bent", r"back\slash").await.expect("accepted");
    let kept = "SELECT left(rolpassword, 8) FROM pg_authid WHERE rolname = 'bent'";
    assert_eq!(sql(kept), "SCRAM-SH");
    session.change_own(&sensitive(r"back\slash"), &sensitive("x")).await.expect("changed");
    assert_eq!(sql(kept), sql("SELECT left('md5' || md5('xbent'), 8)"));
}

/// What refuses a login is told apart.
#[tokio::test]
async fn refused_logins_are_told_apart() {
    let peer = SHARED.get();
    for (user, change) in [
        ("locked", "NOLOGIN"),
        ("over", "VALID UNTIL '2001-01-01'"),
        ("crowded", "CONNECTION LIMIT 0"),
        ("lost", ""),
    ] {
        peer.create(user, "first");
        if !change.is_empty() {
            peer.server.sql(&format!("ALTER ROLE {user} {change}")).expect("done");
        }
        let login = secret(&*peer, user, "first", &[("dbname", user)]);
        let failure = peer.rotator().connect(&login, &trust(&[peer.authority()])).await.err();
        let fits = match user {
            "locked" | "over" => matches!(failure, Some(Failure::Denied(_))),
            "crowded" => matches!(failure, Some(Failure::Unreachable(_))),
            _ => matches!(failure, Some(Failure::Invalid(_))),
        };
        assert!(fits, "{user}: {failure:?}");
    }
    let mut master = administrator(&*peer).await;
    for user in ["locked", "over"] {
        let found = master.foresee(Some(user), None).await.expect("foreseen");
        assert!(found.iter().any(|it| matches!(it, Finding::Missing(..))), "{found:?}");
    }
}

/// A server that lets nobody in without TLS says nothing of a password.
#[tokio::test]
async fn a_server_that_insists_on_tls() {
    let authority = Authority::new().expect("an authority");
    let setup = Setup { only_tls: true, ..Setup::tls(&authority).expect("issued") };
    let peer = Postgres { server: peers::Postgres::start(&setup).expect("a server"), authority };
    peer.create("app", "first");
    connect(&peer, "app", "first").await.expect("accepted");
    let plain = secret(&peer, "app", "first", &[("ssl", "false")]);
    let refused = peer.rotator().connect(&plain, &trust(&[&peer.authority])).await;
    change::refuses(refused);
}

/// An administrator that is no superuser can do all that it may.
#[tokio::test]
async fn no_superuser_is_needed() {
    let peer = SHARED.get();
    peer.create("keeper", "first");
    let sql = |statements: &str| peer.server.sql(statements).expect("done");
    sql("ALTER ROLE keeper CREATEROLE");
    let mut keeper = connect(&*peer, "keeper", "first").await.expect("accepted");
    peer.create("kept", "first");
    sql("CREATE TABLE kept_table (); ALTER TABLE kept_table OWNER TO kept");
    if 160_000 <= sql("SHOW server_version_num").parse().expect("a number") {
        let found = keeper.foresee(Some("kept_clone"), Some("kept")).await.expect("foreseen");
        let hint = r#"GRANT "kept" TO "keeper" WITH ADMIN OPTION"#;
        assert!(found.iter().any(|it| matches!(it, Finding::Missing(_, told) if told == hint)));
        change::refuses(keeper.mirror("kept", "kept_clone", &sensitive("second")).await);
        sql(hint);
    }
    for password in ["second", "third"] {
        let found = keeper.foresee(Some("kept_clone"), Some("kept")).await.expect("foreseen");
        assert!(!found.iter().any(|it| matches!(it, Finding::Missing(..))), "{found:?}");
        keeper.mirror("kept", "kept_clone", &sensitive(password)).await.expect("made");
        assert!(peer.server.sql_as("kept_clone", password, "SELECT FROM kept_table").is_ok());
    }
    keeper.mirror("kept_clone", "kept", &sensitive("fourth")).await.expect("the way back");
    change::refuses(keeper.change("postgres", &sensitive("canary-taken"), None).await);
    let found = keeper.foresee(Some("postgres"), None).await.expect("foreseen");
    assert!(found.iter().any(|it| matches!(it, Finding::Missing(..))), "{found:?}");

    // It ends a lease with all that this one owns, too.
    sql("CREATE SCHEMA keeps AUTHORIZATION keeper");
    let creation = planter("keeps");
    let password = sensitive("leased");
    let lease = lease::lease("le\"ase", &password, &creation);
    keeper.grant(&lease).await.expect("made");
    plant(&peer, "le\"ase", "keeps");
    keeper.revoke(&lease).await.expect("removed");
    assert!(!peer.exists("le\"ase"));
    assert_eq!(sql(&planted("keeps")), "0");
}

/// The statements of a lease whose user may make things in `schema`.
fn planter(schema: &str) -> [String; 2] {
    let granted = format!("GRANT ALL ON SCHEMA {schema} TO {{{{name}}}}");
    ["CREATE ROLE {{name}} LOGIN PASSWORD {{password}}".to_owned(), granted]
}

/// Has `user` make what does what its owner may, for everybody.
fn plant(peer: &Postgres, user: &str, schema: &str) {
    let made = format!(
        "CREATE TABLE {schema}.t (); CREATE VIEW {schema}.v AS SELECT * FROM ledger;
        CREATE FUNCTION {schema}.f(told text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
        AS $$ DECLARE r text; BEGIN EXECUTE told INTO r; RETURN r; END $$;
        GRANT ALL ON {schema}.v TO PUBLIC"
    );
    peer.server.sql_as(user, "leased", &made).expect("planted");
}

/// How much there is in `schema`.
fn planted(schema: &str) -> String {
    format!(
        "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = '{schema}'::regnamespace) \
         + (SELECT count(*) FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace)"
    )
}

/// What a lease's user made goes with it, and is never somebody else's: it would act with that one's rights. Who has
/// something in another database can't be dropped, but is locked out, and is nobody's member.
#[tokio::test]
async fn what_was_planted_goes() {
    let peer = SHARED.get();
    let sql = |statements: &str| peer.server.sql(statements).expect("done");
    sql("CREATE SCHEMA garden; CREATE ROLE gardeners; GRANT USAGE ON SCHEMA garden TO PUBLIC");
    sql("CREATE DATABASE far");
    let far = peer.server.database("far");
    far.sql("GRANT CREATE ON SCHEMA public TO PUBLIC").expect("done");
    let mut creation = planter("garden").to_vec();
    creation.push("GRANT gardeners TO {{name}}".to_owned());
    let password = sensitive("leased");
    let lease = lease::lease("gardener", &password, &creation);
    let mut master = administrator(&*peer).await;
    for far_too in [false, true] {
        master.grant(&lease).await.expect("made");
        plant(&peer, "gardener", "garden");
        if far_too {
            far.sql_as("gardener", "leased", "CREATE TABLE planted ()").expect("planted");
            let failure = master.revoke(&lease).await.expect_err("something is left");
            assert!(failure.to_string().contains("can't log in any more"), "{failure}");
            assert!(failure.to_string().contains("database far"), "{failure}");
            assert!(peer.exists("gardener") && !peer.accepts("gardener", "leased"));
            let members = "SELECT count(*) FROM pg_auth_members WHERE member = 'gardener'::regrole";
            assert_eq!(sql(members), "0");
            assert_eq!(sql(&planted("garden")), "0");
            let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'planted'";
            assert_eq!(far.sql(owner).expect("asked"), "gardener");
            far.sql("DROP OWNED BY gardener").expect("dropped");
        }
        master.revoke(&lease).await.expect("removed");
        assert!(!peer.exists("gardener"));
        assert_eq!(sql(&planted("garden")), "0");
    }
    // Who wants to keep something says so.
    let revocation = ["REASSIGN OWNED BY {{name}} TO gardeners".to_owned()];
    let kept = Lease { revocation: &revocation, ..lease };
    master.grant(&kept).await.expect("made");
    peer.server.sql_as("gardener", "leased", "CREATE TABLE garden.kept ()").expect("made");
    master.revoke(&kept).await.expect("removed");
    assert_eq!(sql("SELECT tableowner FROM pg_tables WHERE tablename = 'kept'"), "gardeners");
}
