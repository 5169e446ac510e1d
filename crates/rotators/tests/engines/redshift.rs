//! Redshift's statements, against a PostgreSQL that has what they need. No Redshift was asked.

use crate::postgres::Postgres;
use crate::suite::{Offer, Peer, administrator, every_engine, lease, sensitive};
use peers::Authority;
use rotators::Rotator;

struct Redshift(Postgres);

every_engine! { Redshift }

/// What Redshift has and PostgreSQL hasn't.
const SHIM: &str = "CREATE VIEW stv_sessions AS
    SELECT pid AS process, usename::text AS user_name FROM pg_stat_activity;
    CREATE VIEW pg_proc_info AS SELECT oid AS prooid, * FROM pg_proc";

impl Peer for Redshift {
    fn start(offer: Offer) -> Self {
        let postgres = Postgres::keeping(true, offer);
        postgres.server.sql(SHIM).expect("made");
        Self(postgres)
    }

    fn crash(&mut self) {
        self.0.crash();
    }

    fn resume(&mut self) {
        self.0.resume();
    }

    fn rotator(&self) -> &'static dyn Rotator {
        rotators::of_engine(self.engine()).expect("built in")
    }

    fn engine(&self) -> &'static str {
        "redshift"
    }

    fn database(&self) -> Option<&'static str> {
        Some("postgres")
    }

    fn port(&self) -> u16 {
        self.0.port()
    }

    fn authority(&self) -> &Authority {
        self.0.authority()
    }

    fn administrator(&self) -> (String, String) {
        self.0.administrator()
    }

    fn longest_name(&self) -> usize {
        // PostgreSQL's groups have names of 63 bytes, of which the alternate's group uses 24.
        39
    }

    fn can_be(&self, user: &str) -> bool {
        !user.contains('\\')
    }

    fn create(&self, user: &str, password: &str) {
        self.0.create(user, password);
    }

    fn exists(&self, user: &str) -> bool {
        self.0.exists(user)
    }

    fn accepts(&self, user: &str, password: &str) -> bool {
        self.0.accepts(user, password)
    }

    fn permit(&self, user: &str) {
        self.0.permit(user);
    }

    fn forbid(&self, user: &str) {
        self.0.forbid(user);
    }

    fn reads(&self, user: &str, password: &str) -> bool {
        self.0.reads(user, password)
    }

    fn creation(&self) -> Vec<String> {
        self.0
            .creation()
            .into_iter()
            .map(|it| it.replace("ROLE {{name}} LOGIN", "USER {{name}}"))
            .collect()
    }

    fn leave_something(&self, user: &str, password: &str) {
        self.0.leave_something(user, password);
    }

    fn log(&self) -> String {
        self.0.log()
    }
}

/// What a lease's user made goes with it.
#[tokio::test]
async fn what_was_planted_goes() {
    let peer = SHARED.get();
    let server = &peer.0.server;
    server.sql("CREATE SCHEMA garden").expect("made");
    let creation = [
        "CREATE USER {{name}} PASSWORD {{password}}",
        "GRANT ALL ON SCHEMA garden TO {{name}}",
        "GRANT CREATE ON DATABASE postgres TO {{name}}",
    ]
    .map(str::to_owned);
    let password = sensitive("leased");
    let lease = lease::lease("gardener", &password, &creation);
    let mut master = administrator(&*peer).await;
    master.grant(&lease).await.expect("made");
    let made = r#"CREATE SCHEMA own; CREATE TABLE garden."T 1" (a int);
        CREATE VIEW garden.v AS SELECT * FROM garden."T 1"; CREATE VIEW own.w AS SELECT * FROM garden.v;
        CREATE FUNCTION garden."F f"(int, varchar) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE PROCEDURE garden.p(a int) LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN END'"#;
    server.sql_as("gardener", "leased", made).expect("planted");
    // Somebody else's is nothing to drop.
    server.sql("CREATE TABLE own.theirs ()").expect("made");
    let told = master.revoke(&lease).await.expect_err("something is left").to_string();
    assert!(told.contains("can't log in any more"), "{told}");
    assert!(peer.exists("gardener") && !peer.accepts("gardener", "leased"));
    let left = "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'garden'::regnamespace) \
                + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'garden'::regnamespace) \
                + (SELECT count(*) FROM pg_namespace WHERE nspname = 'own')";
    assert_eq!(server.sql(left).expect("asked"), "1");
    server.sql("DROP TABLE own.theirs").expect("dropped");
    master.revoke(&lease).await.expect("removed");
    assert_eq!(server.sql(left).expect("asked"), "0");
}
