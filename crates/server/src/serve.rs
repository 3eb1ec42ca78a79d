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
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Server;

impl Server {
    /// Serves until `shutdown` ends. Then no connection is accepted any more, requests under way are answered, and
    /// whatever takes longer than [`Server::STOP_LIMIT`] is cut off.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
        let connections = Arc::new(Semaphore::new(self.home.config().maximum_connections));
        let graceful = GracefulShutdown::new();
        let router = self.router();
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
        let routes = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = routes.call(request);
            async { Ok::<Response, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.home.config().header_timeout)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that never reads its answers keeps its place only so long.
            match tokio::time::timeout(CONNECTION_LIFETIME, connection).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, %peer, "connection ended early"),
                Err(_) => tracing::debug!(%peer, "connection reached the end of its lifetime"),
            }
            drop(permit);
        });
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
/// How long the requests of the last connections may take to come in.
const SETTLE: Duration = Duration::from_millis(200);

/// How long one connection may last, whatever it is used for.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(120);
