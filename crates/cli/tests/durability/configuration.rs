//! Mistakes in a configuration file: one sentence each, and nothing started or made.

use crate::process::{Server, refused, text};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

const TLS: &str = "[tls]\ncertificate = \"{folder}/none.pem\"\nkey = \"{folder}/none.key\"\n";

#[test]
fn each_mistake_stops_the_start_with_one_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("made");
    fs::set_permissions(&data, Permissions::from_mode(0o700)).expect("set");
    let file = folder.path().join("config.toml");
    fs::write(folder.path().join("not.pem"), "not a certificate").expect("written");

    let server = |listen: &str, rest: &str| {
        format!("[server]\ndata = \"{{folder}}/data\"\nlisten = [{listen}]\n{rest}")
    };
    let plain = |rest: &str| server("\"127.0.0.1:0\"", rest);
    #[rustfmt::skip]
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("no file content",     String::new(),                                        &["missing field `server`"]),
        ("not TOML",            "server = [".to_owned(),                              &["line 1"]),
        ("no data folder",      "[server]\n".to_owned(),                              &["missing field `data`"]),
        ("unknown section",     plain("[sever]\n"),                                   &["unknown field `sever`"]),
        ("unknown key",         plain("lisen = 1\n"),                                 &["line 4", "unknown field `lisen`"]),
        ("unknown limit",       plain("[limits]\nheaders = 1\n"),                     &["line 5", "unknown field `headers`"]),
        ("key given twice",     plain("data = \"x\"\n"),                              &["line 4", "duplicate key"]),
        ("off loopback",        server("\"0.0.0.0:0\"", ""),                          &["`tls:0.0.0.0:0` needs TLS", "[tls]"]),
        ("off loopback, IPv6",  server("\"[::]:0\"", ""),                             &["`tls:[::]:0` needs TLS", "[tls]"]),
        ("TLS without a port",  server("\"tls:127.0.0.1\"", ""),                      &["line 3", "`tls:127.0.0.1` is no address"]),
        ("name as address",     server("\"localhost:4747\"", ""),                     &["line 3", "`localhost:4747` is no address"]),
        ("port out of range",   server("\"127.0.0.1:65536\"", ""),                    &["line 3", "`127.0.0.1:65536` is no address"]),
        ("empty unix path",     server("\"unix:\"", ""),                              &["line 3", "unix:"]),
        ("no listener",         server("", ""),                                       &["`server.listen`"]),
        ("same place twice",    server("\"127.0.0.1:7\", \"127.0.0.1:7\"", ""),       &["`127.0.0.1:7`", "overlap"]),
        ("admin off loopback",  plain("[admin]\nlisten = \"0.0.0.0:0\"\n"),           &["`admin.listen`", "loopback"]),
        ("no certificate file", server("\"tls:127.0.0.1:0\"", TLS),                   &["none.pem"]),
        ("no certificate",      server("\"tls:127.0.0.1:0\"", &TLS.replace("none.pem", "not.pem")), &["not.pem"]),
        ("TLS without key",     plain("[tls]\ncertificate = \"x\"\n"),                &["missing field `key`"]),
        ("text for a number",   plain("[limits]\nconnections = \"many\"\n"),          &["line 5", "expected u32"]),
        ("number for a text",   plain("[log]\nlevel = 7\n"),                          &["line 5"]),
        ("unknown level",       plain("[log]\nlevel = \"loud\"\n"),                   &["line 5", "`loud`", "`info`"]),
        ("text for a list",     "[server]\ndata = \"x\"\nlisten = \"y\"\n".to_owned(), &["line 3"]),
        ("negative number",     plain("[limits]\nconnections = -1\n"),                &["line 5"]),
        ("no unit of time",     plain("[limits]\nheader_timeout = \"5\"\n"),          &["line 5", "`5` is not a duration", "`30s`"]),
        ("number as time",      plain("[limits]\nidle_timeout = 5\n"),                &["line 5"]),
        ("unknown unit",        plain("[limits]\nidle_timeout = \"5 parsecs\"\n"),    &["line 5", "is not a duration"]),
        ("no time",             plain("[limits]\nrequest_timeout = \"0s\"\n"),        &["`limits.request_timeout`", "1ms"]),
        ("too long a time",     plain("[limits]\nidle_timeout = \"9d\"\n"),           &["`limits.idle_timeout`", "1d"]),
        ("too small a body",    plain("[limits]\nbody_bytes = 10\n"),                 &["`limits.body_bytes` is 10"]),
        ("too small a segment", plain("[audit]\nsegment_bytes = 1\n"),                &["`audit.segment_bytes` is 1"]),
        ("no such Region",      plain("regions = [\"Frankfurt\"]\n"),                 &["line 4", "Frankfurt"]),
        ("no such provider",    plain("[root_key]\nprovider = \"hsm\"\n"),            &["line 5", "`hsm`"]),
        ("no passphrase",       plain("[root_key]\nprovider = \"passphrase\"\n"),     &["`root_key.path`"]),
        ("absent passphrase",   plain("[root_key]\nprovider = \"passphrase\"\npath = \"{folder}/none\"\n"), &["passphrase", "none"]),
        ("no credential",       plain("[root_key]\nprovider = \"credential\"\ncredential = \"key\"\n"), &["credential `key`"]),
        ("absent data folder",  "[server]\ndata = \"{folder}/elsewhere\"\n".to_owned(), &["data folder", "elsewhere", "does not exist"]),
        ("a file as folder",    "[server]\ndata = \"{folder}/not.pem\"\n".to_owned(), &["not.pem", "is no folder"]),
    ];
    for (what, config, expected) in cases {
        let config = config.replace("{folder}", text(folder.path()));
        fs::write(&file, &config).expect("written");
        let (fact, _) = refused(&["server", "--config", text(&file)]);
        for part in expected {
            assert!(fact.contains(part), "{what}: no `{part}` in\n{fact}");
        }
        assert!(!folder.path().join("elsewhere").exists(), "{what}: a folder was made");
        assert!(!data.join("admin.sock").exists(), "{what}: it listened");
    }

    let absent = folder.path().join("absent.toml");
    let (fact, _) = refused(&["server", "--config", text(&absent)]);
    assert!(fact.contains("absent.toml"), "{fact}");
    fs::set_permissions(&data, Permissions::from_mode(0o755)).expect("set");
    fs::write(&file, plain("").replace("{folder}", text(folder.path()))).expect("written");
    let (fact, hint) = refused(&["server", "--config", text(&file)]);
    assert!(fact.contains("is open to group or others"), "{fact}");
    assert!(hint.contains("chmod 700"), "{hint}");
}

#[test]
fn a_taken_address_leaves_no_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let taken = other.local_addr().expect("bound").to_string();
    let data = folder.path().join("data");
    let (fact, hint) = refused(&["dev", "--data", text(&data), "--listen", &taken]);
    assert!(fact.contains(&format!("can't listen at `{taken}`")), "{fact}");
    assert!(hint.contains("choose another address"), "{hint}");
    assert!(!data.exists());
}

#[test]
fn what_a_server_makes_is_open_to_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::dev(&folder.path().join("data"));
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid().as_raw_nonzero()));
    let status = status.expect("of a process of this user");
    let mask = status.lines().find_map(|it| it.strip_prefix("Umask:")).expect("a mask");
    assert_eq!(mask.trim(), "0077");
    server.stop();
}
