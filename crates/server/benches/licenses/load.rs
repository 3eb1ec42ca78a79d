//! Clients, the challenges they make in advance, and how fast and in what time they are answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use admit_protocol::acquire::SealedChallenge;
use admit_protocol::enrol::EnrolmentResponse;
use admit_server::home::Home;
use admit_server::token::TokenRequest;
use admit_time::Timestamp;
use admit_trust::{DateCheck, Role, role};
use tokio::task::JoinSet;

use crate::harness::{ClientKeys, DAY, PROVIDER, Seeded, TestClient, challenge, connect, send};
use crate::operator::Operator;

/// Challenges in one round.
pub(crate) const CHALLENGES: usize = 8000;
const ROUNDS: usize = 3;

/// Clients of a realm, and tokens for them.
pub(crate) struct Clients {
    clients: Vec<TestClient>,
    tokens: Vec<String>,
}

/// How challenges are offered.
#[derive(Clone, Copy)]
pub(crate) enum Offered {
    /// Each connection sends the next one when it has an answer.
    AllTheyTake,
    /// So many a second, whatever comes back.
    PerSecond(u32),
}

/// One measurement.
pub(crate) struct Load<'a> {
    pub(crate) name: &'a str,
    pub(crate) connections: usize,
    pub(crate) offered: Offered,
}

impl Clients {
    pub(crate) async fn enrol(operator: &Operator, clients: usize, tokens: usize) -> Self {
        static SEED: AtomicU64 = AtomicU64::new(10);
        let realm = &operator.realm;
        let mut connection = connect(operator.address).await;
        let mut enrolled = Vec::with_capacity(clients);
        for _ in 0..clients {
            let seed = SEED.fetch_add(1, Ordering::Relaxed);
            let keys = ClientKeys::new(seed);
            let request = keys.request(realm.root().realm(), seed);
            let path = realm.address(Role::Enrolment).unwrap();
            let answer = send(&mut connection, "POST", path, &[], &request.sign(&keys.signing)).await;
            let dates = DateCheck::At(now());
            let verified = EnrolmentResponse::verify(PROVIDER, realm.root(), &request, &answer.body, dates).unwrap();
            let (certificate, properties, chain) = (verified.certificate, verified.properties, verified.chain);
            enrolled.push(TestClient { keys, certificate, properties, chain });
        }
        let home = Home::open(&operator.home(), PROVIDER).await.unwrap();
        let mut minted = Vec::with_capacity(tokens);
        for number in 0..tokens {
            let request = TokenRequest {
                subject: format!("buyer-{number}"),
                content: vec!["film".to_owned()],
                lifetime: DAY,
                uses: None,
                bound_to: None,
                policy: serde_json::Map::new(),
            };
            let seed = SEED.fetch_add(1, Ordering::Relaxed);
            minted.push(home.mint_token(&request, now(), &mut Seeded::new(seed)).await.unwrap());
        }
        home.close().await;
        Self { clients: enrolled, tokens: minted }
    }

    /// Distinct challenges, with the token that belongs to each.
    fn challenges(&self, operator: &Operator) -> Vec<(SealedChallenge, String)> {
        static NONCE: AtomicU64 = AtomicU64::new(1);
        let service = operator.realm.certificate::<role::License>(PROVIDER, DateCheck::At(now())).unwrap();
        let key = service.properties().encryption_key.unwrap();
        let one = |number: usize| {
            let (client, token) =
                (&self.clients[number % self.clients.len()], &self.tokens[number % self.tokens.len()]);
            let nonce = NONCE.fetch_add(1, Ordering::Relaxed);
            let mut challenge = challenge(&operator.realm, &[operator.key_id], Some(token), 0);
            challenge.nonce[..8].copy_from_slice(&nonce.to_be_bytes());
            let entropy = &mut Seeded::new(nonce);
            let sealed = challenge.seal(PROVIDER, &client.keys.signing, &client.chain, &key, entropy);
            (sealed, format!("Bearer {token}"))
        };
        (0..CHALLENGES).map(one).collect()
    }
}

impl Load<'_> {
    pub(crate) const HEADING: &'static str = "                            connections    licenses/s: min    p50    max   \
        latency ms: p50    p99   server us/license   server MiB";

    pub(crate) async fn run(&self, operator: &Operator, clients: &Clients) {
        self.rounds(operator, clients, ROUNDS).await;
    }

    /// One round, for clients that are new only once.
    pub(crate) async fn run_once(&self, operator: &Operator, clients: &Clients) {
        self.rounds(operator, clients, 1).await;
    }

    async fn rounds(&self, operator: &Operator, clients: &Clients, rounds: usize) {
        let (mut rates, mut latencies, mut used) = (Vec::new(), Vec::new(), Duration::ZERO);
        for _ in 0..rounds {
            let challenges = clients.challenges(operator);
            let (before, started) = (operator.usage().1, Instant::now());
            latencies.extend(self.round(operator, challenges).await);
            rates.push(CHALLENGES as f64 / started.elapsed().as_secs_f64());
            used += operator.usage().1.saturating_sub(before);
        }
        rates.sort_by(f64::total_cmp);
        latencies.sort();
        let of = |hundredths: usize| latencies[(latencies.len() - 1) * hundredths / 100].as_secs_f64() * 1000.0;
        println!(
            "{:<28}{:>11}{:>19.0}{:>7.0}{:>7.0}{:>19.1}{:>7.1}{:>20.0}{:>13}",
            self.name,
            self.connections,
            rates[0],
            rates[rates.len() / 2],
            rates[rates.len() - 1],
            of(50),
            of(99),
            used.as_micros() as f64 / (rounds * CHALLENGES) as f64,
            operator.usage().0,
        );
    }

    async fn round(&self, operator: &Operator, challenges: Vec<(SealedChallenge, String)>) -> Vec<Duration> {
        let path = operator.realm.address(Role::License).unwrap().to_owned();
        let mut shares: Vec<Vec<_>> = (0..self.connections).map(|_| Vec::new()).collect();
        for (index, challenge) in challenges.into_iter().enumerate() {
            shares[index % self.connections].push((index, challenge));
        }
        let (mut tasks, started) = (JoinSet::new(), Instant::now());
        for share in shares {
            tasks.spawn(one_connection(operator.address, path.clone(), share, self.offered, started));
        }
        tasks.join_all().await.concat()
    }
}

/// Latency counts from the moment a challenge was due, not from when there was time to send it.
async fn one_connection(
    address: std::net::SocketAddr,
    path: String,
    share: Vec<(usize, (SealedChallenge, String))>,
    offered: Offered,
    started: Instant,
) -> Vec<Duration> {
    let mut connection = connect(address).await;
    let mut latencies = Vec::with_capacity(share.len());
    for (index, (challenge, token)) in share {
        let due = match offered {
            Offered::AllTheyTake => Instant::now(),
            Offered::PerSecond(rate) => started + Duration::from_secs_f64(index as f64 / f64::from(rate)),
        };
        tokio::time::sleep_until(due.into()).await;
        let headers = [("authorization", token.as_str())];
        let answer = send(&mut connection, "POST", &path, &headers, challenge.as_bytes()).await;
        assert!(answer.status.is_success(), "{answer:?}");
        latencies.push(due.elapsed());
    }
    latencies
}

fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_secs(now.as_secs())
}
