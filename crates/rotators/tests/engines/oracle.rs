//! Oracle. No server can be had: what is asked here is a listener that refuses, and one that says nothing. Logins,
//! statements and their answers have met no server.

use crate::suite::{sensitive, trust};
use rotators::{Credential, Failure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn login(port: u16, more: &str) -> Credential {
    let text = format!(
        r#"{{"engine":"oracle","host":"127.0.0.1","port":{port},"username":"app","password":"right","ssl":false{more}}}"#
    );
    Credential::parse(&sensitive(&text)).expect("a login")
}

/// What a listener refuses for is told as that, and never as a wrong password. A name that is no service's is asked
/// for as an instance's, too.
#[tokio::test]
async fn refusals_of_a_listener_are_told() {
    let rotator = rotators::of_engine("oracle").expect("built in");
    for (error, asked, shown) in [(12_514, 2, "ORA-12514"), (12_516, 1, "ORA-12516")] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = tokio::spawn(async move {
            let mut names = Vec::new();
            for _ in 0..asked {
                let (mut stream, _) = listener.accept().await.expect("somebody");
                let mut said = [0; 4096];
                let count = stream.read(&mut said).await.expect("heard");
                names.push(String::from_utf8_lossy(&said[..count]).into_owned());
                let why = format!(
                    "(DESCRIPTION=(ERR={error})(VSNNUM=0)(ERROR_STACK=(ERROR=(CODE={error}))))"
                );
                let [high, low] = u16::try_from(12 + why.len()).expect("short").to_be_bytes();
                let [many, few] = u16::try_from(why.len()).expect("short").to_be_bytes();
                let head = [high, low, 0, 0, 4, 0, 0, 0, 34, 0, many, few];
                stream.write_all(&[&head[..], why.as_bytes()].concat()).await.expect("said");
            }
            names
        });
        let failure = rotator.connect(&login(port, r#","dbname":"ORCL""#), &trust(&[])).await;
        let failure = failure.err().expect("refused");
        assert!(
            matches!(&failure, Failure::Unreachable(told) if told.contains(shown)),
            "{failure:?}"
        );
        let heard = server.await.expect("ended");
        assert!(heard[0].contains("(SERVICE_NAME=ORCL)"), "{heard:?}");
        assert!(asked == 1 || heard[1].contains("(SID=ORCL)"), "{heard:?}");
        assert!(!heard.concat().contains("right"));
    }
}

/// The driver waits for as long as it is let: whoever stops waiting ends that, or this test would never end.
#[tokio::test]
async fn who_stops_waiting_ends_the_driver() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (login, trust) = (login(port, r#","dbname":"ORCL""#), trust(&[]));
    let rotator = rotators::of_engine("oracle").expect("built in");
    let mut connecting = rotator.connect(&login, &trust);
    let heard = async {
        let (mut stream, _) = listener.accept().await.expect("somebody");
        stream.read_exact(&mut [0; 8]).await.expect("heard");
        stream
    };
    let stream = tokio::select! {
        _ = &mut connecting => panic!("nobody has answered"),
        stream = heard => stream,
    };
    drop(connecting);
    drop(stream);
}

/// What can't stand in an address or in a statement is refused before anybody hears of it.
#[tokio::test]
async fn nothing_unsayable_is_said() {
    let rotator = rotators::of_engine("oracle").expect("built in");
    let elsewhere = r#","dbname":"x)(ADDRESS=(HOST=evil)""#;
    let quoted = r#","dbname":"x","username":"a\"b""#;
    for more in ["", elsewhere, quoted, r#","dbname":"x","password":"a\"b""#] {
        let failure = rotator.connect(&login(1, more), &trust(&[])).await.err().expect("refused");
        assert!(matches!(&failure, Failure::Invalid(_)), "{more}: {failure:?}");
    }
}
