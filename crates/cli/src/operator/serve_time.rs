//! What `admit serve` does for signed time beside serving it with everything else: answering without TLS and over UDP,
//! comparing this clock with those of other instances, and asking what the kernel says of it.

use std::future::pending;
use std::io;
use std::time::Duration;

use admit_protocol::Code;
use admit_server::Server;
use admit_server::home::Home;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::failure::{Failure, Outcome};
use crate::system::is_clock_kept_right;

/// The socket for requests over UDP, where the settings want one.
pub(super) async fn bind(home: &Home) -> Outcome<Option<UdpSocket>> {
    let Some(address) = home.config().time.udp else { return Ok(None) };
    let socket = UdpSocket::bind(address).await.map_err(|error| {
        Failure::new(Code::ADMIT_E_SERVER, format!("cannot take datagrams at {address}: {error}"))
            .with_action("Name another address with udp in [time] of admit.toml, or end what uses this one")
    })?;
    Ok(Some(socket))
}

/// Serves the time without TLS, where the settings want that, until `stopped`.
pub(super) async fn serve_plainly(
    server: Server,
    listener: Option<TcpListener>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let Some(listener) = listener else { return Ok(()) };
    let shutdown = async {
        // An error says that the server is gone, which is a stop too.
        let _ = stopped.await;
    };
    server.serve_plain_time(listener, shutdown).await
}

/// Starts all of it. When it returns, the clock was compared and the kernel asked once.
pub(super) async fn start(server: &Server, datagrams: Option<UdpSocket>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    server.compare_clocks().await;
    tasks.spawn(server.clone().watch_clocks());
    // Who states the largest error has answered for the kernel.
    if server.home().config().time.largest_error_secs.is_none() {
        ask_kernel(server).await;
        tasks.spawn(watch_kernel(server.clone()));
    }
    if let Some(socket) = datagrams {
        tasks.spawn(server.clone().serve_time(socket, pending()));
    }
    tasks
}

async fn watch_kernel(server: Server) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        ask_kernel(&server).await;
    }
}

async fn ask_kernel(server: &Server) {
    let asked = tokio::task::spawn_blocking(is_clock_kept_right).await;
    server.set_clock_kept_right(matches!(asked, Ok(Some(true))));
}

/// The kernel takes its word back after a good quarter of an hour without a correction.
const INTERVAL: Duration = Duration::from_secs(60);
