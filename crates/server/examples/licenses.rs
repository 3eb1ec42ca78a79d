//! Durable licenses a second: a server with its database on disk and clients over TCP in one process. Challenges are
//! made in advance, all distinct, signed and encrypted; every answer is a license that is on the disk.
//! Run by `cargo xtask bench licenses`.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::unwrap_used, reason = "the harness of the tests stops at the first surprise")]

#[expect(dead_code, reason = "tests use the rest")]
#[path = "../tests/server/harness.rs"]
mod harness;

use std::time::{Duration, Instant};

use admit_license::KeyId;
use admit_protocol::acquire::SealedChallenge;
use admit_trust::Role;
use harness::{Running, TestClient, challenge, connect, send};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() {
    let running = Running::start().await;
    let client = running.enrol(1).await;
    let key_id = running.register(1, "film", true).await;
    println!(
        "{:<12} {:>9} {:>9} {:>9} {:>9}   latency ms: p50, p99",
        "connections", "min/s", "p50/s", "p90/s", "max/s"
    );
    let mut seed = 0;
    for connections in [1, 4, 16, 64] {
        let mut rates = Vec::new();
        let mut latencies = Vec::new();
        for _ in 0..ROUNDS {
            let challenges = make(&running, &client, key_id, &mut seed);
            let started = Instant::now();
            latencies.extend(round(&running, challenges, connections).await);
            rates.push(f64::from(CHALLENGES) / started.elapsed().as_secs_f64());
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
fn make(running: &Running, client: &TestClient, key_id: KeyId, seed: &mut u64) -> Vec<SealedChallenge> {
    let mut one = || {
        *seed += 1_u64;
        let mut challenge = challenge(&running.realm, &[key_id], None, 0);
        challenge.nonce[..8].copy_from_slice(&seed.to_be_bytes());
        running.seal(client, &challenge)
    };
    (0..CHALLENGES).map(|_| one()).collect()
}

/// Sends the challenges over so many connections at once; how long each answer took.
async fn round(running: &Running, challenges: Vec<SealedChallenge>, connections: usize) -> Vec<Duration> {
    let path = running.realm.address(Role::License).expect("an address that the realm document names").to_owned();
    let mut tasks = JoinSet::new();
    let mut shares: Vec<Vec<SealedChallenge>> = (0..connections).map(|_| Vec::new()).collect();
    for (index, challenge) in challenges.into_iter().enumerate() {
        shares[index % connections].push(challenge);
    }
    for share in shares {
        let (address, path) = (running.address, path.clone());
        tasks.spawn(async move {
            let mut connection = connect(address).await;
            let mut latencies = Vec::with_capacity(share.len());
            for challenge in share {
                let started = Instant::now();
                let answer = send(&mut connection, "POST", &path, &[], challenge.as_bytes()).await;
                assert!(answer.status.is_success(), "{answer:?}");
                latencies.push(started.elapsed());
            }
            latencies
        });
    }
    tasks.join_all().await.concat()
}

const CHALLENGES: u32 = 1000;
const ROUNDS: u32 = 5;
