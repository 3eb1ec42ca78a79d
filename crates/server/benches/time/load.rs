//! Requests, each with a nonce of its own, and what answering them costs.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use admit_time::roughtime;
use tokio::task::JoinSet;

use crate::harness::{PROVIDER, connect, send};
use crate::peer::Peer;
use crate::used;

/// What one round took.
pub(crate) struct Measured {
    took: Duration,
    used: Duration,
}

pub(crate) const HEADING: &str =
    "                            answers/s: min    p50    max   answers/s of a core: min    p50    max   clients/hour";

/// Sends so many, and then one for each answer.
pub(crate) fn over_udp(peer: &Peer) -> Measured {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(peer.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let requests = requests(peer);
    let (started, before) = (Instant::now(), used(peer.process));
    let mut answer = [0; 2048];
    for request in &requests[..UNDER_WAY] {
        socket.send(request).unwrap();
    }
    for index in 0..requests.len() {
        let length = socket.recv(&mut answer).expect("an answer to each request");
        if let Some(request) = requests.get(index + UNDER_WAY) {
            socket.send(request).unwrap();
        }
        assert!(length > 300, "an answer has two signatures");
    }
    let measured = Measured { took: started.elapsed(), used: used(peer.process).saturating_sub(before) };
    // Which of the requests it answers does not matter: one is asked by itself.
    socket.send(&requests[0]).unwrap();
    let length = socket.recv(&mut answer).unwrap();
    roughtime::verify(PROVIDER, &peer.key, &requests[0], &answer[..length]).unwrap();
    measured
}

/// As many connections, each with one request at a time.
pub(crate) async fn over_http(peer: &Peer, address: SocketAddr) -> Measured {
    let mut shares: Vec<Vec<Vec<u8>>> = vec![Vec::new(); UNDER_WAY];
    for (index, request) in requests(peer).into_iter().enumerate() {
        shares[index % UNDER_WAY].push(request);
    }
    let (mut tasks, started, before) = (JoinSet::new(), Instant::now(), used(peer.process));
    for share in shares {
        let key = peer.key;
        tasks.spawn(async move {
            let mut connection = connect(address).await;
            for (index, request) in share.iter().enumerate() {
                let answer = send(&mut connection, "POST", "/v1/time", &[], request).await;
                assert!(answer.status.is_success(), "{answer:?}");
                if index == 0 {
                    roughtime::verify(PROVIDER, &key, request, &answer.body).unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
    Measured { took: started.elapsed(), used: used(peer.process).saturating_sub(before) }
}

/// The same connections with requests that nothing is done for: what HTTP takes by itself.
pub(crate) async fn http_alone(peer: &Peer, address: SocketAddr) -> Measured {
    let (mut tasks, started, before) = (JoinSet::new(), Instant::now(), used(peer.process));
    for _ in 0..UNDER_WAY {
        tasks.spawn(async move {
            let mut connection = connect(address).await;
            for _ in 0..REQUESTS / UNDER_WAY {
                assert!(send(&mut connection, "GET", "/health", &[], b"").await.status.is_success());
            }
        });
    }
    tasks.join_all().await;
    Measured { took: started.elapsed(), used: used(peer.process).saturating_sub(before) }
}

fn requests(peer: &Peer) -> Vec<Vec<u8>> {
    static NONCE: AtomicU64 = AtomicU64::new(1);
    let one = |_| {
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&NONCE.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        roughtime::request_packet(PROVIDER, &nonce, &peer.key)
    };
    (0..REQUESTS).map(one).collect()
}

/// A client that asks once an hour is one of so many.
pub(crate) fn print(name: &str, measured: Vec<Measured>) {
    let rates = |of: fn(&Measured) -> Duration| {
        let mut rates: Vec<f64> = measured.iter().map(|one| REQUESTS as f64 / of(one).as_secs_f64()).collect();
        rates.sort_by(f64::total_cmp);
        rates
    };
    let (all, core) = (rates(|one| one.took), rates(|one| one.used));
    let middle = core[core.len() / 2];
    println!(
        "{name:<28}{:>14.0}{:>7.0}{:>7.0}{:>24.0}{:>7.0}{:>7.0}{:>15.0}",
        all[0],
        all[all.len() / 2],
        all[all.len() - 1],
        core[0],
        middle,
        core[core.len() - 1],
        middle * 3600.0,
    );
}

/// Requests in one round.
pub(crate) const REQUESTS: usize = 40_000;
/// Requests that wait for their answers at any moment.
const UNDER_WAY: usize = 64;
