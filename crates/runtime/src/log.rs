//! What a process prints: line by line, masked, to the operator's sink; the last of it to who asked.

use crate::mask::Mask;
use crate::program::LogSink;
use base::Sensitive;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Reads one process's output until dropped.
pub(crate) struct Log {
    shared: Arc<Shared>,
    flushes: mpsc::Sender<Flush>,
    /// Ends with this value.
    _reading: JoinSet<()>,
}

/// Where a process's output goes.
struct Shared {
    arn: String,
    sink: Arc<dyn LogSink>,
    mask: Mutex<Mask>,
    tail: Mutex<Vec<u8>>,
    /// Bytes that were told in this invocation, and lines that weren't for there were too many.
    told: Mutex<(usize, usize)>,
    /// Lines that wait until it is known what to hide in them.
    held: Mutex<Option<Held>>,
}

#[derive(Default)]
struct Held {
    lines: Vec<Sensitive>,
    bytes: usize,
    dropped: usize,
}

struct Flush {
    /// Whether to wait until nobody can print any more.
    to_the_end: bool,
    done: oneshot::Sender<()>,
}

impl Log {
    /// Reads what is printed for `arn`. Also returned are the two ends to print into.
    pub(crate) fn start(
        arn: &str,
        sink: Arc<dyn LogSink>,
        mask: Mask,
    ) -> io::Result<(Self, (OwnedFd, OwnedFd))> {
        let (reader, writer) = io::pipe()?;
        let outputs = (writer.try_clone()?.into(), writer.into());
        let pipe = Receiver::from_owned_fd(reader.into())?;
        let (arn, mask) = (arn.to_owned(), Mutex::new(mask));
        let (tail, told, held) = (Mutex::default(), Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { arn, sink, mask, tail, told, held });
        let (flushes, asked) = mpsc::channel(1);
        let mut reading = JoinSet::new();
        let lines = Lines { pipe: Some(pipe), line: Vec::new(), shared: Arc::clone(&shared) };
        reading.spawn(lines.follow(asked));
        Ok((Self { shared, flushes, _reading: reading }, outputs))
    }

    /// From here on the tail is that of another invocation, and `mask` is hidden too.
    pub(crate) fn begin(&self, mask: Mask) {
        self.shared.mask().join(mask);
        self.shared.tail().clear();
        self.shared.untold();
    }

    /// From here on lines wait for [`Log::release`]. Those that are too many are dropped, and counted.
    pub(crate) fn hold(&self) {
        *self.shared.held() = Some(Held::default());
    }

    /// Lets go what has waited, with `mask` hidden too; without one, nothing of it is told. Whether it is.
    pub(crate) fn release(&self, mask: Option<Mask>) -> bool {
        let told = mask.is_some();
        let Some(held) = self.shared.held().take() else { return told };
        self.shared.mask().join(mask.unwrap_or_default());
        held.lines.iter().filter(|_| told).for_each(|it| self.shared.emit(it.expose()));
        let dropped = held.dropped + if told { 0 } else { held.lines.len() };
        if dropped > 0 {
            self.say(&format!("{dropped} lines are not told"));
        }
        told
    }

    /// A line of our own.
    pub(crate) fn say(&self, line: &str) {
        self.shared.tell(line.as_bytes());
    }

    /// Says how much wasn't told, if anything, before lines of our own.
    pub(crate) fn own_up(&self) {
        match self.shared.untold() {
            0 => (),
            lines => self.say(&format!("{lines} lines are not told")),
        }
    }

    /// `text` without what is hidden.
    pub(crate) fn mask(&self, text: &[u8]) -> Vec<u8> {
        self.shared.mask().apply(text)
    }

    /// Takes in what has been printed until now.
    pub(crate) async fn flush(&self) {
        self.ask(false).await;
    }

    /// Takes in what is printed until all that could print have ended, or for a moment.
    pub(crate) async fn finish(&self) {
        let _ = tokio::time::timeout(LAST_WORDS, self.ask(true)).await;
    }

    /// The end of what was printed in this invocation.
    pub(crate) fn tail(&self) -> Vec<u8> {
        self.shared.tail().clone()
    }

    async fn ask(&self, to_the_end: bool) {
        let (done, told) = oneshot::channel();
        if self.flushes.send(Flush { to_the_end, done }).await.is_ok() {
            let _ = told.await;
        }
    }
}

impl Shared {
    fn emit(&self, line: &[u8]) {
        if let Some(held) = &mut *self.held() {
            return held.add(line);
        }
        let is_told = {
            let mut told = self.told();
            told.0 = told.0.saturating_add(line.len() + 1);
            let is_told = told.0 <= TOLD;
            told.1 += usize::from(!is_told);
            is_told
        };
        let line = self.mask().apply(line);
        if is_told {
            self.sink.line(&self.arn, &String::from_utf8_lossy(&line));
        }
        self.keep(&line);
    }

    /// The same, however much was told.
    fn tell(&self, line: &[u8]) {
        let line = self.mask().apply(line);
        self.sink.line(&self.arn, &String::from_utf8_lossy(&line));
        self.keep(&line);
    }

    /// Counts anew; how many lines were not told.
    fn untold(&self) -> usize {
        std::mem::take(&mut *self.told()).1
    }

    fn keep(&self, line: &[u8]) {
        let mut tail = self.tail();
        tail.extend_from_slice(line);
        tail.push(b'\n');
        let surplus = tail.len().saturating_sub(TAIL);
        tail.drain(..surplus);
    }

    fn told(&self) -> MutexGuard<'_, (usize, usize)> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mask(&self) -> MutexGuard<'_, Mask> {
        self.mask.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tail(&self) -> MutexGuard<'_, Vec<u8>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, line: &[u8]) {
        self.bytes += line.len();
        if self.bytes > HELD {
            self.dropped += 1;
        } else {
            self.lines.push(Sensitive::from(line));
        }
    }
}

/// The reading end.
struct Lines {
    /// None once nobody can print any more.
    pipe: Option<Receiver>,
    line: Vec<u8>,
    shared: Arc<Shared>,
}

impl Lines {
    async fn follow(mut self, mut asked: mpsc::Receiver<Flush>) {
        loop {
            let Some(pipe) = &self.pipe else {
                let Some(flush) = asked.recv().await else { return };
                let _ = flush.done.send(());
                continue;
            };
            tokio::select! {
                ready = pipe.readable() => match ready {
                    Ok(()) => self.take_in(),
                    Err(_) => self.close(),
                },
                flush = asked.recv() => match flush {
                    Some(flush) => self.flush(flush).await,
                    None => return,
                },
            }
        }
    }

    async fn flush(&mut self, flush: Flush) {
        self.take_in();
        while flush.to_the_end && !flush.done.is_closed() {
            let Some(pipe) = &self.pipe else { break };
            if pipe.readable().await.is_err() {
                break;
            }
            self.take_in();
        }
        let _ = flush.done.send(());
    }

    /// Reads until nothing is there, but not for ever.
    fn take_in(&mut self) {
        let mut buffer = [0; 16 * 1024];
        for _ in 0..READS {
            let Some(pipe) = &self.pipe else { return };
            match pipe.try_read(&mut buffer) {
                Ok(0) => return self.close(),
                Ok(read) => self.add(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => return self.close(),
            }
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|it| *it == b'\n') {
            if let Some(end) = part.strip_suffix(b"\n") {
                self.line.extend_from_slice(end);
                self.shared.emit(&std::mem::take(&mut self.line));
            } else {
                self.line.extend_from_slice(part);
                self.cut();
            }
        }
    }

    /// Cuts a line that doesn't end, where the cut can't fall into something hidden.
    fn cut(&mut self) {
        if self.line.len() < LINE {
            return;
        }
        let masked = self.shared.mask().apply(&self.line);
        let kept = self.shared.mask().longest();
        let cut = masked.len().saturating_sub(kept);
        self.line = masked.get(cut..).unwrap_or_default().to_vec();
        self.shared.emit(masked.get(..cut).unwrap_or_default());
    }

    fn close(&mut self) {
        self.pipe = None;
        if !self.line.is_empty() {
            self.shared.emit(&std::mem::take(&mut self.line));
        }
    }
}

/// Bytes of `X-Amz-Log-Result`, before it is base64.
const TAIL: usize = 4096;
/// Bytes of one invocation that are told at most; the tail has its end in any case.
const TOLD: usize = 1024 * 1024;
/// Bytes that wait at most.
const HELD: usize = 1024 * 1024;
/// Bytes after which a line is cut.
const LINE: usize = 64 * 1024;
/// Reads in a row.
const READS: usize = 64;
/// How long is waited for the output of processes that were ended.
const LAST_WORDS: Duration = Duration::from_secs(2);
