//! PostgreSQL: how its server is asked, and what only it does.

use crate::suite::{Offer, Peer, every_engine};
use peers::{Authority, Setup};
use rotators::Rotator;

struct Postgres {
    server: peers::Postgres,
    authority: Authority,
}

every_engine! { Postgres }

impl Peer for Postgres {
    fn start(offer: Offer) -> Self {
        let authority = Authority::new().expect("an authority");
        let setup = match offer {
            Offer::Tls => Setup::tls(&authority).expect("issued"),
            Offer::Plain => Setup::default(),
        };
        let server = peers::Postgres::start(&setup).expect("a server");
        server.sql("CREATE TABLE ledger (); REVOKE ALL ON ledger FROM public").expect("made");
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
        vec![made.to_owned(), granted.replace(" ledger", " public.ledger")]
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
