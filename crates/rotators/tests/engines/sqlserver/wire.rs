//! The protocol of SQL Server, as far as logins and batches go. Source: [MS-TDS].

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

pub(super) const BATCH: u8 = 0x01;
const ANSWER: u8 = 0x04;
const LOGIN: u8 = 0x10;
const PRELOGIN: u8 = 0x12;

/// A server's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) u32, pub(super) String);

/// Rows of texts.
pub(super) type Rows = Vec<Vec<Option<String>>>;

/// What a client says of itself.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
    pub(super) database: String,
}

/// A connection.
pub(super) enum Line {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// Says and hears what comes before a login.
pub(super) fn greet(mut stream: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<Line> {
    let (kind, content) = message(&mut stream)?;
    // Version, then encryption: both sides write them in this order.
    if kind != PRELOGIN || content[0] != 0 || content[5] != 1 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let wanted = content.get(usize::from(u16::from_be_bytes([content[6], content[7]]))).copied();
    let protects = tls.filter(|_| wanted != Some(2));
    let said = if protects.is_some() { 1 } else { 2 };
    let answer = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 16, 0, 0, 0, said];
    say(&mut stream, ANSWER, &answer)?;
    let Some(config) = protects else { return Ok(Line::Plain(stream)) };
    let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut packets = Packets { stream: &mut stream, left: Vec::new() };
    while tls.is_handshaking() {
        while tls.wants_write() {
            tls.write_tls(&mut packets)?;
        }
        if tls.is_handshaking() && tls.read_tls(&mut packets)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Err(error) = tls.process_new_packets() {
            let _ = tls.write_tls(&mut packets);
            return Err(io::Error::other(error));
        }
    }
    while tls.wants_write() {
        tls.write_tls(&mut packets)?;
    }
    Ok(Line::Tls(Box::new(StreamOwned::new(tls, stream))))
}

/// A handshake's bytes, each write in a packet.
struct Packets<'a> {
    stream: &'a mut TcpStream,
    left: Vec<u8>,
}

impl Read for Packets<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            self.left = message(self.stream)?.1;
        }
        let count = into.len().min(self.left.len());
        into[..count].copy_from_slice(&self.left[..count]);
        self.left.drain(..count);
        Ok(count)
    }
}

impl Write for Packets<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        say(self.stream, PRELOGIN, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Line {
    /// The next message: its kind and its content.
    pub(super) fn hear(&mut self) -> io::Result<(u8, Vec<u8>)> {
        match self {
            Self::Plain(stream) => message(stream),
            Self::Tls(stream) => message(stream.as_mut()),
        }
    }

    /// What the client says of itself.
    pub(super) fn login(&mut self) -> io::Result<Login> {
        let (kind, content) = self.hear()?;
        if kind != LOGIN {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let field = |at: usize| {
            let number =
                |at: usize| usize::from(u16::from_le_bytes([content[at], content[at + 1]]));
            content[number(at)..number(at) + 2 * number(at + 2)].to_vec()
        };
        let hidden: Vec<_> = field(44).into_iter().map(|it| (it ^ 0xa5).rotate_left(4)).collect();
        Ok(Login { user: wide(&field(40))?, password: wide(&hidden)?, database: wide(&field(68))? })
    }

    /// The batch in a message's `content`.
    pub(super) fn batch(content: &[u8]) -> io::Result<String> {
        let headers = u32::from_le_bytes([content[0], content[1], content[2], content[3]]);
        wide(&content[headers as usize..])
    }

    /// Says that the login is accepted.
    pub(super) fn welcome(&mut self) -> io::Result<()> {
        let name = text("Microsoft SQL Server");
        let mut token = vec![1, 0x74, 0, 0, 4, 20];
        token.extend(name);
        token.extend([16, 0, 0, 0]);
        let length = u16::try_from(token.len()).expect("short").to_le_bytes();
        self.answer(&[&[0xad][..], &length, &token, &done(false)].concat())
    }

    /// Says what a batch gives.
    pub(super) fn tell(&mut self, outcome: Result<Vec<Rows>, Refusal>) -> io::Result<()> {
        match outcome {
            Ok(sets) => {
                let sets: Vec<_> = sets.iter().filter(|it| !it.is_empty()).flat_map(rows).collect();
                self.answer(&[&sets[..], &done(false)].concat())
            }
            Err(Refusal(number, told)) => {
                let mut token = number.to_le_bytes().to_vec();
                token.extend([1, 16]);
                token.extend(
                    u16::try_from(told.encode_utf16().count()).expect("short").to_le_bytes(),
                );
                token.extend(text(&told));
                token.extend([0, 0, 1, 0, 0, 0]);
                let length = u16::try_from(token.len()).expect("short").to_le_bytes();
                self.answer(&[&[0xaa][..], &length, &token, &done(true)].concat())
            }
        }
    }

    fn answer(&mut self, content: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => say(stream, ANSWER, content),
            Self::Tls(stream) => say(stream.as_mut(), ANSWER, content),
        }
    }
}

fn done(failed: bool) -> Vec<u8> {
    [&[0xfd, if failed { 2 } else { 0 }][..], &[0; 11]].concat()
}

/// Columns and rows.
fn rows(rows: &Rows) -> Vec<u8> {
    let columns = rows[0].len();
    let mut out = vec![0x81];
    out.extend(u16::try_from(columns).expect("few").to_le_bytes());
    for _ in 0..columns {
        // Nullable, nvarchar(4000), some collation, no name.
        out.extend([0, 0, 0, 0, 1, 0, 0xe7, 0x40, 0x1f, 9, 4, 0xd0, 0, 0x34, 0]);
    }
    for row in rows {
        out.push(0xd1);
        for cell in row {
            match cell {
                None => out.extend([0xff, 0xff]),
                Some(it) => {
                    let bytes = text(it);
                    out.extend(u16::try_from(bytes.len()).expect("short").to_le_bytes());
                    out.extend(bytes);
                }
            }
        }
    }
    out
}

fn text(it: &str) -> Vec<u8> {
    it.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn wide(bytes: &[u8]) -> io::Result<String> {
    let units: Vec<_> =
        bytes.chunks_exact(2).map(|it| u16::from_le_bytes([it[0], it[1]])).collect();
    String::from_utf16(&units).map_err(io::Error::other)
}

/// Reads packets until the last of a message.
fn message(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut content = Vec::new();
    loop {
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let mut part = vec![0; length.checked_sub(8).ok_or(io::ErrorKind::InvalidData)?];
        stream.read_exact(&mut part)?;
        content.extend(part);
        if head[1] & 1 == 1 {
            return Ok((head[0], content));
        }
    }
}

fn say(stream: &mut impl Write, kind: u8, content: &[u8]) -> io::Result<()> {
    let mut parts = content.chunks(4088).peekable();
    while let Some(part) = parts.next() {
        let [high, low] = u16::try_from(part.len() + 8).expect("short").to_be_bytes();
        let last = u8::from(parts.peek().is_none());
        stream.write_all(&[&[kind, last, high, low, 0, 0, 1, 0], part].concat())?;
    }
    stream.flush()
}
