//! Accepting connections: limits on how many there are and how slow they may be, and a stop that lets requests
//! finish.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

use crate::Server;
use crate::metrics::Metrics;
use crate::tls::Tls;

impl Server {
    /// Serves until `shutdown` ends. Then no connection is accepted any more, requests under way are answered, and
    /// whatever takes longer than [`Server::STOP_LIMIT`] is cut off.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
        let router = self.router();
        self.serve_routes(router, listener, shutdown).await
    }

    /// Serves the metrics, and nothing else, until `shutdown` ends.
    pub async fn serve_metrics(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let router = self.metrics_router();
        self.serve_routes(router, listener, shutdown).await
    }

    async fn serve_routes(
        &self,
        router: Router,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let connections = Arc::new(Semaphore::new(self.home.config().maximum_connections));
        let graceful = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept(&listener, &connections) => accepted,
            };
            match accepted {
                Ok((stream, peer, permit)) => self.connect(&router, stream, peer, permit, &graceful),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
        self.announce_stop();
        drop(listener);
        // A connection that was just accepted has its request on the way: closed now, it would fail.
        tokio::time::sleep(SETTLE).await;
        if tokio::time::timeout(Self::STOP_LIMIT, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests still under way were cut off");
        }
        Ok(())
    }

    /// How long a stop waits for requests under way.
    pub const STOP_LIMIT: Duration = Duration::from_secs(30);

    fn connect(
        &self,
        router: &Router,
        stream: TcpStream,
        peer: SocketAddr,
        permit: OwnedSemaphorePermit,
        graceful: &GracefulShutdown,
    ) {
        let _ = stream.set_nodelay(true);
        let connection = Connection {
            router: router.clone(),
            peer,
            head_limit: self.home.config().header_timeout,
            watcher: graceful.watcher(),
            metrics: Arc::clone(&self.metrics),
        };
        self.metrics.connections.inc();
        let metrics = Arc::clone(&self.metrics);
        let acceptor = self.tls.as_ref().map(Tls::acceptor);
        tokio::spawn(async move {
            // A client that never reads its answers keeps its place only so long.
            let talk = async {
                match acceptor {
                    None => connection.talk(stream).await,
                    Some(acceptor) => connection.talk_tls(stream, acceptor).await,
                }
            };
            if tokio::time::timeout(CONNECTION_LIFETIME, talk).await.is_err() {
                tracing::debug!(%peer, "connection reached the end of its lifetime");
            }
            metrics.connections.dec();
            drop(permit);
        });
    }
}

/// What one connection needs.
struct Connection {
    router: Router,
    peer: SocketAddr,
    head_limit: Duration,
    watcher: Watcher,
    metrics: Arc<Metrics>,
}

impl Connection {
    async fn talk_tls(self, stream: TcpStream, acceptor: TlsAcceptor) {
        let peer = self.peer;
        match tokio::time::timeout(self.head_limit, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => return self.talk(stream).await,
            Ok(Err(error)) => tracing::debug!(%error, %peer, "no TLS session"),
            Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
        }
        self.metrics.handshakes_failed.inc();
    }

    async fn talk(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let peer = self.peer;
        let routes = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = routes.call(request);
            async { Ok::<Response, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_limit)
            .max_headers(MAX_HEADERS)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = self.watcher.watch(connection).await {
            tracing::debug!(%error, %peer, "connection ended early");
        }
    }
}

/// Waits for a free place, then for a connection: what comes beyond the limit waits in the system's queue.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// After an error such as too many open files, so that the loop does not spin.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);
const MAX_HEADERS: usize = 64;
/// The longest head of a request, and what is read of a body at once.
const LARGEST_HEAD: usize = 64 * 1024;
/// How long the requests of the last connections may take to come in.
const SETTLE: Duration = Duration::from_millis(200);

/// How long one connection may last, whatever it is used for.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(120);
