//! A server's process, and what it says.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a server may take until it is ready, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs its arguments, and ends them by the signal `$0` when its input ends: that is when we let go of it, or when
/// we are no more, even if nobody had the time to say so.
const KEEPER: &str = r#"exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(read -r _ <&3; kill -s "$0" $server) >/dev/null 2>&1 &
keeper=$!
exec 3<&-
wait $server
kill $keeper 2>/dev/null"#;

/// A server that runs.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    log: Arc<Log>,
}

/// What a server has said so far, on both outputs.
#[derive(Debug, Default)]
pub struct Log {
    text: Mutex<(String, bool)>,
    grown: Condvar,
}

impl Process {
    /// Starts `command` and waits until it has said `ready`. It is ended by `signal`.
    pub fn start(command: &Command, signal: &str, ready: &str) -> io::Result<Self> {
        let line = [command.get_program()].into_iter().chain(command.get_args());
        let line: Vec<OsString> = line.map(OsString::from).collect();
        let mut keeper = Command::new("/bin/sh");
        keeper.args(["-c", KEEPER, signal]).args(line).env_clear();
        keeper.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            keeper.current_dir(folder);
        }
        // A terminal's signals are for those who are to stop it.
        keeper.process_group(0);
        let (reader, writer) = io::pipe()?;
        keeper.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = keeper.spawn()?;
        drop(keeper); // and with it our end of what the server writes to
        let input = child.stdin.take();
        let log = Arc::new(Log::default());
        let process = Self { child, input, log: Arc::clone(&log) };
        std::thread::spawn(move || log.follow(BufReader::new(reader)));
        if process.log.says(ready) {
            return Ok(process);
        }
        Err(io::Error::other(format!("no server: {}", process.log.text())))
    }

    /// What it has said so far.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.input = None;
        // What can't be waited for has ended.
        let _ = self.child.wait();
    }
}

impl Log {
    fn follow(&self, mut from: impl BufRead) {
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
            text.0.push_str(&String::from_utf8_lossy(&line));
            line.clear();
            self.grown.notify_all();
        }
        self.text.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.grown.notify_all();
    }

    /// All of it so far.
    pub fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Waits until it holds `text`; `false` if it ended without, or takes too long.
    pub fn says(&self, text: &str) -> bool {
        let log = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |log: &mut (String, bool)| !log.0.contains(text) && !log.1;
        let waited = self.grown.wait_timeout_while(log, PATIENCE, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.0.contains(text)
    }
}
