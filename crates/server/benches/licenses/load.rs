//! Clients, the requests they make in advance, and how fast and in what time they are answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use admit_protocol::enrol::EnrolmentResponse;
use admit_server::home::Home;
use admit_server::token::TokenRequest;
use admit_time::Timestamp;
use admit_trust::{DateCheck, Role, role};
use tokio::task::JoinSet;

use crate::harness::{ClientKeys, PROVIDER, Seeded, TestClient, challenge, connect, send, token_request};
use crate::operator::Operator;

/// Requests in one round.
pub(crate) const REQUESTS: usize = 8000;
const ROUNDS: usize = 3;

/// Clients of a realm, and tokens for them.
pub(crate) struct Clients {
    clients: Vec<TestClient>,
    tokens: Vec<String>,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A license, by a challenge that nobody else sends.
    License,
    /// A key by ClearKey.
    ClearKey,
    /// Whether the server lives: HTTP, the log and the counts, and nothing behind them.
    Health,
}

/// One request.
#[derive(Default)]
struct Made {
    body: Vec<u8>,
    authorization: String,
}

/// How requests are offered.
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
    pub(crate) asked: Asked,
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
            let request = TokenRequest { subject: format!("buyer-{number}"), ..token_request(&["film"]) };
            let seed = SEED.fetch_add(1, Ordering::Relaxed);
            minted.push(home.mint_token(&request, now(), &mut Seeded::new(seed)).await.unwrap());
        }
        home.close().await;
        Self { clients: enrolled, tokens: minted }
    }

    /// Distinct challenges, with the token that belongs to each.
    fn challenges(&self, operator: &Operator) -> Vec<Made> {
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
            Made { body: sealed.as_bytes().to_vec(), authorization: format!("Bearer {token}") }
        };
        (0..REQUESTS).map(one).collect()
    }

    /// What a player sends for one key.
    fn key_requests(&self) -> Vec<Made> {
        let body = serde_json::json!({ "kids": [CLEARKEY_KID], "type": "temporary" }).to_string().into_bytes();
        let token = |number: usize| &self.tokens[number % self.tokens.len()];
        let one = |number| Made { body: body.clone(), authorization: format!("Bearer {}", token(number)) };
        (0..REQUESTS).map(one).collect()
    }
}

impl Load<'_> {
    pub(crate) const HEADING: &'static str = "                            connections    answers/s: min    p50    max   \
        latency ms: p50    p99   server us/answer   server MiB";

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
            let made = match self.asked {
                Asked::License => clients.challenges(operator),
                Asked::ClearKey => clients.key_requests(),
                Asked::Health => (0..REQUESTS).map(|_| Made::default()).collect(),
            };
            let (before, started) = (operator.usage().1, Instant::now());
            latencies.extend(self.round(operator, made).await);
            rates.push(REQUESTS as f64 / started.elapsed().as_secs_f64());
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
            used.as_micros() as f64 / (rounds * REQUESTS) as f64,
            operator.usage().0,
        );
    }

    async fn round(&self, operator: &Operator, made: Vec<Made>) -> Vec<Duration> {
        let (method, path) = match self.asked {
            Asked::License => ("POST", operator.realm.address(Role::License).unwrap()),
            Asked::ClearKey => ("POST", "/v1/clearkey"),
            Asked::Health => ("GET", "/health"),
        };
        let mut shares: Vec<Vec<_>> = (0..self.connections).map(|_| Vec::new()).collect();
        for (index, request) in made.into_iter().enumerate() {
            shares[index % self.connections].push((index, request));
        }
        let (mut tasks, started) = (JoinSet::new(), Instant::now());
        for share in shares {
            tasks.spawn(one_connection(operator.address, (method, path.to_owned()), share, self.offered, started));
        }
        tasks.join_all().await.concat()
    }
}

/// Latency counts from the moment a request was due, not from when there was time to send it.
async fn one_connection(
    address: std::net::SocketAddr,
    (method, path): (&'static str, String),
    share: Vec<(usize, Made)>,
    offered: Offered,
    started: Instant,
) -> Vec<Duration> {
    let mut connection = connect(address).await;
    let mut latencies = Vec::with_capacity(share.len());
    for (index, request) in share {
        let due = match offered {
            Offered::AllTheyTake => Instant::now(),
            Offered::PerSecond(rate) => started + Duration::from_secs_f64(index as f64 / f64::from(rate)),
        };
        tokio::time::sleep_until(due.into()).await;
        let headers = [("authorization", request.authorization.as_str())];
        let answer = send(&mut connection, method, &path, &headers, &request.body).await;
        assert!(answer.status.is_success(), "{answer:?}");
        latencies.push(due.elapsed());
    }
    latencies
}

/// The id of the key for browsers, in base64url.
const CLEARKEY_KID: &str = "AgICAgICAgICAgICAgICAg";

fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_secs(now.as_secs())
}
