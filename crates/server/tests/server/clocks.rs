//! Several instances as one clock (row E10): whose clock is off signs no time, says so, and goes on issuing licenses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use admit_crypto::Entropy;
use admit_protocol::Code;
use admit_protocol::time::{TIME_CONTENT_TYPE, TIME_PATH};
use admit_server::{Clock, Server};
use admit_time::Timestamp;
use admit_time::roughtime::request_packet;
use hyper::StatusCode;
use tokio::net::TcpListener;

use crate::harness::{PROVIDER, Running, Seeded, SetClock, challenge, connect, on_postgres, send};
use crate::time::{keys, with_time};

/// What is compared is this machine's clock, which the database has too, and so much beside it.
#[derive(Clone)]
struct Shifted {
    set: SetClock,
    shift_ms: Arc<AtomicI64>,
}

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        self.set.now()
    }

    #[expect(clippy::disallowed_methods, reason = "the database has this machine's clock, and no other")]
    fn reading(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let shift_ms = self.shift_ms.load(Ordering::SeqCst);
        let shift = Duration::from_millis(shift_ms.unsigned_abs());
        if shift_ms < 0 { now - shift } else { now + shift }
    }
}

/// One of several servers on a home.
struct Instance {
    server: Server,
    shift_ms: Arc<AtomicI64>,
    address: SocketAddr,
}

impl Instance {
    async fn start(running: &Running, seed: u64, shift_ms: i64) -> Self {
        let shift_ms = Arc::new(AtomicI64::new(shift_ms));
        let clock = Shifted { set: running.clock.clone(), shift_ms: Arc::clone(&shift_ms) };
        let seeds = AtomicU64::new(seed);
        let entropy =
            move || -> Box<dyn Entropy + Send> { Box::new(Seeded::new(seeds.fetch_add(1, Ordering::SeqCst))) };
        let server = Server::new(running.home.clone(), clock, entropy);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server.clone().serve(listener, std::future::pending()));
        Self { server, shift_ms, address }
    }

    async fn is_signing(&self, running: &Running) -> bool {
        let packet = request_packet(PROVIDER, &[1; 32], &keys(running)[0]);
        let headers = [("content-type", TIME_CONTENT_TYPE)];
        let answer = send(&mut connect(self.address).await, "POST", TIME_PATH, &headers, &packet).await;
        let ready = send(&mut connect(self.address).await, "GET", "/ready", &[], b"").await;
        assert_eq!(ready.status, StatusCode::OK, "it works without the time");
        let ready: serde_json::Value = serde_json::from_slice(&ready.body).unwrap();
        let metrics = send(&mut connect(self.address).await, "GET", "/metrics", &[], b"").await;
        let metrics = String::from_utf8(metrics.body).unwrap();
        let is_signed = answer.status == StatusCode::OK;
        assert!(metrics.contains(&format!("admit_time_signed {}\n", u8::from(is_signed))), "{metrics}");
        match is_signed {
            true => assert_eq!(ready["time"], "signed"),
            false => {
                assert_eq!(answer.refusal(), (503, Code::ADMIT_E_TIME_UNAVAILABLE));
                assert!(ready["time"].as_str().unwrap().contains("more than 2 seconds off"), "{ready}");
            }
        }
        is_signed
    }
}

#[tokio::test]
async fn e10_an_instance_whose_clock_is_three_seconds_off_stops_giving_time_and_comes_back_by_itself() {
    let mut running = Running::start_with(&with_time(), |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    for off_by in [3_000, -3_000] {
        let right = Instance::start(&running, 400_000, 0).await;
        let wrong = Instance::start(&running, 500_000, off_by).await;
        for instance in [&right, &wrong, &right, &wrong] {
            instance.server.compare_clocks().await;
        }
        assert!(right.is_signing(&running).await);
        // With SQLite there is one instance, and nothing to compare it with.
        assert_eq!(wrong.is_signing(&running).await, !on_postgres());
        if on_postgres() {
            running.address = wrong.address;
            let answer = running.ask(&client, &[key_id], None).await;
            assert_eq!(answer.status, StatusCode::OK, "licenses are issued as before");
        }
        wrong.shift_ms.store(0, Ordering::SeqCst);
        wrong.server.compare_clocks().await;
        assert!(wrong.is_signing(&running).await);
    }
}

#[tokio::test]
async fn e10_without_the_database_no_clock_is_known_to_be_right() {
    let running = Running::start_with(&with_time(), |server| server).await;
    let instance = Instance::start(&running, 400_000, 0).await;
    instance.server.compare_clocks().await;
    assert!(instance.is_signing(&running).await);
    running.home.close().await;
    instance.server.compare_clocks().await;
    let ready = send(&mut connect(instance.address).await, "GET", "/ready", &[], b"").await;
    let ready: serde_json::Value = serde_json::from_slice(&ready.body).unwrap();
    let unknown = "the database does not answer, so that this clock is compared with no other";
    assert_eq!(ready["time"], if on_postgres() { unknown } else { "signed" });
}

#[tokio::test]
async fn e10_a_license_from_an_instance_that_is_off_has_no_time_in_it() {
    let mut running = Running::start_with(&with_time(), |server| server).await;
    let (client, key_id) = (running.enrol(1).await, running.register(1, "song", true).await);
    let right = Instance::start(&running, 400_000, 0).await;
    let wrong = Instance::start(&running, 500_000, 3_000).await;
    for instance in [&right, &wrong] {
        instance.server.compare_clocks().await;
    }
    for (number, instance, is_timed) in [(1, &right, true), (2, &wrong, !on_postgres())] {
        running.address = instance.address;
        let sealed = running.seal(&client, &challenge(&running.realm, &[key_id], None, number));
        let answer = running.acquire(&sealed, None).await;
        assert_eq!(running.verify(&client, &sealed, &answer.body).len(), 1);
        assert_eq!(crate::time_in_responses::read(&running, &answer.body).time.is_some(), is_timed);
    }
}
