//! Redshift's statements, against a PostgreSQL that has what they need. No Redshift was asked.

use crate::postgres::Postgres;
use crate::suite::{Offer, Peer, every_engine};
use peers::Authority;
use rotators::Rotator;

struct Redshift(Postgres);

every_engine! { Redshift }

/// What Redshift has and PostgreSQL hasn't.
const SHIM: &str = "CREATE VIEW stv_sessions AS
    SELECT pid AS process, usename::text AS user_name FROM pg_stat_activity";

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
