use crate::config::Config;
use crate::keys::{IssueError, Issuer, Keys, Wanted};
use crate::run::{Agent, World};
use base::{Clock, Sensitive, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::chance::Seeded;
use testkit::clock::HandMoved;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Semaphore, watch};

const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// Issues a session of an hour for each permit, and remembers what was asked for.
struct Server {
    permits: Semaphore,
    /// Session name and token of each fetch.
    asked: watch::Sender<Vec<(String, String)>>,
    refuses: Mutex<bool>,
}

#[async_trait::async_trait]
impl Issuer for Server {
    async fn issue(&self, wanted: &Wanted, now: Timestamp) -> Result<Keys, IssueError> {
        let token = wanted.web_token.as_ref().map(|it| it.expose().to_vec()).unwrap_or_default();
        let token = String::from_utf8(token).expect("text");
        self.asked.send_modify(|it| it.push((wanted.session_name.clone(), token)));
        self.permits.acquire().await.expect("open").forget();
        if *self.refuses.lock().expect("whole") {
            let (code, message) = ("AccessDenied".to_owned(), String::new());
            return Err(IssueError::Refused { code, message });
        }
        Ok(Keys {
            access_key_id: format!("ASIA{}", self.asked.borrow().len()),
            secret: Sensitive::from("secret".to_owned()),
            token: Sensitive::from("token".to_owned()),
            expires: now.plus(Duration::from_hours(1)),
        })
    }
}

struct Site {
    clock: Arc<HandMoved>,
    server: Arc<Server>,
    agent: Agent,
    address: String,
}

/// Answers' status, headers and body.
struct Answer(u16, BTreeMap<String, String>, String);

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.2).expect(&self.2)
    }
}

impl Site {
    /// An agent at `at` that offers `offers`, with one rule.
    async fn new(at: &str, offers: &str, rule: &str) -> Self {
        let text = format!(
            "[server]\nendpoint = \"http://127.0.0.1:1\"\nregion = \"eu-west-1\"\n\
             [identity]\nkind = \"access-key\"\nfile = \"/nonexistent\"\n\
             [[listen]]\nat = \"{at}\"\noffers = [{offers}]\n\
             [[workload]]\nrole_arn = \"arn:aws:iam::111122223333:role/path/app\"\n{rule}\n"
        );
        let config = Config::parse(&text).expect("well formed");
        let clock = Arc::new(HandMoved::new(START));
        let (asked, refuses) = (watch::Sender::default(), Mutex::new(false));
        let server = Arc::new(Server { permits: Semaphore::new(100), asked, refuses });
        let world = World {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::new(Seeded::new(1)),
            issuer: Arc::clone(&server) as Arc<dyn Issuer>,
            processes: PathBuf::from("/proc"),
        };
        let agent = Agent::start(&config, world).await.expect("started");
        let address = agent.offered()[0].at.to_string();
        Self { clock, server, agent, address }
    }

    /// One for this very user.
    async fn mine(offers: &str) -> Self {
        Self::new("127.0.0.1:0", offers, &format!("{}\nsession_name = \"app\"", me(0))).await
    }

    async fn send(&self, raw: &str) -> Answer {
        exchange(TcpStream::connect(&self.address).await.expect("connected"), raw).await
    }

    /// A request with a good `Host`, one `headers` line each.
    async fn ask(&self, line: &str, headers: &[String]) -> Answer {
        let headers: Vec<_> = headers.iter().map(|it| format!("{it}\r\n")).collect();
        let headers = headers.concat();
        self.send(&format!("{line} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.address)).await
    }

    fn fetches(&self) -> usize {
        self.server.asked.borrow().len()
    }
}

/// The rule's line for this user, or for the one `beside` numbers further.
fn me(beside: u32) -> String {
    format!("uid = {}", rustix::process::geteuid().as_raw() + beside)
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, raw: &str) -> Answer {
    // A server may answer and close before it has read everything.
    let _cut_off = stream.write_all(raw.as_bytes()).await;
    let mut bytes = Vec::new();
    let _reset = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.get(9..12).and_then(|it| it.parse().ok()).unwrap_or(0);
    let headers = head.lines().skip(1).filter_map(|it| it.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Answer(status, headers, body.to_owned())
}

#[tokio::test]
async fn a_container_gets_what_sdks_read() {
    let site = Site::mine("\"container\"").await;
    let answer = site.ask("GET /credentials", &[]).await;
    assert_eq!(answer.0, 200);
    assert_eq!(answer.1["cache-control"], "no-store");
    let expected = json!({
        "AccessKeyId": "ASIA1", "SecretAccessKey": "secret", "Token": "token",
        "Expiration": "2026-01-01T01:00:00Z", "AccountId": "111122223333",
        "RoleArn": "arn:aws:iam::111122223333:role/path/app",
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn hostile_requests_get_nothing() {
    let site = Site::mine("\"container\"").await;
    let good = format!("Host: {}\r\n", site.address);
    let large = format!("X: {}\r\n", "a".repeat(64 * 1024));
    let many: Vec<_> = (0..200).map(|it| format!("x{it}: a\r\n")).collect();
    #[rustfmt::skip]
    let cases = [
        // request line                                 headers                                         status
        ("GET /credentials HTTP/1.1",                   good.clone(),                                   200),
        ("GET /credentials?a=b HTTP/1.1",               good.clone(),                                   200),
        ("GET /credentials HTTP/1.1",                   "Host: attacker.example\r\n".to_owned(),        403),
        ("GET /credentials HTTP/1.1",                   "Host: attacker.example:80\r\n".to_owned(),     403),
        ("GET /credentials HTTP/1.1",                   String::new(),                                  403),
        ("GET /credentials HTTP/1.0",                   String::new(),                                  403),
        ("GET /credentials HTTP/1.1",                   good.repeat(2),                                 400),
        ("GET /credentials HTTP/1.1",                   format!("{good}Origin: null\r\n"),              403),
        ("GET /credentials HTTP/1.1",                   format!("{good}X-Forwarded-For: 1.2.3.4\r\n"),  403),
        ("GET /credentials HTTP/1.1",                   format!("{good}Via: 1.1 a\r\n"),                403),
        ("GET http://127.0.0.1/credentials HTTP/1.1",   good.clone(),                                   400),
        ("GET http://attacker.example/credentials HTTP/1.1", good.clone(),                              400),
        ("CONNECT 127.0.0.1:80 HTTP/1.1",               good.clone(),                                   400),
        ("OPTIONS * HTTP/1.1",                          good.clone(),                                   404),
        ("POST /credentials HTTP/1.1",                  good.clone(),                                   405),
        ("HEAD /credentials HTTP/1.1",                  good.clone(),                                   405),
        ("GET /credentials/ HTTP/1.1",                  good.clone(),                                   404),
        ("GET /x/../credentials HTTP/1.1",              good.clone(),                                   404),
        ("GET /%63redentials HTTP/1.1",                 good.clone(),                                   404),
        ("GET /v1/credentials HTTP/1.1",                good.clone(),                                   404), // not offered
        ("GET /latest/api/token HTTP/1.1",              good.clone(),                                   404), // not offered
        ("GET / HTTP/1.1",                              good.clone(),                                   404),
        ("GET /credentials HTTP/1.1",                   format!("{good}{large}"),                       431),
        ("GET /credentials HTTP/1.1",                   format!("{good}{}", many.concat()),                        431),
        ("GET /credentials HTTP/1.1",                   format!("{good}Authorization: a\r\nAuthorization: b\r\n"), 400),
        ("GET /credentials HTTP/1.1",                   format!("{good}Authorization: a-token-of-nobody\r\n"), 403),
        ("\u{1}\u{2}",                                  good.clone(),                                   400),
    ];
    for (line, headers, expected) in cases {
        let answer = site.send(&format!("{line}\r\n{headers}\r\n")).await;
        assert_eq!(answer.0, expected, "{line} {headers:.100}");
        assert_eq!(answer.2.contains("secret"), expected == 200, "{line}");
    }
    assert_eq!(site.fetches(), 1);
}

#[tokio::test]
async fn another_user_gets_nothing() {
    let rule = format!("{}\nsession_name = \"app\"", me(1));
    let site = Site::new("127.0.0.1:0", "\"container\", \"imds\"", &rule).await;
    let answer = site.ask("GET /credentials", &[]).await;
    assert_eq!((answer.0, answer.json()["code"].as_str()), (403, Some("AccessDenied")));
    assert_eq!(site.ask("PUT /latest/api/token", &[TTL.to_owned()]).await.0, 403);
    assert_eq!(site.fetches(), 0);
}

const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds: 60";
const ROLES: &str = "GET /latest/meta-data/iam/security-credentials";

#[tokio::test]
async fn the_metadata_service_speaks_its_second_version_only() {
    let site = Site::mine("\"imds\"").await;
    let made = site.ask("PUT /latest/api/token", &[TTL.to_owned()]).await;
    assert_eq!((made.0, made.1["x-aws-ec2-metadata-token-ttl-seconds"].as_str()), (200, "60"));
    let token = format!("X-aws-ec2-metadata-token: {}", made.2);
    let ttl = |it: &str| vec![TTL.replace("60", it)];
    let (with, without) = (vec![token.clone()], Vec::new());
    #[rustfmt::skip]
    let cases = [
        ("PUT /latest/api/token".to_owned(),                    without.clone(),             400),
        ("PUT /latest/api/token".to_owned(),                    ttl("0"),                    400),
        ("PUT /latest/api/token".to_owned(),                    ttl("21601"),                400),
        ("PUT /latest/api/token".to_owned(),                    ttl("-1"),                   400),
        ("PUT /latest/api/token".to_owned(),                    ttl("21600"),                200),
        ("PUT /latest/api/token".to_owned(),                    [ttl("60"), ttl("60")].concat(), 400),
        ("PUT /latest/api/token".to_owned(),                    [ttl("60"), vec!["X-Forwarded-For: a".to_owned()]].concat(), 403),
        ("GET /latest/api/token".to_owned(),                    ttl("60"),                   405),
        (format!("{ROLES}/"),                                   without.clone(),             401),
        (format!("{ROLES}/app"),                                without.clone(),             401),
        ("GET /latest/nothing".to_owned(),                      without,                     401),
        (format!("{ROLES}/"),                                   vec![token.clone() + "A"],   401),
        (format!("{ROLES}/"),                                   [with.clone(), with.clone()].concat(), 401),
        (ROLES.to_owned(),                                      with.clone(),                200),
        (format!("{ROLES}/"),                                   with.clone(),                200),
        (format!("{ROLES}/app"),                                with.clone(),                200),
        (format!("{ROLES}/other"),                              with.clone(),                404),
        (format!("{ROLES}-extended/"),                          with.clone(),                404),
        (format!("{ROLES}-extended/app"),                       with.clone(),                404),
        ("GET /latest/dynamic/instance-identity/document".to_owned(), with.clone(),          404),
        (format!("{ROLES}/").replace("GET", "POST"),            with.clone(),                405),
    ];
    for (line, headers, expected) in cases {
        assert_eq!(site.ask(&line, &headers).await.0, expected, "{line} {headers:?}");
    }
    assert_eq!(site.ask(&format!("{ROLES}/"), &with).await.2, "app");
    let expected = json!({
        "Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC",
        "AccessKeyId": "ASIA1", "SecretAccessKey": "secret", "Token": "token",
        "Expiration": "2026-01-01T01:00:00Z",
    });
    assert_eq!(site.ask(&format!("{ROLES}/app"), &with).await.json(), expected);
    site.clock.advance(Duration::from_mins(1));
    assert_eq!(site.ask(&format!("{ROLES}/"), &with).await.0, 401, "it has ended");
}

#[tokio::test]
async fn a_role_that_the_server_refuses_is_told_as_ec2_does() {
    let site = Site::mine("\"imds\", \"container\"").await;
    *site.server.refuses.lock().expect("whole") = true;
    let token = site.ask("PUT /latest/api/token", &[TTL.to_owned()]).await.2;
    let answer =
        site.ask(&format!("{ROLES}/app"), &[format!("X-aws-ec2-metadata-token: {token}")]).await;
    assert_eq!((answer.0, &answer.json()["Code"]), (200, &json!("AssumeRoleUnauthorizedAccess")));
    assert_eq!(site.ask("GET /credentials", &[]).await.0, 403);
    assert_eq!(site.fetches(), 1, "the second one finds the pause");
}

fn pod_token(account: &str, pod: &str, expires: i64) -> String {
    let sub = format!("system:serviceaccount:{}", account.replace('/', ":"));
    let payload =
        json!({ "sub": sub, "exp": expires, "kubernetes.io": { "pod": { "name": pod } } });
    format!("Authorization: e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string()))
}

#[tokio::test]
async fn a_pods_own_token_is_exchanged() {
    let site = Site::new("127.0.0.1:0", "\"pod-identity\"", "service_account = \"ns/app\"").await;
    let later = START.secs() + 3600;
    let (one, two) = (pod_token("ns/app", "app-1", later), pod_token("ns/app", "A/B", later));
    for (token, expected) in [(&one, "ASIA1"), (&one, "ASIA1"), (&two, "ASIA2"), (&one, "ASIA1")] {
        let answer = site.ask("GET /v1/credentials", std::slice::from_ref(token)).await;
        assert_eq!(answer.json()["AccessKeyId"], expected);
    }
    let asked = site.server.asked.borrow().clone();
    let sent = |it: &str| it.replacen("Authorization: ", "", 1);
    assert_eq!(asked, [("app-1".to_owned(), sent(&one)), ("ns.app".to_owned(), sent(&two))]);

    #[rustfmt::skip]
    let refused = [
        vec![],
        vec!["Authorization: no-jwt".to_owned()],
        vec![pod_token("ns/other", "a", later)],
        vec![pod_token("ns/app", "a", START.secs())],
    ];
    for headers in refused {
        assert_eq!(site.ask("GET /v1/credentials", &headers).await.0, 403, "{headers:?}");
    }
    assert_eq!(site.fetches(), 2);
    site.clock.advance(Duration::from_hours(1));
    assert_eq!(site.ask("GET /v1/credentials", &[one]).await.0, 403, "the token has ended too");
}

#[tokio::test]
async fn a_unix_socket_tells_who_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("agent.sock");
    for (beside, expected) in [(0, 200), (1, 403)] {
        let rule = format!("{}\nsession_name = \"app\"", me(beside));
        let site = Site::new(&format!("unix:{}", path.display()), "\"container\"", &rule).await;
        let stream = UnixStream::connect(&path).await.expect("connected");
        let answer = exchange(stream, "GET /credentials HTTP/1.1\r\nHost: any\r\n\r\n").await;
        assert_eq!(answer.0, expected);
        site.agent.shutdown().await;
        assert!(!path.exists(), "it is cleaned up");
    }
}

#[tokio::test]
async fn a_client_sees_the_next_session_before_the_old_one_ends() {
    let site = Site::mine("\"container\"").await;
    assert_eq!(site.ask("GET /credentials", &[]).await.json()["AccessKeyId"], "ASIA1");
    site.server.permits.forget_permits(100);
    site.clock.advance(Duration::from_mins(26));
    assert_eq!(site.ask("GET /credentials", &[]).await.json()["AccessKeyId"], "ASIA1");
    let mut asked = site.server.asked.subscribe();
    asked.wait_for(|it| it.len() == 2).await.expect("fetched");
    site.server.permits.add_permits(1);
    // The fetch has begun; that it is noted may take the task a few turns.
    let mut next = site.ask("GET /credentials", &[]).await.json();
    while next["AccessKeyId"] == "ASIA1" {
        next = site.ask("GET /credentials", &[]).await.json();
    }
    assert_eq!(next["AccessKeyId"], "ASIA2");
    assert_eq!(next["Expiration"], "2026-01-01T01:26:00Z", "34 minutes before the old one's end");
}

#[tokio::test]
async fn a_stop_lets_running_requests_finish() {
    let Site { server, agent, address, .. } = Site::mine("\"container\"").await;
    server.permits.forget_permits(100);
    let mut asked = server.asked.subscribe();
    let stream = TcpStream::connect(&address).await.expect("connected");
    let running =
        tokio::spawn(exchange(stream, "GET /credentials HTTP/1.1\r\nHost: [::1]\r\n\r\n"));
    asked.wait_for(|it| it.len() == 1).await.expect("fetching");
    // The stop comes first, then what the request waits for.
    tokio::join!(agent.shutdown(), async { server.permits.add_permits(1) });
    assert_eq!(running.await.expect("answered").0, 200);
    assert!(TcpStream::connect(&address).await.is_err(), "nobody listens");
}
