//! One connection: HTTP/1.1 or h2, with an eye on the clock.
//!
//! A connection may be busy as long as its requests may take. Otherwise it has a deadline: short
//! while a request's head trickles in, longer while it is silent. Deadlines are kept by one timer
//! that is set again only when it must fire earlier, so a busy connection pays nothing for it.

use crate::config::LimitsConfig;
use crate::drain::{Begun, Drain};
use bytes::Bytes;
use http::{Request, Response, Version};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By either side, in order or not.
    Closed,
    /// A head did not come in time, or nothing came for long.
    TimedOut,
}

/// What serves requests: everything a door needs to know of what is behind it.
pub(crate) trait Answer: Send + Sync + 'static {
    /// The body of an answer.
    type Body: Body<Data = Bytes, Error: Into<Failure>> + Send + Unpin + 'static;

    /// Answers one request.
    fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Whether the other side has shown by now who it is, so that its silence is borne for longer.
    fn is_known(&self) -> bool;
}

/// Serves `io` until it ends, its time is up, or the server stops and its last request is done.
pub(crate) async fn serve<A: Answer>(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    answer: Arc<A>,
    limits: &LimitsConfig,
    drain: &Drain,
) -> End {
    let activity = Arc::new(Activity::default());
    let watched = Arc::clone(&activity);
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (answer, running) = (Arc::clone(&answer), Running::begin(&watched, &request));
        async move {
            let response = answer.answer(request).await;
            if answer.is_known() {
                running.0.known.store(true, Relaxed);
            }
            Ok::<_, std::convert::Infallible>(response.map(|body| Held { body, _running: running }))
        }
    });
    let builder = builder(limits);
    let io = TokioIo::new(Watched { io, activity: Arc::clone(&activity) });
    let connection = pin!(builder.serve_connection(io, service));
    let now = Instant::now();
    let deadline = now + limits.header_timeout;
    let guard = Guard {
        connection,
        activity,
        header_timeout: limits.header_timeout,
        idle_timeout: limits.idle_timeout,
        phase: Phase::Head,
        finished: 0,
        deadline,
        timer: pin!(sleep_until(deadline)),
        begun: drain.begun(),
        told: false,
    };
    guard.await
}

fn builder(limits: &LimitsConfig) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    let header_bytes = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX);
    builder.http1().max_buf_size(header_bytes).header_read_timeout(None::<Duration>);
    builder
        .http2()
        .max_header_list_size(limits.header_bytes.min(H2_HEADER_BYTES))
        .max_concurrent_streams(H2_STREAMS)
        .initial_stream_window_size(H2_STREAM_WINDOW)
        .initial_connection_window_size(H2_CONNECTION_WINDOW);
    builder
}

/// Requests at once over one h2 connection.
const H2_STREAMS: u32 = 64;
/// Bytes of one head over h2: each of the requests at once may have as many.
const H2_HEADER_BYTES: u32 = 16 << 10;
/// Bytes of a body that may come before it is read. The longest secret string there can be, in JSON
/// without escapes, comes in one go; longer bodies come as they are read.
const H2_STREAM_WINDOW: u32 = 128 << 10;
/// Bytes of all bodies on a connection that may come before they are read.
const H2_CONNECTION_WINDOW: u32 = 256 << 10;

/// What a connection is doing, noted by its reads and its requests.
#[derive(Default)]
struct Activity {
    /// Requests that were begun and not yet answered.
    running: AtomicU32,
    /// Requests that were answered; counts around.
    finished: AtomicU32,
    /// Bytes came since the last request began.
    reading: AtomicBool,
    /// Frames come and go without a request: reading says nothing.
    multiplexed: AtomicBool,
    /// The other side has shown who it is.
    known: AtomicBool,
}

/// A request that is being answered.
struct Running(Arc<Activity>);

impl Running {
    fn begin(activity: &Arc<Activity>, request: &Request<Incoming>) -> Self {
        if request.version() == Version::HTTP_2 {
            activity.multiplexed.store(true, Relaxed);
        }
        activity.reading.store(false, Relaxed);
        activity.running.fetch_add(1, Relaxed);
        Self(Arc::clone(activity))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What came meanwhile was its body.
        self.0.reading.store(false, Relaxed);
        self.0.finished.fetch_add(1, Relaxed);
        self.0.running.fetch_sub(1, Relaxed);
    }
}

/// A body whose request runs until it is handed over.
struct Held<B> {
    body: B,
    _running: Running,
}

impl<B: Body + Unpin> Body for Held<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream whose reads are noted.
struct Watched<I> {
    io: I,
    activity: Arc<Activity>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        if before < buffer.filled().len() && !self.activity.multiplexed.load(Relaxed) {
            self.activity.reading.store(true, Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }
}

/// What a connection is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Answering; requests watch their own time.
    Busy,
    /// A head is expected, or has begun to come.
    Head,
    /// Nothing.
    Silent,
}

/// A connection, its deadline, and the stop.
struct Guard<'a, C> {
    connection: Pin<&'a mut C>,
    activity: Arc<Activity>,
    header_timeout: Duration,
    idle_timeout: Duration,
    phase: Phase,
    /// How many requests were answered when the phase began.
    finished: u32,
    deadline: Instant,
    /// Fires at the deadline or before it.
    timer: Pin<&'a mut Sleep>,
    begun: Begun,
    /// The connection was told to finish.
    told: bool,
}

/// A connection that can be told to finish what it is doing.
trait Graceful: Future<Output = Result<(), Failure>> {
    fn finish(self: Pin<&mut Self>);
}

impl<I, S, B> Graceful for auto::Connection<'_, I, S, TokioExecutor>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<Failure>>,
    S::Future: Send + 'static,
    B: Body<Data: Send, Error: Into<Failure>> + Send + 'static,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<C: Graceful> Future for Guard<'_, C> {
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<End> {
        let this = &mut *self;
        loop {
            if this.connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(End::Closed);
            }
            this.note_phase();
            if !this.told && Pin::new(&mut this.begun).poll(context).is_ready() {
                this.finish();
                continue;
            }
            ready!(this.timer.as_mut().poll(context));
            let now = Instant::now();
            match this.phase {
                // Looked at again when the answer is out.
                Phase::Busy => this.timer.as_mut().reset(now + this.idle_timeout),
                _ if now < this.deadline => this.timer.as_mut().reset(this.deadline),
                // A last chance for what is already under way to either side.
                Phase::Silent if !this.told => {
                    this.deadline = now + this.header_timeout;
                    this.finish();
                }
                Phase::Head | Phase::Silent => return Poll::Ready(End::TimedOut),
            }
        }
    }
}

impl<C: Graceful> Guard<'_, C> {
    fn finish(&mut self) {
        self.told = true;
        self.connection.as_mut().finish();
    }

    /// Moves the deadline if the connection does something else than before.
    fn note_phase(&mut self) {
        let activity = &self.activity;
        let finished = activity.finished.load(Relaxed);
        let phase = match () {
            () if activity.running.load(Relaxed) > 0 => Phase::Busy,
            () if activity.reading.load(Relaxed) => Phase::Head,
            // The first request is awaited like one that has begun.
            () if self.phase == Phase::Head && finished == 0 => Phase::Head,
            () => Phase::Silent,
        };
        if (phase, finished) == (self.phase, self.finished) {
            return;
        }
        (self.phase, self.finished) = (phase, finished);
        match phase {
            Phase::Busy => (),
            Phase::Head => self.expect_by(Instant::now() + self.header_timeout),
            // A stranger has no reason to stay.
            Phase::Silent if !activity.known.load(Relaxed) => {
                self.expect_by(Instant::now() + self.header_timeout);
            }
            Phase::Silent => self.expect_by(Instant::now() + self.idle_timeout),
        }
    }

    fn expect_by(&mut self, deadline: Instant) {
        self.deadline = deadline;
        if deadline < self.timer.deadline() {
            self.timer.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;
    use tokio::time::{sleep, timeout};

    /// Answers at once, or for `/slow` when told to. `/stranger` doesn't show who asks.
    #[derive(Default)]
    struct Told {
        arrived: Notify,
        go: Notify,
        known: AtomicBool,
    }

    impl Answer for Told {
        type Body = Full<Bytes>;

        async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
            self.known.fetch_or(request.uri().path() != "/stranger", Relaxed);
            if request.uri().path() == "/slow" {
                self.arrived.notify_one();
                self.go.notified().await;
            }
            Response::new(Full::new(Bytes::from_static(b"done")))
        }

        fn is_known(&self) -> bool {
            self.known.load(Relaxed)
        }
    }

    struct Scene {
        client: DuplexStream,
        server: JoinHandle<End>,
        told: Arc<Told>,
        drain: Drain,
    }

    const LIMITS: LimitsConfig = LimitsConfig {
        header_bytes: 8192,
        body_bytes: 1024,
        header_timeout: Duration::from_secs(10),
        request_timeout: Duration::from_secs(1000),
        idle_timeout: Duration::from_secs(100),
        connections: 1,
        connections_per_address: 1,
    };

    fn scene() -> Scene {
        scene_under(LIMITS)
    }

    fn scene_under(limits: LimitsConfig) -> Scene {
        let (client, io) = duplex(1 << 16);
        let (told, drain) = (Arc::new(Told::default()), Drain::default());
        let (answer, asked) = (Arc::clone(&told), drain.clone());
        let server = tokio::spawn(async move { serve(io, answer, &limits, &asked).await });
        Scene { client, server, told, drain }
    }

    impl Scene {
        async fn send(&mut self, text: &str) {
            self.client.write_all(text.as_bytes()).await.expect("open");
        }

        async fn answered(&mut self) {
            let mut bytes = vec![0; 4096];
            let length = self.client.read(&mut bytes).await.expect("open");
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("done"), "{text}");
        }
    }

    const REQUEST: &str = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
    const STRANGER: &str = "POST /stranger HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
    const SLOW: &str = "POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";

    #[tokio::test(start_paused = true)]
    async fn a_head_that_trickles_in_is_cut_off() {
        for first in ["", REQUEST] {
            let mut scene = scene();
            if !first.is_empty() {
                scene.send(first).await;
                scene.answered().await;
                sleep(Duration::from_secs(50)).await;
            }
            let begun = Instant::now();
            scene.send("POST / HTTP/1.1\r\n").await;
            let mut lines = 0;
            while !scene.server.is_finished() {
                let _closed = scene.client.write_all(b"x-a: b\r\n").await;
                sleep(Duration::from_secs(3)).await;
                lines += 1;
            }
            assert_eq!(scene.server.await.expect("ended"), End::TimedOut);
            assert!(lines <= 4 && begun.elapsed() < Duration::from_secs(13), "{lines}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_borne_for_a_while() {
        let mut scene = scene();
        for pause in [99, 99, 1] {
            scene.send(REQUEST).await;
            scene.answered().await;
            sleep(Duration::from_secs(pause)).await;
        }
        let begun = Instant::now();
        assert_eq!(scene.server.await.expect("ended"), End::Closed);
        assert_eq!(begun.elapsed().as_secs(), 99);

        let scene = self::scene();
        let begun = Instant::now();
        assert_eq!(scene.server.await.expect("ended"), End::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), 10, "nothing ever came");
    }

    #[tokio::test(start_paused = true)]
    async fn a_strangers_silence_is_borne_as_long_as_a_head() {
        for (requests, seconds) in [
            (&[STRANGER][..], 10),
            (&[STRANGER, STRANGER], 10),
            (&[REQUEST, STRANGER], 100),
            (&[STRANGER, REQUEST], 100),
        ] {
            let mut scene = scene();
            for request in requests {
                scene.send(request).await;
                scene.answered().await;
                sleep(Duration::from_secs(9)).await;
            }
            let begun = Instant::now();
            assert_eq!(scene.server.await.expect("ended"), End::Closed);
            assert_eq!(begun.elapsed().as_secs() + 9, seconds, "{requests:?}");
        }
    }

    /// The payload of the next h2 frame of this kind on the connection itself, without flags.
    async fn frame(client: &mut DuplexStream, kind: u8) -> Vec<u8> {
        loop {
            let mut header = [0; 9];
            client.read_exact(&mut header).await.expect("open");
            let mut payload = vec![0; usize::from(header[2])];
            client.read_exact(&mut payload).await.expect("open");
            if (header[3], header[4], header[8]) == (kind, 0, 0) {
                return payload;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn h2_promises_little() {
        let mut scene = scene_under(LimitsConfig { header_bytes: 64 << 10, ..LIMITS });
        scene.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        scene.client.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.expect("open");
        let number = |it: &[u8]| it.iter().fold(0_u32, |sum, it| sum << 8 | u32::from(*it));
        let settings = frame(&mut scene.client, 4).await;
        // By RFC 9113: concurrent streams, a stream's window, a header list.
        for (id, expected) in [(3, 64), (4, 128 << 10), (6, 16 << 10)] {
            let found = settings.chunks_exact(6).find(|it| number(&it[..2]) == id);
            assert_eq!(found.map(|it| number(&it[2..])), Some(expected), "{id}");
        }
        let more = number(&frame(&mut scene.client, 8).await);
        assert_eq!(65_535 + more, 256 << 10, "the connection's window");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_no_head() {
        let mut scene = scene();
        scene.send("POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n").await;
        scene.told.arrived.notified().await;
        scene.send("hello").await;
        sleep(Duration::from_millis(1)).await;
        scene.told.go.notify_one();
        scene.answered().await;
        sleep(Duration::from_secs(99)).await;
        scene.send(REQUEST).await;
        scene.answered().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_may_take_its_time() {
        let mut scene = scene();
        scene.send(SLOW).await;
        sleep(Duration::from_mins(15)).await;
        scene.told.go.notify_one();
        scene.answered().await;
        let begun = Instant::now();
        assert_eq!(scene.server.await.expect("ended"), End::Closed);
        assert!(begun.elapsed() >= Duration::from_secs(99), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn the_stop_waits_for_what_runs_and_for_nothing_else() {
        let mut busy = scene();
        busy.send(SLOW).await;
        busy.told.arrived.notified().await;
        let mut silent = scene();
        silent.send(REQUEST).await;
        silent.answered().await;
        for it in [&busy, &silent] {
            it.drain.begin();
        }
        let begun = Instant::now();
        assert_eq!(silent.server.await.expect("ended"), End::Closed);
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert!(timeout(Duration::from_mins(1), &mut busy.server).await.is_err(), "still runs");
        busy.told.go.notify_one();
        let mut answer = String::new();
        busy.client.read_to_string(&mut answer).await.expect("closed in order");
        assert!(answer.contains("connection: close") && answer.ends_with("done"), "{answer}");
        assert_eq!(busy.server.await.expect("ended"), End::Closed);
    }
}
