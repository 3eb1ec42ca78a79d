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
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Server;
use crate::connections::{Connections, Counted, Place};
use crate::home::Config;
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

    /// Serves signed time over plain HTTP, and nothing else, until `shutdown` ends: what is signed needs no TLS, and where a
    /// client's clock is wrong there is none.
    pub async fn serve_plain_time(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let router = self.time_router();
        self.without_tls().serve_routes(router, listener, shutdown).await
    }

    async fn serve_routes(
        &self,
        router: Router,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let connections = Connections::new(self.home.config());
        let (stop, stopped) = watch::channel(());
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept(&listener, &connections, &self.metrics) => accepted,
            };
            match accepted {
                Ok(accepted) => self.connect(&router, accepted, stopped.clone()),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            }
        }
        self.announce_stop();
        drop((listener, stopped));
        // A connection that was just accepted has its request on the way: closed now, it would fail.
        tokio::time::sleep(SETTLE).await;
        stop.send_replace(());
        if tokio::time::timeout(Self::STOP_LIMIT, stop.closed()).await.is_err() {
            tracing::warn!("requests still under way were cut off");
        }
        Ok(())
    }

    /// How long a stop waits for requests under way.
    pub const STOP_LIMIT: Duration = Duration::from_secs(30);

    fn connect(&self, router: &Router, accepted: Accepted, stop: watch::Receiver<()>) {
        let Accepted { stream, peer, place, counted } = accepted;
        let _ = stream.set_nodelay(true);
        let times = Times::of(self.home.config());
        let connection = Connection { router: router.clone(), peer, times, stop };
        let acceptor = self.tls.as_ref().map(Tls::acceptor);
        let metrics = Arc::clone(&self.metrics);
        metrics.connections.open.inc();
        tokio::spawn(async move {
            match acceptor {
                None => connection.talk(stream).await,
                Some(acceptor) => match shake_hands(stream, peer, &acceptor, times.head).await {
                    Some(stream) => connection.talk(stream).await,
                    None => drop(metrics.connections.handshakes_failed.inc()),
                },
            }
            metrics.connections.open.dec();
            drop((counted, place));
        });
    }
}

/// A connection with its places.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    counted: Counted,
}

/// How long things may take on a connection.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// The head of a request, or nothing at all.
    head: Duration,
    /// All together. Then no further request is taken.
    lifetime: Duration,
    /// The request that is under way then.
    last_request: Duration,
}

impl Times {
    fn of(config: &Config) -> Self {
        let last_request = config.header_timeout + config.body_timeout + config.request_timeout + SEND_LIMIT;
        Self { head: config.header_timeout, lifetime: CONNECTION_LIFETIME, last_request }
    }
}

/// What one connection needs.
struct Connection {
    router: Router,
    peer: SocketAddr,
    times: Times,
    /// Changes when the server stops, which waits until nobody has one of these any more.
    stop: watch::Receiver<()>,
}

impl Connection {
    /// Answers requests until the client has no more, or the connection's lifetime or the server's is over. The request that
    /// is then under way is answered; a client that does not take its answer keeps its place only so long.
    async fn talk(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (peer, times) = (self.peer, self.times);
        let routes = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = routes.call(request);
            async { Ok::<Response, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(times.head)
                .max_headers(MAX_HEADERS)
                .max_buf_size(LARGEST_HEAD)
                .serve_connection(TokioIo::new(stream), service)
        );
        let ended = tokio::select! {
            // A request that has come is taken, also when the time is over.
            biased;
            ended = connection.as_mut() => Ok(ended),
            () = last_request(&mut self.stop, times.lifetime) => {
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(times.last_request, connection).await
            }
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, %peer, "connection ended early"),
            Err(_) => tracing::debug!(%peer, "connection was cut off at the end of its lifetime"),
        }
    }
}

/// Waits until a connection takes no further request.
async fn last_request(stop: &mut watch::Receiver<()>, lifetime: Duration) {
    // An error says that the server is gone, which is a stop too.
    let _ = tokio::time::timeout(lifetime, stop.changed()).await;
}

async fn shake_hands(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: &TlsAcceptor,
    limit: Duration,
) -> Option<TlsStream<TcpStream>> {
    match tokio::time::timeout(limit, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!(%error, %peer, "no TLS session"),
        Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
    }
    None
}

/// Waits for a free place, then for a connection: what comes beyond the limit waits in the system's queue. What comes
/// from an address beyond its own limit is closed at once.
async fn accept(listener: &TcpListener, connections: &Connections, metrics: &Metrics) -> io::Result<Accepted> {
    let place = connections.place().await;
    loop {
        let (stream, peer) = listener.accept().await?;
        if let Some(counted) = connections.count(peer.ip()) {
            return Ok(Accepted { stream, peer, place, counted });
        }
        metrics.connections.refused.inc();
        tracing::debug!(%peer, "too many connections from this address");
    }
}

/// After an error such as too many open files, so that the loop does not spin.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);
const MAX_HEADERS: usize = 64;
/// The longest head of a request, and what is read of a body at once.
const LARGEST_HEAD: usize = 64 * 1024;
/// How long the requests of the last connections may take to come in.
const SETTLE: Duration = Duration::from_millis(200);

/// How long a connection may last; then the request that is under way is its last.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(120);
/// How long a client may take to receive the last answer.
const SEND_LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::*;

    const LONG: Duration = Duration::from_secs(600);
    const SHORT: Duration = Duration::from_millis(1);

    /// The client's end of a connection to a server that takes so long to answer.
    fn talk(times: Times, answering: Duration) -> (DuplexStream, watch::Sender<()>) {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let router = Router::new().route("/", get(async move || tokio::time::sleep(answering).await));
        let (sender, stop) = watch::channel(());
        let peer = SocketAddr::from(([192, 0, 2, 1], 1));
        tokio::spawn(Connection { router, peer, times, stop }.talk(far));
        (near, sender)
    }

    /// All that comes for one request, until the connection ends.
    async fn ask((mut near, _running): (DuplexStream, watch::Sender<()>)) -> String {
        near.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_request_under_way_at_the_end_of_the_lifetime_is_answered() {
        let times = Times { head: LONG, lifetime: SHORT, last_request: LONG };
        let answer = ask(talk(times, SHORT * 50)).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }

    #[tokio::test]
    async fn an_idle_connection_ends_with_its_lifetime() {
        let times = Times { head: LONG, lifetime: SHORT * 50, last_request: LONG };
        let answer = ask(talk(times, Duration::ZERO)).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }

    #[tokio::test]
    async fn the_last_request_has_its_time_and_no_more() {
        let times = Times { head: LONG, lifetime: SHORT, last_request: SHORT };
        assert_eq!(ask(talk(times, LONG)).await, "");
    }

    #[test]
    fn the_last_request_may_take_all_that_the_settings_allow() {
        let config = Config { request_timeout: LONG, ..Config::default() };
        let times = Times::of(&config);
        assert!(times.last_request >= config.header_timeout + config.body_timeout + LONG);
    }
}
