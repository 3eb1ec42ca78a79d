//! The time over UDP (RFC 10049 section 3): whoever sends no request, or too many, gets no answer. What has come while one
//! signature was made is answered by the next; the socket's own buffer is where it waits.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;

use tokio::net::UdpSocket;

use super::TimeRequest;
use super::request::LONGEST;
use crate::Server;
use crate::network::AddressLimit;

impl Server {
    /// Answers on a UDP socket until `shutdown` ends. Nothing is kept of a request that was answered.
    pub async fn serve_time(self, socket: UdpSocket, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        let mut datagrams = Datagrams::new(self, socket);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                ready = datagrams.socket.readable() => match ready {
                    Ok(()) => datagrams.answer_all(),
                    Err(error) => tracing::debug!(%error, "the socket for datagrams fails"),
                },
            }
        }
    }
}

/// What answering datagrams needs.
struct Datagrams {
    server: Server,
    socket: UdpSocket,
    limit: Option<AddressLimit>,
    /// The requests that are answered together, and who sent them.
    requests: Vec<TimeRequest>,
    senders: Vec<SocketAddr>,
}

impl Datagrams {
    fn new(server: Server, socket: UdpSocket) -> Self {
        let per_hour = server.home.config().time.udp_per_address_per_hour;
        let limit = (per_hour > 0).then(|| AddressLimit::new(per_hour, ADDRESS_BURST));
        Self { server, socket, limit, requests: Vec::with_capacity(TOGETHER), senders: Vec::with_capacity(TOGETHER) }
    }

    /// Answers what has come, up to a bound, with one signature.
    fn answer_all(&mut self) {
        self.take_all();
        if self.requests.is_empty() {
            return;
        }
        let Ok(answers) = self.server.time.answer_at_once(&self.requests, self.server.clock.now()) else {
            self.requests.iter().for_each(|_| self.server.metrics.time.dropped("not signed"));
            return;
        };
        for (answer, sender) in answers.iter().zip(&self.senders) {
            // Whoever does not get it asks again.
            if self.socket.try_send_to(answer, *sender).is_ok() {
                self.server.metrics.time.answers.inc();
            }
        }
    }

    fn take_all(&mut self) {
        self.requests.clear();
        self.senders.clear();
        // One byte more than the longest request, so that what is cut off is seen to be too long.
        let mut buffer = [0; LONGEST + 1];
        for _ in 0..TOGETHER {
            match self.socket.try_recv_from(&mut buffer) {
                Ok((length, sender)) => self.take(&buffer[..length], sender),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An answer that did not arrive is told at the next reading. There is nothing to do about it.
                Err(error) => tracing::debug!(%error, "a datagram was not received"),
            }
        }
    }

    /// Takes a request in, or drops it.
    fn take(&mut self, packet: &[u8], sender: SocketAddr) {
        match self.read(packet, sender) {
            Ok(request) => {
                self.requests.push(request);
                self.senders.push(sender);
            }
            Err(why) => self.server.metrics.time.dropped(why),
        }
    }

    fn read(&self, packet: &[u8], sender: SocketAddr) -> Result<TimeRequest, &'static str> {
        let home = &self.server.home;
        if let Some(limit) = &self.limit {
            limit.take(sender.ip(), self.server.clock.now()).map_err(|_| "rate")?;
        }
        TimeRequest::read(home.provider(), &home.keys().time, packet).map_err(|fault| fault.label())
    }
}

/// How many times at once one address may ask.
pub(super) const ADDRESS_BURST: u32 = 600;
/// Datagrams that are looked at for one signature.
const TOGETHER: usize = 64;
