//! Connections that ask as fast as they are answered.

use anyhow::{Context, Result, bail};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where to, and how.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) port: u16,
    pub(crate) tls: Option<TlsConnector>,
}

/// What one burst saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Burst {
    pub(crate) requests: usize,
    pub(crate) time: Duration,
    /// Microseconds, sorted.
    pub(crate) latencies: Vec<u32>,
    /// Bytes of the last body.
    pub(crate) body: usize,
}

/// When a burst ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time; requests are repeated in turn.
    Time(Duration),
    /// When each request was sent once.
    Done,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Door {
    pub(crate) fn plain(port: u16) -> Self {
        Self { port, tls: None }
    }

    /// TLS, trusting the certificates in `ca`.
    pub(crate) fn tls(port: u16, ca: &Path) -> Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca)? {
            roots.add(certificate?)?;
        }
        let config =
            rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { port, tls: Some(TlsConnector::from(Arc::new(config))) })
    }

    async fn open(&self) -> Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            Some(tls) => Box::new(tls.connect(ServerName::try_from("localhost")?, stream).await?),
            None => Box::new(stream),
        })
    }
}

/// Sends `requests` over `connections` kept-alive connections. Every answer must be a 200.
pub(crate) async fn burst(
    door: &Door,
    connections: usize,
    requests: Arc<Vec<Vec<u8>>>,
    until: Until,
) -> Result<Burst> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(door.open().await.context("can't connect")?);
    }
    // A client that never sleeps: waking it would be the server's cost, and the slower the server, the
    // more often it would be asleep.
    let awake = tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let start = Instant::now();
    let tasks: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            tokio::spawn(connection(stream, Arc::clone(&requests), Arc::clone(&next), until, start))
        })
        .collect();
    let mut total = Burst::default();
    for task in tasks {
        let part = task.await??;
        total.requests += part.requests;
        total.latencies.extend(part.latencies);
        total.body = total.body.max(part.body);
    }
    total.time = start.elapsed();
    awake.abort();
    total.latencies.sort_unstable();
    Ok(total)
}

async fn connection(
    mut stream: Box<dyn Stream>,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    until: Until,
    start: Instant,
) -> Result<Burst> {
    let mut seen = Burst::default();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let over = match until {
            Until::Time(time) => start.elapsed() >= time,
            Until::Done => number >= requests.len(),
        };
        let request = requests.get(number % requests.len().max(1));
        let (Some(request), false) = (request, over) else { return Ok(seen) };
        let sent = Instant::now();
        stream.write_all(request).await?;
        seen.body = answer(&mut stream, &mut buffer).await?;
        seen.latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        seen.requests += 1;
    }
}

/// Reads one answer; gives the length of its body.
async fn answer(stream: &mut Box<dyn Stream>, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    loop {
        let room = buffer.get_mut(filled..).context("the answer is too long")?;
        let read = stream.read(room).await?;
        if read == 0 {
            bail!("the server closed the connection");
        }
        filled += read;
        let seen = buffer.get(..filled).unwrap_or_default();
        let Some(head) = find(seen, b"\r\n\r\n") else { continue };
        let text = str::from_utf8(seen.get(..head).unwrap_or_default())?;
        let length = length_of(text)?;
        if filled >= head + 4 + length {
            if !text.starts_with("HTTP/1.1 200") {
                bail!("not a 200: {}", String::from_utf8_lossy(seen));
            }
            return Ok(length);
        }
    }
}

fn length_of(head: &str) -> Result<usize> {
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())
    });
    Ok(line.context("no content-length")??)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|it| it == what)
}

impl Burst {
    /// Requests per second.
    pub(crate) fn rate(&self) -> f64 {
        u32::try_from(self.requests).map_or(0.0, f64::from) / self.time.as_secs_f64()
    }

    /// The latency below which `share` of the answers came, in microseconds.
    pub(crate) fn percentile(&self, share: usize) -> u32 {
        let index =
            (self.latencies.len() * share / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(index).copied().unwrap_or_default()
    }
}
