//! The clock is set from somebody else's clock service, `roughenough-server`, over the network (row E05).

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use admit_client::Error;
use admit_client::set_time::SetTime;
use admit_time::clock::{Accepted, ClockState, Source, TimeKey};
use roughenough_keys::online::memory::MemoryBackend;
use roughenough_protocol::util::ClockSource;
use roughenough_server::keysource::KeySource;
use roughenough_server::metrics::aggregator::WorkerMetrics;
use roughenough_server::responses::ResponseHandler;
use roughenough_server::worker::Worker;

use crate::fixture::*;

/// A service with one worker on a socket of its own.
struct Service {
    address: SocketAddr,
    key: TimeKey,
    running: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    _metrics: Receiver<WorkerMetrics>,
}

impl Service {
    fn start(seed: u8) -> Self {
        let clock = ClockSource::new_mock(REALM.now.unix_secs());
        let source =
            KeySource::new(Box::new(MemoryBackend::from_value(&[seed; 32])), clock.clone(), Duration::from_hours(1));
        let key = TimeKey { public_key: source.public_key_bytes(), epoch: 1 };
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
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

    fn ask(&self, packet: &[u8]) -> Vec<u8> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(self.address).unwrap();
        socket.send(packet).unwrap();
        let mut answer = vec![0; packet.len()];
        let length = socket.recv(&mut answer).unwrap();
        answer.truncate(length);
        answer
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.running.store(false, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn e05_our_client_sets_its_clock_from_somebody_elses_service() {
    let service = Service::start(1);
    let mut device = Device::new(1);
    let exchange = SetTime::begin(provider(), service.key, &reading(1, 1), &mut device.entropy);
    let answer = service.ask(exchange.request());
    let set = exchange.finish(&mut device.clock, &answer, &reading(1, 1), &mut Vec::new());
    let Ok(Accepted::Set(now)) = set else { panic!("{set:?}") };
    assert_eq!(now.state(), ClockState::Trusted);
    assert!(now.time().unwrap().latest() >= REALM.now);
    assert_eq!(device.clock.record().signed.unwrap().source, Source::ClockService);
}

#[test]
fn e05_somebody_elses_answer_is_to_its_own_question_under_its_own_key_alone() {
    let (service, other) = (Service::start(1), Service::start(2));
    let mut device = Device::new(1);
    let mut ask = |key| SetTime::begin(provider(), key, &reading(1, 1), &mut device.entropy);
    let (earlier, later) = (ask(service.key), ask(service.key));
    let replayed = service.ask(earlier.request());
    let refused = later.finish(&mut device.clock, &replayed, &reading(1, 1), &mut Vec::new()).unwrap_err();
    assert_eq!(refused, Error::Time(admit_time::Error::WrongNonce));
    let mut forged = service.ask(earlier.request());
    let last = forged.len() - 1;
    forged[last] ^= 1;
    earlier.finish(&mut device.clock, &forged, &reading(1, 1), &mut Vec::new()).unwrap_err();
    let exchange = SetTime::begin(provider(), other.key, &reading(1, 1), &mut device.entropy);
    let answer = other.ask(exchange.request());
    let mistaken = SetTime::begin(provider(), service.key, &reading(1, 1), &mut device.entropy);
    mistaken.finish(&mut device.clock, &answer, &reading(1, 1), &mut Vec::new()).unwrap_err();
    assert!(device.clock.record().signed.is_none());
}
