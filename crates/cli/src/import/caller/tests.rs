use super::*;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// What a scripted server does with a request: answers with a status and a body, or hangs up.
type Act = Option<(u16, &'static str)>;

/// Serves `script`, then hangs up on everyone; the caller to use, and the requests' signatures.
async fn scripted(script: &'static [Act]) -> (Caller, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    tokio::spawn(async move {
        let mut script = script.iter();
        loop {
            let mut stream = BufReader::new(listener.accept().await.unwrap().0);
            while let Some(request) = receive(&mut stream).await {
                told.lock().unwrap().push(request);
                let Some(Some((status, body))) = script.next() else { break };
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    let keys = Keys {
        access_key_id: "AKIAX".to_owned(),
        secret: "s".to_owned().into(),
        session_token: Some("session".to_owned()),
        region: "eu-west-1".to_owned(),
    };
    let patience = Patience { retries: 3, first: Duration::ZERO, longest: Duration::ZERO };
    (Caller { endpoint: Endpoint::new(&url, None).unwrap(), keys, patience }, seen)
}

/// The head of a request, after its body was read too; nothing at the end of the connection.
async fn receive(stream: &mut BufReader<tokio::net::TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    Some(head)
}

const THROTTLE: Act = Some((400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#));
const FINE: Act = Some((200, "fine"));

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    #[rustfmt::skip]
    let cases: [(&[Act], usize, Result<&str, &str>); 9] = [
        (&[FINE],                                                        1, Ok("fine")),
        (&[THROTTLE, Some((503, "")), None, FINE],                       4, Ok("fine")),
        (&[Some((429, "")), FINE],                                       2, Ok("fine")),
        (&[THROTTLE, THROTTLE, THROTTLE, THROTTLE, FINE],                4, Err("ThrottlingException: Rate exceeded")),
        (&[Some((500, "<html>")); 5],                                    4, Err("status 500")),
        (&[Some((400, r#"{"__type":"a.b#X","Message":"no\u001b"}"#))],   1, Err("X: no ")),
        (&[Some((404, ""))],                                             1, Err("status 404")),
        (&[Some((403, r#"{"__type":"UnrecognizedClientException"}"#))],  1, Err("UnrecognizedClientException")),
        (&[],                                                            4, Err("no answer from 127.0.0.1")),
    ];
    for (script, requests, expected) in cases {
        let (caller, seen) = scripted(script).await;
        let asked = Connection::default().ask(&caller, "X", &Bytes::from_static(b"{}")).await;
        match (asked, expected) {
            (Ok(body), Ok(expected)) => assert_eq!(body, expected),
            (Err(refusal), Err(expected)) => {
                assert!(refusal.to_string().starts_with(expected), "{refusal}");
                let ends = expected.starts_with("no answer") || expected.starts_with("Unrecog");
                assert_eq!(refusal.is_final(), ends, "{refusal}");
            }
            (asked, _) => panic!("{script:?}: {asked:?}"),
        }
        assert_eq!(seen.lock().unwrap().len(), requests, "{script:?}");
    }
}

#[tokio::test]
async fn a_session_token_is_sent_and_signed() {
    let (caller, seen) = scripted(&[FINE, FINE]).await;
    let mut connection = Connection::default();
    for _ in 0..2 {
        connection.ask(&caller, "CreateSecret", &Bytes::from_static(b"{}")).await.unwrap();
    }
    for head in seen.lock().unwrap().iter() {
        assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
        for part in [
            "x-amz-target: secretsmanager.CreateSecret\r\n",
            "x-amz-security-token: session\r\n",
            "/eu-west-1/secretsmanager/aws4_request, SignedHeaders=\
             content-type;host;x-amz-date;x-amz-security-token;x-amz-target, ",
        ] {
            assert!(head.contains(part), "{part}: {head}");
        }
    }
}

#[test]
fn pauses_grow_up_to_a_bound() {
    struct Least;
    impl Entropy for Least {
        fn fill(&self, out: &mut [u8]) {
            out.fill(0);
        }
    }
    let millis = [0, 1, 2, 5, 6, 40].map(|it| PATIENCE.pause(it, &Least).as_millis());
    assert_eq!(millis, [50, 100, 200, 1600, 2500, 2500]);
    let drawn = PATIENCE.pause(40, &SystemEntropy).as_millis();
    assert!((2500..5000).contains(&drawn), "{drawn}");
}
