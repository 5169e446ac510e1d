//! Processes of the binary: started, watched, asked, killed.

use crate::client::{self, Answer, BOUND, Keys};
use base::Sensitive;
use rustix::process::{Pid, Signal};
use serde_json::Value;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A running server. Killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    data: PathBuf,
    out: Said,
    err: Said,
}

/// What a process has said so far.
#[derive(Clone, Default)]
struct Said(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Default)]
struct Lines {
    text: String,
    ended: bool,
}

/// No process takes as long as this to start or to end.
const PATIENCE: Duration = Duration::from_mins(1);

impl Server {
    /// `strongroom dev` on `data`, ready.
    pub(crate) fn dev(data: &Path) -> Self {
        Self::dev_with(data, &[])
    }

    /// The same with further arguments.
    pub(crate) fn dev_with(data: &Path, more: &[&str]) -> Self {
        let arguments = dev_arguments(data);
        let server = Self::start(data, &[&arguments.each_ref().map(String::as_str), more].concat());
        server.out.until("Strongroom answers at", &server.err);
        server
    }

    /// `strongroom server` with the configuration in `file`, which names `data`; ready.
    pub(crate) fn with_config(file: &Path, data: &Path) -> Self {
        let server = Self::start(data, &["server", "--config", text(file)]);
        server.err.until("\"ready\"", &server.err);
        server
    }

    fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut child = command(arguments).spawn().expect("the binary");
        let out = Said::of(child.stdout.take().expect("piped"));
        let err = Said::of(child.stderr.take().expect("piped"));
        Self { child, data: data.to_owned(), out, err }
    }

    /// The address of a dev server and the access key it gives away.
    pub(crate) fn keys(&self) -> Keys {
        let given = self.admin("GET", "/v1/dev-credentials", "").json();
        let text = |name: &str| given[name].as_str().expect("a text").to_owned();
        Keys {
            host: text("Endpoint").trim_start_matches("http://").to_owned(),
            access_key_id: text("AccessKeyId"),
            secret: Arc::new(Sensitive::from(text("SecretAccessKey"))),
        }
    }

    pub(crate) fn status(&self) -> Value {
        self.admin("GET", "/v1/status", "").json()
    }

    /// Asks the admin socket.
    pub(crate) fn admin(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut socket = self.ask_admin(method, path, body);
        client::receive(&mut socket).expect("an answer")
    }

    /// Asks the admin socket, and leaves the reading to the caller.
    pub(crate) fn ask_admin(&self, method: &str, path: &str, body: &str) -> BufReader<UnixStream> {
        let mut socket = UnixStream::connect(self.data.join("admin.sock")).expect("connected");
        socket.set_read_timeout(Some(BOUND)).expect("set");
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nhost: admin\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("sent");
        BufReader::new(socket)
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// SIGKILL, and the end of the process.
    pub(crate) fn kill(mut self) {
        self.end(Signal::KILL);
    }

    /// SIGTERM, and the end of the process, which must be in order.
    pub(crate) fn stop(mut self) {
        let status = self.end(Signal::TERM);
        assert_eq!(status.code(), Some(0), "{}", self.err);
    }

    /// SIGTERM; the end is not waited for.
    pub(crate) fn terminate(&self) {
        rustix::process::kill_process(self.pid(), Signal::TERM).expect("it is there");
    }

    /// How it ended, after this waits for it.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.out.ended();
        self.child.wait().expect("waited")
    }

    /// Returns when standard error holds `text`.
    pub(crate) fn until_said(&self, text: &str) {
        self.err.until(text, &self.err);
    }

    /// All of standard error until now.
    pub(crate) fn said(&self) -> String {
        self.err.to_string()
    }

    fn end(&mut self, signal: Signal) -> ExitStatus {
        // It may be gone already: killed from within the test.
        let _gone = rustix::process::kill_process(self.pid(), signal);
        self.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _gone = self.child.kill();
            let _status = self.child.wait();
        }
        if thread::panicking() {
            tell(&format!("standard error of the server:\n{}", self.err));
        }
    }
}

impl Said {
    /// Collects what comes from `pipe` until it is closed.
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let said = Self::default();
        let collected = said.clone();
        thread::spawn(move || {
            let (lines, news) = &*collected.0;
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let mut lines = lines.lock().expect("whole");
                lines.text.push_str(&String::from_utf8_lossy(&line));
                lines.text.push('\n');
                news.notify_all();
            }
            lines.lock().expect("whole").ended = true;
            news.notify_all();
        });
        said
    }

    /// Returns when `text` was said; `err` is shown if it isn't.
    fn until(&self, text: &str, err: &Self) {
        let (lines, news) = &*self.0;
        let waiting = |it: &mut Lines| !it.ended && !it.text.contains(text);
        let lines = lines.lock().expect("whole");
        let (lines, _) = news.wait_timeout_while(lines, PATIENCE, waiting).expect("whole");
        let found = lines.text.contains(text);
        drop(lines);
        assert!(found, "it never said `{text}`, but:\n{err}");
    }

    /// Returns when the pipe is closed.
    fn ended(&self) {
        let (lines, news) = &*self.0;
        let lines = lines.lock().expect("whole");
        let (lines, _) = news.wait_timeout_while(lines, PATIENCE, |it| !it.ended).expect("whole");
        assert!(lines.ended, "the process doesn't end");
    }
}

impl fmt::Display for Said {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.0.lock().expect("whole").text)
    }
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    let child = command(arguments).spawn().expect("the binary");
    let pid = Pid::from_child(&child);
    let (send, ended) = channel();
    thread::spawn(move || send.send(child.wait_with_output()));
    if let Ok(output) = ended.recv_timeout(PATIENCE) {
        return output.expect("waited");
    }
    let _gone = rustix::process::kill_process(pid, Signal::KILL);
    panic!("`strongroom {}` doesn't end", arguments.join(" "));
}

/// Runs the binary to its end, which must be a success; its standard output.
pub(crate) fn done(arguments: &[&str]) -> String {
    let output = run(arguments);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "`{}`: {err}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("text")
}

/// Runs the binary to its end, which must be a failure told in one fact: that line, and the hints.
pub(crate) fn refused(arguments: &[&str]) -> (String, String) {
    let output = run(arguments);
    let err = String::from_utf8(output.stderr).expect("text");
    let code = output.status.code().expect("no signal");
    assert_ne!(code, 0, "`{}` was done", arguments.join(" "));
    // 101 is a panic.
    assert!(code <= 3, "{code}: {err}");
    let told: Vec<_> = err.lines().filter(|it| it.starts_with("error: ")).collect();
    let [fact] = told[..] else { panic!("not one fact, but {told:?} in:\n{err}") };
    let (before, hints) = err.split_once(fact).expect("found above");
    assert!(hints.trim().lines().all(|it| it.starts_with("hint: ")), "{err}");
    // A server logs before it fails; nothing but warnings and information.
    assert!(!before.contains("panicked"), "{err}");
    (fact.to_owned(), hints.trim().to_owned())
}

/// The arguments of a dev server on `data`, for [`refused`].
pub(crate) fn dev_arguments(data: &Path) -> [String; 5] {
    ["dev", "--data", text(data), "--listen", "127.0.0.1:0"].map(str::to_owned)
}

/// The refusal of a dev server on `data` to start.
pub(crate) fn dev_refused(data: &Path) -> (String, String) {
    refused(&dev_arguments(data).each_ref().map(String::as_str))
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.args(arguments).env_remove("STRONGROOM_DATA").env_remove("CREDENTIALS_DIRECTORY");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Says a fact of this run that no assertion is about, also when the test passes.
pub(crate) fn tell(fact: &str) {
    let _nobody_listens = writeln!(std::io::stderr(), "{fact}");
}

/// Asks `attempt` until it gives something. Each attempt waits for an answer of the other side, so
/// nothing spins; it is for states that nobody announces.
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// Numbers that follow from a seed: SplitMix64.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).expect("below a usize")
    }
}
