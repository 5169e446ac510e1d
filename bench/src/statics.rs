//! The bare server: hyper and one static answer, with or without TLS.

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::convert::Infallible;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

#[derive(Debug, clap::Args)]
pub(crate) struct Static {
    /// Bytes of the body
    #[arg(long)]
    size: usize,
    /// Certificate chain and key, for TLS
    #[arg(long, num_args = 2)]
    tls: Option<Vec<PathBuf>>,
}

impl Static {
    /// Serves until it is killed; prints its port first.
    pub(crate) fn run(self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.serve())
    }

    async fn serve(self) -> Result<()> {
        let body = Bytes::from(vec![b'x'; self.size]);
        let acceptor = self.tls.as_deref().map(acceptor).transpose()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
        std::io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (body, acceptor) = (body.clone(), acceptor.clone());
            tokio::spawn(async move {
                match acceptor {
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            connection(TokioIo::new(stream), body).await;
                        }
                    }
                    None => connection(TokioIo::new(stream), body).await,
                }
            });
        }
    }
}

async fn connection<S>(stream: TokioIo<S>, body: Bytes)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(move |_: Request<Incoming>| {
        let mut response = Response::new(Full::new(body.clone()));
        let kind = hyper::header::HeaderValue::from_static("application/x-amz-json-1.1");
        response.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
        std::future::ready(Ok::<_, Infallible>(response))
    });
    // A client that goes away ends its connection, nothing more.
    let _gone = auto::Builder::new(TokioExecutor::new()).serve_connection(stream, answer).await;
}

fn acceptor(files: &[PathBuf]) -> Result<TlsAcceptor> {
    let [chain, key] = files else { anyhow::bail!("a chain and a key") };
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key).context("no key")?;
    let config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
