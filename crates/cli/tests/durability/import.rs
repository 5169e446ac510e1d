//! `strongroom import`: twice the same, over changes, past bad lines, through an outage, over TLS.

use crate::canary::{base64, forms};
use crate::client::{Client, Keys, value_of};
use crate::process::{Server, text, until};
use rustix::net::{self, AddressFamily, SocketType};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// In every value, and nowhere else.
const CANARY: &str = "canary-of-an-import-e05b";

/// A run of the command.
struct Import {
    child: Child,
    lines: ChildStdin,
}

/// What a run came to.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Import {
    fn start(keys: &Keys, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        let secret = String::from_utf8(keys.secret.expose().to_vec()).expect("text");
        for other in ["AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "AWS_DEFAULT_REGION"] {
            command.env_remove(other);
        }
        command
            .arg("import")
            .args(arguments)
            .env("AWS_ENDPOINT_URL", format!("http://{}", keys.host))
            .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .env("AWS_REGION", "us-east-1");
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the binary");
        let lines = child.stdin.take().expect("piped");
        Self { child, lines }
    }

    fn feed(&mut self, lines: &str) {
        match self.lines.write_all(lines.as_bytes()) {
            // It may end before it has read all of them.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => panic!("{error}"),
            _ => (),
        }
    }

    /// Its end. No value may be in what it has said.
    fn end(self) -> Ended {
        drop(self.lines);
        let output = self.child.wait_with_output().expect("waited");
        let [out, err] =
            [output.stdout, output.stderr].map(|it| String::from_utf8(it).expect("text"));
        for form in forms(CANARY) {
            let form = String::from_utf8(form).expect("text");
            assert!(!out.contains(&form) && !err.contains(&form), "{form} in:\n{out}\n{err}");
        }
        Ended { code: output.status.code(), out, err }
    }

    fn run(keys: &Keys, arguments: &[&str], lines: &str) -> Ended {
        let mut import = Self::start(keys, arguments);
        import.feed(lines);
        import.end()
    }
}

impl Ended {
    fn report(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}\n{}", self.out, self.err))
    }

    /// Created, updated, skipped, failed.
    fn counts(&self) -> [u64; 4] {
        let report = self.report();
        let count = |name: &str| report[name].as_u64().expect("a number");
        let failed = report["failed"].as_array().expect("a list").len() as u64;
        [count("created"), count("updated"), count("skipped"), failed]
    }
}

fn value(number: usize, generation: &str) -> String {
    format!("{CANARY}-{number}-{generation}")
}

fn line(number: usize, generation: &str) -> String {
    let (name, value) = (format!("import/{number}"), value(number, generation));
    json!({ "Name": name, "SecretString": value }).to_string() + "\n"
}

fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|it| line(it, "first")).collect::<Vec<_>>().concat()
}

fn server() -> (tempfile::TempDir, Server, Keys, Client) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::dev(&folder.path().join("data"));
    let keys = server.keys();
    let client = keys.connect().expect("connected");
    (folder, server, keys, client)
}

fn versions(client: &mut Client, name: &str) -> usize {
    let body = json!({ "SecretId": name, "IncludeDeprecated": true });
    client.pages("ListSecretVersionIds", &body, "Versions").len()
}

#[test]
fn five_hundred_twice_are_five_hundred() {
    let (folder, _server, keys, mut client) = server();
    let array = format!("[{}]", lines(0..500).trim().replace('\n', ",\n"));
    let file = folder.path().join("secrets.json");
    std::fs::write(&file, array).expect("written");
    for (arguments, input) in
        [(&["--json"][..], lines(0..500)), (&["--json", text(&file)], String::new())]
    {
        let ended = Import::run(&keys, arguments, &input);
        assert_eq!((ended.counts(), ended.code), ([500, 0, 0, 0], Some(0)), "{}", ended.err);
        assert_eq!(ended.err, "", "no bar without a terminal");
    }
    let listed = client.pages("ListSecrets", &json!({}), "SecretList");
    assert_eq!(listed.len(), 500);
    for number in [0, 255, 499] {
        let name = format!("import/{number}");
        assert_eq!(value_of(&mut client, &name, None), value(number, "first"));
        assert_eq!(versions(&mut client, &name), 1);
    }
    let told = Import::run(&keys, &[], &lines(0..3)).out;
    assert_eq!(told, "3 created, 0 updated, 0 skipped, 0 failed\n");
}

#[test]
fn a_changed_value_is_refused_left_or_made_current() {
    let (_folder, _server, keys, mut client) = server();
    let full = |generation: &str| {
        let bytes = base64(value(1, generation).as_bytes());
        let tags = json!([{ "Key": "from", "Value": generation }]);
        json!({ "Name": "import/1", "SecretBinary": bytes, "Description": generation, "Tags": tags })
            .to_string()
            + "\n"
    };
    let both = |generation: &str| line(0, generation) + &full(generation);
    #[rustfmt::skip]
    let cases = [
        // lines            arguments                           counts        exit  what is current then
        (both("first"),     &["--json"][..],                    [2, 0, 0, 0], 0, "first"),
        (both("second"),    &["--json"],                        [0, 0, 0, 2], 1, "first"),
        (both("second"),    &["--json", "--existing", "fail"],  [0, 0, 0, 2], 1, "first"),
        (both("second"),    &["--json", "--existing", "skip"],  [0, 0, 2, 0], 0, "first"),
        (both("second"),    &["--json", "--existing", "update"], [0, 2, 0, 0], 0, "second"),
        (both("second"),    &["--json", "--existing", "update"], [0, 2, 0, 0], 0, "second"),
        // Back to a version that exists and is not current.
        (both("first"),     &["--json", "--existing", "update"], [0, 2, 0, 0], 0, "first"),
        (line(2, "first"),  &["--json", "--existing", "update"], [1, 0, 0, 0], 0, "first"),
    ];
    for (lines, arguments, counts, code, current) in cases {
        let ended = Import::run(&keys, arguments, &lines);
        assert_eq!(ended.counts(), counts, "{arguments:?}: {} {}", ended.out, ended.err);
        assert_eq!(ended.code, Some(code), "{arguments:?}");
        for failure in ended.report()["failed"].as_array().expect("a list") {
            let error = failure["error"].as_str().expect("a text");
            assert!(error.starts_with("ResourceExistsException: "), "{error}");
        }
        assert_eq!(value_of(&mut client, "import/0", None), value(0, current));
        let found = client.must("GetSecretValue", &json!({ "SecretId": "import/1" }));
        assert_eq!(found["SecretBinary"], base64(value(1, current).as_bytes()));
        let described = client.must("DescribeSecret", &json!({ "SecretId": "import/1" }));
        assert_eq!(described["Description"], current);
        assert_eq!(described["Tags"], json!([{ "Key": "from", "Value": current }]));
    }
    for name in ["import/0", "import/1"] {
        assert_eq!(versions(&mut client, name), 2, "{name}");
    }
}

#[test]
fn bad_lines_are_told_and_the_others_made() {
    let (_folder, _server, keys, mut client) = server();
    let bad = format!(
        "{{\"Name\":\"{CANARY}\n{{\"Name\":\"a b\",\"SecretString\":\"{CANARY}\"}}\n\
         {{\"Name\":\"import/9\",\"SecretString\":[\"{CANARY}\"]}}\n\n\
         {{\"Name\":\"import/0\",\"SecretString\":\"{CANARY}\"}}\n\
         {{\"Name\":\"import/8\",\"SecretString\":\"{CANARY}\",\
           \"Tags\":[{{\"Key\":\"aws:x\",\"Value\":\"y\"}}]}}\n",
    );
    let input = line(0, "first") + &bad + &line(1, "first");
    let dry = Import::run(&keys, &["--json", "--dry-run"], &input);
    assert_eq!((dry.report()["valid"].as_u64(), dry.code), (Some(3), Some(1)), "{}", dry.out);
    assert_eq!(client.pages("ListSecrets", &json!({}), "SecretList").len(), 0);

    let ended = Import::run(&keys, &["--json"], &input);
    assert_eq!((ended.counts(), ended.code), ([2, 0, 0, 5], Some(1)), "{}", ended.out);
    let report = ended.report();
    let failed = report["failed"].as_array().expect("a list");
    let places: Vec<_> = failed.iter().map(|it| (it["line"].as_u64(), &it["name"])).collect();
    let [first, last] = [json!("import/0"), json!("import/8")];
    let none = Value::Null;
    let expected = [(2, &none), (3, &none), (4, &none), (6, &first), (7, &last)];
    assert_eq!(places, expected.map(|(line, name)| (Some(line), name)));

    let people = Import::run(&keys, &["--existing", "skip"], &input);
    assert!(people.err.contains("line 6: `import/0`: the name stands in line 1 already\n"));
    assert_eq!(people.out, "2 created, 0 updated, 0 skipped, 5 failed\n");
}

#[test]
fn assignments_are_imported_below_a_prefix() {
    let (_folder, _server, keys, mut client) = server();
    let input = format!("# of the app\nexport PASSWORD='{CANARY}'\nTOKEN={CANARY} # 1\n");
    let arguments = ["--json", "--format", "env", "--prefix", "app/"];
    assert_eq!(Import::run(&keys, &arguments, &input).counts(), [2, 0, 0, 0]);
    assert_eq!(value_of(&mut client, "app/PASSWORD", None), CANARY);
    assert_eq!(value_of(&mut client, "app/TOKEN", None), format!("{CANARY} # 1"));
}

#[test]
fn a_wrong_key_ends_it_at_once() {
    let (_folder, _server, keys, mut client) = server();
    let strange = Keys { access_key_id: "AKIAAAAAAAAAAAAAAAAA".into(), ..keys.clone() };
    let wrong = Keys { secret: Arc::new("wrong".to_owned().into()), ..keys };
    for (keys, code) in
        [(strange, "UnrecognizedClientException"), (wrong, "InvalidSignatureException")]
    {
        let ended = Import::run(&keys, &["--json"], &lines(0..500));
        assert_eq!(ended.code, Some(1), "{}", ended.err);
        let report = ended.report();
        let why = report["stopped"].as_str().expect("it stopped");
        assert!(why.starts_with(code), "{why}");
        // Those that were on their way.
        let failed = report["failed"].as_array().expect("a list");
        assert!((1..=16).contains(&failed.len()), "{}", failed.len());
        let people = Import::run(&keys, &[], &lines(0..500));
        assert!(people.err.contains(&format!("stopped: {code}: ")), "{}", people.err);
    }
    assert_eq!(client.pages("ListSecrets", &json!({}), "SecretList").len(), 0);
}

#[test]
fn what_cannot_begin_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = folder.path().join("none");
    // Bound and not listened at: nobody else gets the port, and nobody answers.
    let mute = net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("made");
    net::bind(&mute, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("bound");
    let address = SocketAddr::try_from(net::getsockname(&mute).expect("bound")).expect("IP");
    let keys = Keys {
        host: address.to_string(),
        access_key_id: "AKIAX".into(),
        secret: Arc::new("s".to_owned().into()),
    };
    for (arguments, fact) in [
        (&[text(&none)][..], "can't open `"),
        (&["-"], "can't reach `127.0.0.1:"),
        (&["--endpoint", "localhost"], "`localhost` is no endpoint"),
        (&["--endpoint", &format!("http://user:{CANARY}@localhost")], "an endpoint has no user"),
        (&["--endpoint", "https://localhost", "--ca-file", text(&none)], "can't read `"),
    ] {
        let ended = Import::run(&keys, arguments, "");
        assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{arguments:?}");
        assert!(ended.err.starts_with(&format!("error: {fact}")), "{}", ended.err);
    }
}

#[test]
fn tls_needs_the_authority() {
    let (folder, server, keys, mut client) = server();
    let given = server.admin("GET", "/v1/dev-credentials", "").json();
    let url = given["TlsEndpoint"].as_str().expect("a text").to_owned();
    let authority = folder.path().join("data/tls/ca.pem");
    let named = ["--json", "--endpoint", &url, "--ca-file", text(&authority)];
    assert_eq!(Import::run(&keys, &named, &lines(0..40)).counts(), [40, 0, 0, 0]);
    assert_eq!(value_of(&mut client, "import/39", None), value(39, "first"));

    let other = stranger(folder.path());
    let ended =
        Import::run(&keys, &["--endpoint", &url, "--ca-file", text(&other)], &line(40, "x"));
    assert_eq!(ended.code, Some(3), "{}", ended.out);
    assert!(ended.err.contains("invalid peer certificate"), "{}", ended.err);
}

/// The authority of another server.
fn stranger(folder: &Path) -> std::path::PathBuf {
    let data = folder.join("other");
    Server::dev(&data).stop();
    data.join("tls/ca.pem")
}

/// An address that stays while the server behind it goes and comes.
struct Door {
    address: SocketAddr,
    behind: Arc<Mutex<Option<String>>>,
}

impl Door {
    fn open(host: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("bound");
        let behind = Arc::new(Mutex::new(Some(host.to_owned())));
        let current = Arc::clone(&behind);
        thread::spawn(move || {
            for outer in listener.incoming().map_while(Result::ok) {
                let host = current.lock().expect("whole").clone();
                // Nobody there: hangs up.
                let Some(inner) = host.and_then(|it| TcpStream::connect(it).ok()) else { continue };
                let halves = [&outer, &inner].map(|it| it.try_clone().expect("cloned"));
                let [outer_again, inner_again] = halves;
                thread::spawn(move || pass(outer, inner));
                thread::spawn(move || pass(inner_again, outer_again));
            }
        });
        Self { address, behind }
    }

    fn lead_to(&self, host: Option<String>) {
        *self.behind.lock().expect("whole") = host;
    }
}

/// Passes bytes on until either side ends, then ends both.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ended = io::copy(&mut from, &mut to);
    let _ended = to.shutdown(Shutdown::Both);
    let _ended = from.shutdown(Shutdown::Both);
}

#[test]
fn an_outage_is_waited_out_and_nothing_comes_twice() {
    let (folder, server, keys, mut client) = server();
    let door = Door::open(&keys.host);
    let through = Keys { host: door.address.to_string(), ..keys };
    let mut import = Import::start(&through, &["--json"]);
    import.feed(&lines(0..250));
    until("half of them are made", || {
        (client.pages("ListSecrets", &json!({}), "SecretList").len() > 100).then_some(())
    });
    door.lead_to(None);
    server.kill();
    import.feed(&lines(250..500));
    let server = Server::dev(&folder.path().join("data"));
    let keys = server.keys();
    door.lead_to(Some(keys.host.clone()));
    let ended = import.end();
    assert_eq!((ended.counts(), ended.code), ([500, 0, 0, 0], Some(0)), "{}", ended.out);

    let mut client = keys.connect().expect("connected");
    assert_eq!(client.pages("ListSecrets", &json!({}), "SecretList").len(), 500);
    for number in 0..500 {
        let name = format!("import/{number}");
        assert_eq!(value_of(&mut client, &name, None), value(number, "first"));
        assert_eq!(versions(&mut client, &name), 1, "{name}");
    }
    server.stop();
}
