//! Durable licenses and ClearKey keys a second: a server with its database on disk and clients over TCP in one process.
//! Challenges are made in advance, all distinct, signed and encrypted; every answer is a license, or the record of a key that
//! was given, that is on the disk.
//! Run by `cargo xtask bench licenses`.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::unwrap_used, reason = "the harness of the tests stops at the first surprise")]

#[expect(dead_code, reason = "tests use the rest")]
#[path = "../tests/server/harness.rs"]
mod harness;

use std::time::{Duration, Instant};

use admit_license::KeyId;
use admit_protocol::acquire::LICENSES_PATH;
use admit_server::CLEARKEY_PATH;
use admit_server::content::{Content, KeyClass};
use harness::{Running, START, Seeded, TestClient, challenge, connect, content, content_key, send};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() {
    let running = Running::start().await;
    let client = running.enrol(1).await;
    let key_id = running.register(1, "film", true).await;
    let shown = Content { class: KeyClass::ClearKey, ..content(2, "clip", true) };
    running
        .home
        .register_content_key(&shown, &content_key(2), START, &mut Seeded::new(2))
        .await
        .expect("a new key is registered");
    let mut seed = 0;
    println!("licenses");
    table(&running, LICENSES_PATH, CHALLENGES, || make(&running, &client, key_id, &mut seed)).await;
    println!("ClearKey");
    let request = br#"{"kids":["AgICAgICAgICAgICAgICAg"],"type":"temporary"}"#;
    table(&running, CLEARKEY_PATH, KEY_REQUESTS, || vec![request.to_vec(); KEY_REQUESTS]).await;
}

/// Sends so many requests at once, round after round, over more and more connections, and prints the distributions.
async fn table(running: &Running, path: &'static str, count: usize, mut make: impl FnMut() -> Vec<Vec<u8>>) {
    println!(
        "{:<12} {:>9} {:>9} {:>9} {:>9}   latency ms: p50, p99",
        "connections", "min/s", "p50/s", "p90/s", "max/s"
    );
    for connections in [1, 4, 16, 64] {
        let mut rates = Vec::new();
        let mut latencies = Vec::new();
        for _ in 0..ROUNDS {
            let requests = make();
            let started = Instant::now();
            latencies.extend(round(running, path, requests, connections).await);
            rates.push(count as f64 / started.elapsed().as_secs_f64());
        }
        rates.sort_by(f64::total_cmp);
        latencies.sort();
        let at = |of: usize, hundredths: usize| (of - 1) * hundredths / 100;
        let rate = |hundredths| rates[at(rates.len(), hundredths)];
        let latency = |hundredths: usize| latencies[at(latencies.len(), hundredths)].as_secs_f64() * 1000.0;
        println!(
            "{connections:<12} {:>9.0} {:>9.0} {:>9.0} {:>9.0}   {:.2}, {:.2}",
            rate(0),
            rate(50),
            rate(90),
            rate(100),
            latency(50),
            latency(99),
        );
    }
}

/// Distinct challenges for one key.
fn make(running: &Running, client: &TestClient, key_id: KeyId, seed: &mut u64) -> Vec<Vec<u8>> {
    let mut one = || {
        *seed += 1_u64;
        let mut challenge = challenge(&running.realm, &[key_id], None, 0);
        challenge.nonce[..8].copy_from_slice(&seed.to_be_bytes());
        running.seal(client, &challenge).as_bytes().to_vec()
    };
    (0..CHALLENGES).map(|_| one()).collect()
}

/// Sends the requests over so many connections at once; how long each answer took.
async fn round(running: &Running, path: &'static str, requests: Vec<Vec<u8>>, connections: usize) -> Vec<Duration> {
    let mut tasks = JoinSet::new();
    let mut shares: Vec<Vec<Vec<u8>>> = (0..connections).map(|_| Vec::new()).collect();
    for (index, request) in requests.into_iter().enumerate() {
        shares[index % connections].push(request);
    }
    for share in shares {
        let address = running.address;
        tasks.spawn(async move {
            let mut connection = connect(address).await;
            let mut latencies = Vec::with_capacity(share.len());
            for request in share {
                let started = Instant::now();
                let answer = send(&mut connection, "POST", path, &[], &request).await;
                assert!(answer.status.is_success(), "{answer:?}");
                latencies.push(started.elapsed());
            }
            latencies
        });
    }
    tasks.join_all().await.concat()
}

const CHALLENGES: usize = 1000;
const KEY_REQUESTS: usize = 5000;
const ROUNDS: u32 = 5;
