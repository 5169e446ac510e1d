//! Between a client of Db2 and a server of Derby: ends TLS, and says in Derby's words what Derby doesn't know.

use peers::Issued;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

/// All statements that were said, as they were.
type Said = Arc<Mutex<String>>;

/// It runs beside the tests, each of which has a runtime of its own.
pub(super) struct Translator {
    pub(super) port: u16,
    pub(super) plain_port: u16,
    said: Said,
    runtime: Option<Runtime>,
}

impl Translator {
    /// In front of the loopback's port `to`, with `certificate` or without TLS.
    pub(super) fn to(to: u16, certificate: Option<&Issued>) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
        let said = Said::default();
        let listen = |tls: Option<TlsAcceptor>| {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            listener.set_nonblocking(true).expect("a setting");
            let port = listener.local_addr().expect("an address").port();
            runtime.spawn(serve(listener, to, tls, Arc::clone(&said)));
            port
        };
        let plain_port = listen(None);
        let port = certificate.map_or(plain_port, |it| listen(Some(acceptor(it))));
        Self { port, plain_port, said, runtime: Some(runtime) }
    }

    /// All statements that were said.
    pub(super) fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Translator {
    fn drop(&mut self) {
        // Waiting is not for tasks, which drop it.
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

fn acceptor(issued: &Issued) -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(issued.chain.as_bytes()).collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain.expect("a chain"), key);
    TlsAcceptor::from(Arc::new(config.expect("a certificate")))
}

async fn serve(
    listener: std::net::TcpListener,
    to: u16,
    tls: Option<TlsAcceptor>,
    said: Said,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (client, _) = listener.accept().await?;
        let (tls, said) = (tls.clone(), Arc::clone(&said));
        tokio::spawn(async move {
            let server = TcpStream::connect(("127.0.0.1", to)).await?;
            match tls {
                Some(tls) => forward(tls.accept(client).await?, server, &said).await,
                None => forward(client, server, &said).await,
            }
        });
    }
}

async fn forward(
    client: impl AsyncRead + AsyncWrite,
    server: TcpStream,
    said: &Said,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        loop {
            let frame = translate(&frame(&mut from_client).await?, said);
            to_server.write_all(&frame).await?;
        }
    };
    let down = tokio::io::copy(&mut from_server, &mut to_client);
    let ended: io::Result<()> = tokio::select! { it = up => it, it = down => it.map(drop) };
    to_client.shutdown().await?;
    ended
}

/// The next message, if it is one; otherwise what was said is passed on for the server to judge.
async fn frame(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 6];
    from.read_exact(&mut frame).await?;
    if frame[2] == 0xD0 {
        let length = usize::from(u16::from_be_bytes([frame[0], frame[1]]));
        frame.resize(length.max(6), 0);
        from.read_exact(&mut frame[6..]).await?;
    }
    Ok(frame)
}

/// Where a frame's object begins that holds a statement: after the heads of both, a byte, and a length.
const TEXT: usize = 6 + 4 + 1 + 4;

fn translate(frame: &[u8], said: &Said) -> Vec<u8> {
    match frame.get(8..10) {
        // Derby serves its own clients only, so the client is said to be one.
        Some([0x20, 0x01]) => replaced(frame, b"SQL11014", b"DNC10140"),
        Some([0x24, 0x14]) => {
            let length = usize::from(u16::from_be_bytes([frame[13], frame[14]]));
            let text = str::from_utf8(&frame[TEXT..TEXT + length]).expect("a statement");
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(text);
            said.push('\n');
            statement(&in_derbys_words(text))
        }
        _ => frame.to_vec(),
    }
}

fn replaced(frame: &[u8], this: &[u8], by: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    if let Some(at) = frame.windows(this.len()).position(|it| it == this) {
        frame[at..at + by.len()].copy_from_slice(by);
    }
    frame
}

fn statement(text: &str) -> Vec<u8> {
    let short = |length: usize| u16::try_from(length).expect("a short statement").to_be_bytes();
    let length = text.len();
    let mut frame = Vec::new();
    frame.extend(short(TEXT + length + 1));
    frame.extend([0xD0, 0x03, 0x00, 0x01]);
    frame.extend(short(TEXT + length + 1 - 6));
    frame.extend([0x24, 0x14, 0x00, 0x00, 0x00]);
    frame.extend(short(length));
    frame.extend(text.as_bytes());
    frame.push(0xFF);
    frame
}

fn in_derbys_words(text: &str) -> String {
    let authority = |given: &str, rest: &str, to: &str| {
        let (name, user) = rest.split_once(to).expect("a grant as Db2 knows it");
        let name = name.strip_suffix(" WITHOUT DATAACCESS WITHOUT ACCESSCTRL").unwrap_or(name);
        format!("CALL shim.authority('{given}', '{name}', '{}')", user.trim_matches('"'))
    };
    if let Some(rest) = text.strip_prefix("GRANT ") {
        return authority("Y", rest, " ON DATABASE TO USER ");
    }
    if let Some(rest) = text.strip_prefix("REVOKE ") {
        return authority("N", rest, " ON DATABASE FROM USER ");
    }
    text.replace("SYSCAT.DBAUTH", "shim.dbauth")
}
