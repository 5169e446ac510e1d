//! That a private server is one.

use super::*;

#[test]
fn a_server_starts_asks_for_passwords_and_ends() {
    let authority = Authority::new().expect("an authority");
    let mut server = Postgres::start(&Setup::tls(&authority).expect("issued")).expect("a server");
    assert_eq!(server.sql("SELECT 1 + 1").expect("asked"), "2");
    let asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(server.sql_as("postgres", server.password(), asked).expect("asked"), "t");
    let told = server.sql_as("postgres", "wrong", asked).expect_err("refused").to_string();
    assert!(told.contains("password authentication failed"), "{told}");
    assert!(server.log().expect("told").contains("SELECT 1 + 1"));
    assert!(!server.log().expect("told").contains(server.password()));

    server.sql("CREATE TABLE kept ()").expect("made");
    server.crash();
    assert!(std::net::TcpStream::connect(("127.0.0.1", server.port())).is_err());
    server.resume().expect("started again");
    assert_eq!(server.sql("SELECT count(*) FROM kept").expect("asked"), "0");
}

#[test]
fn servers_may_insist_on_tls() {
    let authority = Authority::new().expect("an authority");
    let setup = Setup { only_tls: true, ..Setup::tls(&authority).expect("issued") };
    let server = Postgres::start(&setup).expect("a server");
    let mut psql = server.psql().expect("a client");
    psql.env("PGPASSWORD", server.password()).env("PGSSLMODE", "disable");
    psql.args(["-h", "127.0.0.1", "-U", "postgres", "-d", "postgres", "-c", "SELECT 1"]);
    assert!(
        told(&psql.output().expect("run"))
            .expect_err("refused")
            .to_string()
            .contains("no encryption")
    );
    assert_eq!(server.sql_as("postgres", server.password(), "SELECT 1").expect("asked"), "1");
}
