//! A blocking client: HTTP/1.1, signed, one request at a time, no retries.

use base::{Clock, Sensitive, SystemClock};
use serde_json::{Value, json};
use sigv4::{Credentials, Request, Signer, body_hash};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// Who asks, and whom.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    pub(crate) access_key_id: String,
    pub(crate) secret: Arc<Sensitive>,
}

/// One kept-alive connection that signs for one Region.
pub(crate) struct Client {
    keys: Keys,
    region: String,
    connection: BufReader<TcpStream>,
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// No answer takes as long as this; what does is a failure, not a slow machine.
pub(crate) const BOUND: Duration = Duration::from_secs(20);
pub(crate) const REGION: &str = "us-east-1";

impl Keys {
    pub(crate) fn connect(&self) -> io::Result<Client> {
        self.connect_to(REGION)
    }

    /// A connection that signs for `region`.
    pub(crate) fn connect_to(&self, region: &str) -> io::Result<Client> {
        let stream = TcpStream::connect(&self.host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(BOUND))?;
        let connection = BufReader::new(stream);
        Ok(Client { keys: self.clone(), region: region.to_owned(), connection })
    }
}

impl Client {
    /// Signs for `region` from now on.
    pub(crate) fn sign_for(&mut self, region: &str) {
        region.clone_into(&mut self.region);
    }

    /// Asks for `operation`.
    ///
    /// # Errors
    ///
    /// There was no whole answer: whether it was done is unknown.
    pub(crate) fn ask(&mut self, operation: &str, body: &Value) -> io::Result<Answer> {
        let body = body.to_string();
        let head = self.head(operation, body.as_bytes(), "");
        self.send(&[head.as_bytes(), body.as_bytes()].concat())?;
        self.receive()
    }

    /// The body of the answer 200, which must come.
    pub(crate) fn must(&mut self, operation: &str, body: &Value) -> Value {
        let answer = self.ask(operation, body).expect("an answer");
        assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text());
        answer.json()
    }

    /// All of `list` in the answers to `body`, page by page.
    pub(crate) fn pages(&mut self, operation: &str, body: &Value, list: &str) -> Vec<Value> {
        let (mut found, mut body) = (Vec::new(), body.clone());
        loop {
            let mut page = self.must(operation, &body);
            match page[list].take() {
                Value::Array(entries) => found.extend(entries),
                other => panic!("{operation}: `{list}` is {other}"),
            }
            match page["NextToken"].take() {
                Value::Null => return found,
                token => body["NextToken"] = token,
            }
        }
    }

    /// The head of a signed request, with `more` header lines that aren't signed.
    pub(crate) fn head(&self, operation: &str, body: &[u8], more: &str) -> String {
        let Keys { host, access_key_id, secret } = &self.keys;
        let target = format!("secretsmanager.{operation}");
        let headers: [(&str, &[u8]); 3] = [
            ("host", host.as_bytes()),
            ("content-type", b"application/x-amz-json-1.1"),
            ("x-amz-target", target.as_bytes()),
        ];
        let signer = Signer {
            credentials: Credentials { access_key_id, secret, session_token: None },
            region: &self.region,
            service: "secretsmanager",
            at: SystemClock.now(),
        };
        let body_hash = body_hash(body);
        let request =
            Request { method: "POST", path: "/", query: "", headers: &headers, body_hash };
        let added = signer.sign(&request).expect("signed");
        let added: Vec<_> = added.iter().map(|(name, it)| format!("{name}: {it}\r\n")).collect();
        let added = added.concat();
        format!(
            "POST / HTTP/1.1\r\nhost: {host}\r\nx-amz-target: {target}\r\n\
             content-type: application/x-amz-json-1.1\r\nuser-agent: durability\r\n\
             content-length: {}\r\n{added}{more}\r\n",
            body.len()
        )
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.connection.get_mut().write_all(bytes)
    }

    pub(crate) fn receive(&mut self) -> io::Result<Answer> {
        receive(&mut self.connection)
    }

    /// Whether the server has closed the connection, after this waits for it or for bytes.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.connection.fill_buf().map_or(true, <[u8]>::is_empty)
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    pub(crate) fn request_id(&self) -> String {
        self.header("x-amzn-requestid").expect("every answer has one").to_owned()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error}: {} {}", self.status, self.text());
        })
    }
}

/// Reads one whole answer.
pub(crate) fn receive(from: &mut BufReader<impl Read>) -> io::Result<Answer> {
    let (mut answer, length) = receive_head(from)?;
    match length {
        Some(length) => {
            answer.body.resize(length, 0);
            from.read_exact(&mut answer.body)?;
        }
        None => drop(Chunks::of(from).read_to_end(&mut answer.body)?),
    }
    Ok(answer)
}

/// Reads the head of an answer, and how long the body is; `None`: it comes in chunks.
pub(crate) fn receive_head(from: &mut BufReader<impl Read>) -> io::Result<(Answer, Option<usize>)> {
    let status = line(from)?;
    let status = status.split(' ').nth(1).and_then(|it| it.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("no status line"))?;
    let mut headers = Vec::new();
    loop {
        let line = line(from)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let answer = Answer { status, headers, body: Vec::new() };
    let length = match (answer.header("content-length"), answer.header("transfer-encoding")) {
        (Some(length), _) => Some(length.parse().map_err(io::Error::other)?),
        (None, Some("chunked")) => None,
        (None, _) => Some(0),
    };
    Ok((answer, length))
}

fn line(from: &mut BufReader<impl Read>) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A body that comes in chunks.
pub(crate) struct Chunks<'a, S> {
    from: &'a mut BufReader<S>,
    left: usize,
    ended: bool,
}

impl<'a, S: Read> Chunks<'a, S> {
    pub(crate) fn of(from: &'a mut BufReader<S>) -> Self {
        Self { from, left: 0, ended: false }
    }
}

impl<S: Read> Read for Chunks<'_, S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.ended {
            self.left = usize::from_str_radix(&line(self.from)?, 16).map_err(io::Error::other)?;
            if self.left == 0 {
                self.ended = true;
                line(self.from)?;
            }
        }
        let wanted = out.len().min(self.left);
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.from.read(&mut out[..wanted])?;
        self.left -= read;
        if self.left == 0 {
            line(self.from)?;
        }
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
    }
}

/// A `ClientRequestToken` from two numbers; that of the writer stands in its [`mark`].
pub(crate) fn token(writer: usize, number: usize) -> String {
    format!("00000000-0000-4000{}{number:012x}", mark(writer))
}

/// What all tokens of a writer hold, and no others.
pub(crate) fn mark(writer: usize) -> String {
    format!("-{:04x}-", 0xb000 + writer)
}

/// `CreateSecret` of `name` with the value `value`.
pub(crate) fn creation(name: &str, token: &str, value: &str) -> Value {
    json!({ "Name": name, "ClientRequestToken": token, "SecretString": value })
}

/// `PutSecretValue` of `value`.
pub(crate) fn put(name: &str, token: &str, value: &str) -> Value {
    json!({ "SecretId": name, "ClientRequestToken": token, "SecretString": value })
}

/// The value of `name`, or of its version `version`.
pub(crate) fn value_of(client: &mut Client, name: &str, version: Option<&str>) -> String {
    let found = client.must("GetSecretValue", &json!({ "SecretId": name, "VersionId": version }));
    found["SecretString"].as_str().expect("a text").to_owned()
}
