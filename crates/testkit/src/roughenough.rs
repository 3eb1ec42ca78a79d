//! Somebody else's Roughtime server, `roughenough-server`, with one worker on a UDP socket of its own.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use admit_time::Timestamp;
use roughenough_keys::online::memory::MemoryBackend;
use roughenough_protocol::util::ClockSource;
use roughenough_server::keysource::KeySource;
use roughenough_server::metrics::aggregator::WorkerMetrics;
use roughenough_server::responses::ResponseHandler;
use roughenough_server::worker::Worker;

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Roughenough {
    /// Where it answers.
    pub address: SocketAddr,
    /// Its long-term key.
    pub key: [u8; 32],
    running: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    _metrics: Receiver<WorkerMetrics>,
}

impl Roughenough {
    /// A server whose key is made of the seed, with this machine's clock or one that stands still.
    #[must_use]
    pub fn start(seed: u8, now: Option<Timestamp>) -> Self {
        let clock = now.map_or(ClockSource::System, |now| ClockSource::new_mock(now.unix_secs()));
        let source =
            KeySource::new(Box::new(MemoryBackend::from_value(&[seed; 32])), clock.clone(), Duration::from_hours(1));
        let key = source.public_key_bytes();
        let socket = UdpSocket::bind("127.0.0.1:0").expect("this machine has ports");
        socket.set_nonblocking(true).expect("sockets can be that");
        let address = socket.local_addr().expect("it is bound");
        let (metrics, received) = sync_channel(1);
        let running = Arc::new(AtomicBool::new(true));
        let runs = Arc::clone(&running);
        let thread = std::thread::spawn(move || {
            let responder = ResponseHandler::new(64, source);
            let mut worker = Worker::new(0, 64, responder, clock, metrics, Duration::from_hours(1));
            worker.run(mio::net::UdpSocket::from_std(socket), &runs);
        });
        Self { address, key, running, thread: Some(thread), _metrics: received }
    }
}

impl Drop for Roughenough {
    fn drop(&mut self) {
        self.running.store(false, Ordering::Relaxed);
        let joined = self.thread.take().map(JoinHandle::join);
        assert!(joined.is_none_or(|result| result.is_ok()) || std::thread::panicking(), "the server panicked");
    }
}
