//! An HTTP/1.1 client that does exactly what it is told.

use std::io;
use std::path::Path;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// An answer, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, with their values, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body, without chunks.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of the header `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A connection that stays open between requests.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    rest: Vec<u8>,
}

impl Connection<TcpStream> {
    /// Connects over TCP.
    pub async fn tcp(address: std::net::SocketAddr) -> io::Result<Self> {
        Ok(Self::over(TcpStream::connect(address).await?))
    }
}

impl Connection<UnixStream> {
    /// Connects over a unix socket.
    pub async fn unix(path: &Path) -> io::Result<Self> {
        Ok(Self::over(UnixStream::connect(path).await?))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Speaks over `stream`.
    pub fn over(stream: S) -> Self {
        Self { stream, rest: Vec::new() }
    }

    /// The stream, to look at it more closely.
    pub fn into_stream(self) -> S {
        self.stream
    }

    /// Sends one request with a `Content-Length`, and reads the answer.
    pub async fn request(
        &mut self,
        (method, target): (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        self.send(&encode((method, target), headers, body)).await?;
        self.receive().await
    }

    /// Sends `bytes` as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Reads one answer.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the server closed the connection instead.
    pub async fn receive(&mut self) -> io::Result<Answer> {
        let head = loop {
            if let Some(end) = find(&self.rest, b"\r\n\r\n") {
                break self.rest.drain(..end + 4).collect::<Vec<u8>>();
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.split("\r\n").filter(|it| !it.is_empty());
        let status = lines.next().and_then(|it| it.split(' ').nth(1)?.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("no status line"))?;
        let headers: Vec<_> = lines
            .filter_map(|it| it.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        answer.body = match (answer.header("content-length"), answer.header("transfer-encoding")) {
            (Some(length), _) => self.take(length.parse().map_err(io::Error::other)?).await?,
            (None, Some("chunked")) => self.chunks().await?,
            _ => Vec::new(),
        };
        Ok(answer)
    }

    /// Waits until the server closes the connection; what it sent before.
    pub async fn closed(&mut self) -> io::Result<Vec<u8>> {
        while self.more().await.is_ok() {}
        Ok(std::mem::take(&mut self.rest))
    }

    async fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                match find(&self.rest, b"\r\n") {
                    Some(end) => break end,
                    None => self.more().await?,
                }
            };
            let line = self.take(end + 2).await?;
            let line = String::from_utf8_lossy(&line);
            let length = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            let chunk = self.take(length + 2).await?;
            if length == 0 {
                return Ok(body);
            }
            body.extend(chunk.into_iter().take(length));
        }
    }

    async fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.rest.len() < length {
            self.more().await?;
        }
        Ok(self.rest.drain(..length).collect())
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.rest).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// A request as it goes over the wire.
pub fn encode((method, target): (&str, &str), headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let length = body.len().to_string();
    let states_length = headers.iter().any(|it| it.0.eq_ignore_ascii_case("content-length"));
    let length = (!states_length).then_some(("content-length", length.as_str()));
    let mut out = format!("{method} {target} HTTP/1.1\r\n");
    for (name, value) in headers.iter().copied().chain(length) {
        out.extend([name, ": ", value, "\r\n"]);
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(body);
    out
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|it| it == wanted)
}
