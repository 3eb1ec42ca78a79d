//! The time over UDP (RFC 10049 section 3): whoever sends no request, or too many, gets no answer.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::TimeRequest;
use super::request::LONGEST;
use crate::Server;
use crate::rate_limit::RateLimit;

impl Server {
    /// Answers on a UDP socket until `shutdown` ends. Nothing is kept of a request that was answered.
    pub async fn serve_time(self, socket: UdpSocket, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        let datagrams = Datagrams::new(self, socket);
        // One byte more than the longest request, so that what is cut off is seen to be too long.
        let mut buffer = [0; LONGEST + 1];
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                received = datagrams.socket.recv_from(&mut buffer) => match received {
                    Ok((length, from)) => datagrams.take(&buffer[..length], from),
                    // An answer that did not arrive is told at the next reading. There is nothing to do about it.
                    Err(error) => tracing::debug!(%error, "a datagram was not received"),
                },
            }
        }
    }
}

/// What answering datagrams needs.
struct Datagrams {
    server: Server,
    socket: Arc<UdpSocket>,
    limit: RateLimit<IpAddr>,
    places: Arc<Semaphore>,
}

impl Datagrams {
    fn new(server: Server, socket: UdpSocket) -> Self {
        let (limit, places) = (RateLimit::new(PER_ADDRESS_PER_HOUR, ADDRESS_BURST), Semaphore::new(PLACES));
        Self { server, socket: Arc::new(socket), limit, places: Arc::new(places) }
    }

    /// Takes a request in, or drops it.
    fn take(&self, packet: &[u8], from: SocketAddr) {
        match self.read(packet, from) {
            Ok((request, place)) => self.answer(request, from, place),
            Err(why) => self.server.metrics.time_dropped(why),
        }
    }

    fn read(&self, packet: &[u8], from: SocketAddr) -> Result<(TimeRequest, OwnedSemaphorePermit), &'static str> {
        let home = &self.server.home;
        self.limit.take_address(from.ip(), self.server.clock.now()).map_err(|_| "rate")?;
        let request = TimeRequest::read(home.provider(), &home.keys().time, packet).map_err(|fault| fault.label())?;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| "busy")?;
        Ok((request, place))
    }

    fn answer(&self, request: TimeRequest, from: SocketAddr, place: OwnedSemaphorePermit) {
        let (server, socket) = (self.server.clone(), Arc::clone(&self.socket));
        tokio::spawn(async move {
            match server.time.answer(request, server.clock.now()).await {
                Ok(answer) => {
                    // Whoever does not get it asks again.
                    if socket.send_to(&answer, from).await.is_ok() {
                        server.metrics.time_answers.inc();
                    }
                }
                Err(_) => server.metrics.time_dropped("not signed"),
            }
            drop(place);
        });
    }
}

/// What one address (one /64 for IPv6) may ask: ten times a second for ever, after a burst. A whole company may stand behind it.
const PER_ADDRESS_PER_HOUR: u32 = 36_000;
pub(super) const ADDRESS_BURST: u32 = 600;
/// Requests that wait for a signature at once.
const PLACES: usize = 512;
